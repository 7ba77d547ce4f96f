"""Who a rendered person is: everything about the looks that stays the same from photo to photo."""

from dataclasses import dataclass

import numpy as np

from generators.render import makehuman

Colour = tuple[float, float, float]
HAIR_COLOURS = {
    "black": (0.016, 0.013, 0.012),
    "brown": (0.105, 0.048, 0.022),
    "blond": (0.62, 0.42, 0.17),
    "red": (0.44, 0.10, 0.022),
    "grey": (0.33, 0.33, 0.34),
}
GLASSES_COLOURS = {
    "no glasses": None,
    "black glasses": (0.01, 0.01, 0.01),
    "red glasses": (0.60, 0.02, 0.02),
    "blue glasses": (0.03, 0.08, 0.60),
    "gold glasses": (0.75, 0.50, 0.08),
}
BEARDS = {"no beard": 0.0, "light beard": 0.58, "full beard": 0.92}
HAIR_STYLES = ("cropped", "short", "parted", "full", "curly", "bob", "long", "bun", "bald")
EYE_COLOURS = ((0.16, 0.075, 0.035), (0.19, 0.105, 0.042), (0.14, 0.32, 0.58), (0.16, 0.36, 0.18))
SKIN_RAMP = np.array(
    [(0.115, 0.052, 0.030), (0.262, 0.130, 0.078), (0.456, 0.250, 0.155), (0.679, 0.420, 0.290), (0.85, 0.61, 0.48)]
)
"""Skin colours from the darkest to the lightest; a person's lies between two neighbours."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
DARK_BELOW, LIGHT_FROM = 0.18, 0.38
"""Cuts of the skin colour's luminance between dark, medium and light skin tone."""
SLIM_BELOW, HEAVY_FROM = 0.42, 0.68
"""Cuts of MakeHuman's weight parameter between slim, average and heavy build."""
AGE_GROUPS = {"young adult": (0.47, 0.56), "middle-aged": (0.63, 0.71), "older": (0.79, 0.88)}
"""MakeHuman's age parameter of each age group; 0.5 is a person of 25, 1 one of 90."""
SKIN_TONES = {"dark": (0.075, 0.155), "medium": (0.205, 0.35), "light": (0.41, 0.56)}
BUILDS = {"slim": (0.22, 0.38), "average": (0.46, 0.63), "heavy": (0.73, 0.86)}
GOLDEN = 1.2207440846057596
"""The root of x^4 = x + 1: its powers spread three coordinates evenly over any run of places."""


@dataclass(frozen=True)
class Identity:
    """Looks of one fictitious person; ``looks`` draws one. Colours are linear RGB in 0..1."""

    seed: int
    gender: float
    age: float
    muscle: float
    weight: float
    height: float
    proportions: float
    ancestry: tuple[float, float, float]
    face: tuple[tuple[str, float], ...]
    skin: Colour
    hair: str
    hair_colour: Colour
    hair_style: str
    eyes: Colour
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


def looks(seed: int, place: int, man: bool | None = None) -> Identity:
    """Draw the looks of the person with number ``seed`` who stands at ``place`` in a group.

    The place decides on gender presentation (they alternate, unless ``man`` says which), age group, skin tone and
    build, so that every run of places is balanced; the seed decides on everything else. Equal arguments give equal
    looks.
    """
    random = np.random.default_rng([7, seed])
    if man is None:
        man = place % 2 == 0
    share = (0.5 + (place + 1) * GOLDEN ** -np.arange(1.0, 4.0)) % 1
    age = random.uniform(*list(AGE_GROUPS.values())[int(3 * share[0])])
    tone = list(SKIN_TONES)[int(3 * share[1])]
    weight = random.uniform(*list(BUILDS.values())[int(3 * share[2])])
    ancestry = _ancestry(random, tone)
    hair, hair_colour = _hair_colour(random, tone, float(age))
    pale = tone == "light" and ancestry[2] > 0.4
    return Identity(
        seed=seed,
        gender=float(random.uniform(0.86, 0.98) if man else random.uniform(0.02, 0.12)),
        age=float(age),
        muscle=float(random.uniform(0.3, 0.75)),
        weight=float(weight),
        height=float(random.uniform(0.35, 0.7)),
        proportions=float(random.uniform(0.5, 0.9)),
        ancestry=ancestry,
        face=_face(random),
        skin=_skin(random, tone),
        hair=hair,
        hair_colour=hair_colour,
        hair_style=_choose(random, HAIR_STYLES, _hair_style_shares(man, float(age), tone)),
        eyes=EYE_COLOURS[int(random.integers(4))] if pale else EYE_COLOURS[int(random.integers(2))],
        beard=_choose(random, tuple(BEARDS), (0.4, 0.3, 0.3)) if man else "no beard",
        glasses=_choose(random, tuple(GLASSES_COLOURS), (0.52, 0.12, 0.12, 0.12, 0.12)),
        glasses_radius=float(random.uniform(0.22, 0.30)),
        glasses_thickness=float(random.uniform(0.016, 0.028)),
        glasses_height=float(random.uniform(0.65, 1.0)),
        moles=tuple((float(a), float(b), float(c)) for a, b, c in random.random((int(random.integers(0, 4)), 3))),
        freckles=float(random.uniform(0.15, 0.5)) if pale and random.random() < 0.35 else 0.0,
    )


