"""Who a rendered person is: everything about the looks that stays the same from photo to photo."""

from dataclasses import dataclass

import numpy as np

from generators.render import makehuman

HAIR_COLOURS = {
    "black": (0.020, 0.016, 0.014),
    "brown": (0.13, 0.065, 0.03),
    "blond": (0.68, 0.47, 0.20),
    "red": (0.48, 0.12, 0.03),
    "grey": (0.50, 0.50, 0.50),
}
GLASSES_COLOURS = {
    "no glasses": None,
    "black glasses": (0.01, 0.01, 0.01),
    "red glasses": (0.60, 0.02, 0.02),
    "blue glasses": (0.03, 0.08, 0.60),
    "gold glasses": (0.75, 0.50, 0.08),
}
BEARDS = {"no beard": 0.0, "light beard": 0.40, "full beard": 0.92}
HAIR_STYLES = ("cropped", "short", "full", "bob", "long", "bun", "bald")
EYE_COLOURS = ((0.20, 0.10, 0.05), (0.30, 0.20, 0.09), (0.16, 0.34, 0.58), (0.18, 0.42, 0.22))
SKIN_BY_ANCESTRY = np.array([(0.34, 0.20, 0.13), (0.86, 0.65, 0.46), (0.91, 0.70, 0.58)])


@dataclass(frozen=True)
class Identity:
    """Looks of one fictitious person; ``looks(seed)`` draws one. Colours are linear RGB in 0..1."""

    seed: int
    gender: float
    age: float
    muscle: float
    weight: float
    height: float
    proportions: float
    ancestry: tuple[float, float, float]
    face: tuple[tuple[str, float], ...]
    skin: tuple[float, float, float]
    hair: str
    hair_colour: tuple[float, float, float]
    hair_style: str
    eyes: tuple[float, float, float]
    beard: str
    glasses: str
    glasses_radius: float
    glasses_thickness: float
    glasses_height: float
    moles: tuple[tuple[float, float, float], ...]
    freckles: float

    @property
    def macro(self) -> dict[str, float]:
        """MakeHuman's body parameters, each in 0..1."""
        return {
            "gender": self.gender,
            "age": self.age,
            "muscle": self.muscle,
            "weight": self.weight,
            "height": self.height,
            "proportions": self.proportions,
        }

    @property
    def presents_as_man(self) -> bool:
        """Gender presentation as rendered, which decides on beard and hair length."""
        return self.gender > 0.5


def looks(seed: int) -> Identity:
    """Draw the looks of person number ``seed``; equal seeds give equal looks."""
    random = np.random.default_rng([7, seed])
    ancestry = random.dirichlet([0.35, 0.35, 0.35])
    man = bool(random.random() < 0.5)
    age = float(random.uniform(0.42, 0.88))
    names = makehuman.face_targets()
    chosen = random.choice(len(names), 64, replace=False)
    face = tuple((names[i], float(np.clip(abs(random.normal(0, 0.48)), 0, 1.0))) for i in chosen)
    hair, hair_colour = _hair_colour(random, ancestry, age)
    glasses = _choose(random, tuple(GLASSES_COLOURS), (0.52, 0.12, 0.12, 0.12, 0.12))
    return Identity(
        seed=seed,
        gender=0.95 if man else 0.05,
        age=age,
        muscle=float(random.uniform(0.25, 0.85)),
        weight=float(random.uniform(0.2, 0.95)),
        height=float(random.uniform(0.35, 0.7)),
        proportions=float(random.uniform(0.4, 0.9)),
        ancestry=(float(ancestry[0]), float(ancestry[1]), float(ancestry[2])),
        face=face,
        skin=_skin(random, ancestry),
        hair=hair,
        hair_colour=hair_colour,
        hair_style=_choose(random, HAIR_STYLES, _hair_style_shares(man, age)),
        eyes=EYE_COLOURS[int(random.integers(4))] if ancestry[2] > 0.5 else EYE_COLOURS[int(random.integers(2))],
        beard=_choose(random, tuple(BEARDS), (0.4, 0.3, 0.3)) if man else "no beard",
        glasses=glasses,
        glasses_radius=float(random.uniform(0.22, 0.32)),
        glasses_thickness=float(random.uniform(0.020, 0.038)),
        glasses_height=float(random.uniform(0.65, 1.0)),
        moles=tuple((float(a), float(b), float(c)) for a, b, c in random.random((int(random.integers(0, 4)), 3))),
        freckles=float(random.random() * 0.5) if ancestry[2] > 0.5 and random.random() < 0.35 else 0.0,
    )


def _choose(random: np.random.Generator, options: tuple[str, ...], shares: tuple[float, ...]) -> str:
    return options[int(random.choice(len(options), p=np.array(shares) / sum(shares)))]


def _hair_colour(
    random: np.random.Generator, ancestry: np.ndarray, age: float
) -> tuple[str, tuple[float, float, float]]:
    european = float(ancestry[2])
    shares = (
        0.15 + 0.5 * (1 - european),
        0.3,
        0.10 + 0.30 * european,
        0.08 + 0.25 * european,
        0.06 + max(0.0, age - 0.6) * 1.5,
    )
    name = _choose(random, tuple(HAIR_COLOURS), shares)
    red, green, blue = np.array(HAIR_COLOURS[name]) * random.uniform(0.75, 1.3)
    return name, (float(red), float(green), float(blue))


def _hair_style_shares(man: bool, age: float) -> tuple[float, ...]:
    if man:
        return (0.25, 0.30, 0.22, 0.05, 0.06, 0.02, 0.10 if age > 0.6 else 0.04)
    return (0.05, 0.12, 0.18, 0.25, 0.28, 0.12, 0.0)


def _skin(random: np.random.Generator, ancestry: np.ndarray) -> tuple[float, float, float]:
    tone = (ancestry[:, None] * SKIN_BY_ANCESTRY).sum(0) * random.uniform(0.82, 1.05) * random.uniform(0.95, 1.05, 3)
    red, green, blue = np.clip(tone, 0.05, 0.97)
    return float(red), float(green), float(blue)