def appearance(identity: Identity) -> dict[str, str]:
    """What anyone can see of a person: gender presentation, age group, skin tone and build, each from a stated cut."""
    luminance = float(LUMINANCE @ np.array(identity.skin))
    return {
        "gender_presentation": "man" if identity.presents_as_man else "woman",
        "age_group": "young adult" if identity.age < 0.6 else "middle-aged" if identity.age < 0.75 else "older",
        "skin_tone": "dark" if luminance < DARK_BELOW else "medium" if luminance < LIGHT_FROM else "light",
        "build": "slim" if identity.weight < SLIM_BELOW else "average" if identity.weight < HEAVY_FROM else "heavy",
    }


def _choose(random: np.random.Generator, options: tuple[str, ...], shares: tuple[float, ...]) -> str:
    return options[int(random.choice(len(options), p=np.array(shares) / sum(shares)))]


def _face(random: np.random.Generator) -> tuple[tuple[str, float], ...]:
    # One of each pair of opposite targets: two that pull against each other only crumple the mesh.
    drawn = []
    for (first, second), strength in makehuman.face_axes():
        amount = float(np.clip(random.normal(0, strength), -2.2 * strength, 2.2 * strength))
        name = second if amount < 0 else first
        if name:
            drawn.append((name, abs(amount)))
    return tuple(drawn)


def _ancestry(random: np.random.Generator, tone: str) -> Colour:
    shares = {"dark": (6.0, 0.5, 0.5), "medium": (1.2, 1.2, 1.0), "light": (0.15, 1.0, 1.6)}[tone]
    african, asian, caucasian = random.dirichlet(shares)
    return float(african), float(asian), float(caucasian)


def _hair_colour(random: np.random.Generator, tone: str, age: float) -> tuple[str, Colour]:
    grey = {True: 0.05, False: 0.10}[age < 0.6] + max(0.0, age - 0.72) * 5
    shares = {
        "dark": (0.58, 0.24, 0.06, 0.06, grey),
        "medium": (0.36, 0.30, 0.12, 0.12, grey),
        "light": (0.18, 0.26, 0.28, 0.24, grey),
    }[tone]
    name = _choose(random, tuple(HAIR_COLOURS), shares)
    red, green, blue = np.array(HAIR_COLOURS[name]) * random.uniform(0.8, 1.25)
    return name, (float(red), float(green), float(blue))


def _hair_style_shares(man: bool, age: float, tone: str) -> tuple[float, ...]:
    curly = {"dark": 0.30, "medium": 0.14, "light": 0.09}[tone]
    if man:
        return (0.20, 0.22, 0.17, 0.15, curly, 0.03, 0.05, 0.03, 0.12 if age > 0.6 else 0.05)
    return (0.04, 0.08, 0.07, 0.08, curly, 0.22, 0.28, 0.16, 0.0)


def _skin(random: np.random.Generator, tone: str) -> Colour:
    wanted = random.uniform(*SKIN_TONES[tone])
    colour = np.array([np.interp(wanted, SKIN_RAMP @ LUMINANCE, SKIN_RAMP[:, channel]) for channel in range(3)])
    colour = colour * random.uniform(0.95, 1.05, 3)
    red, green, blue = colour * (wanted / float(LUMINANCE @ colour))
    return float(red), float(green), float(blue)
