"""What stands behind a person in a photo: one painted surface per kind of surroundings."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

Array = np.ndarray
SIZE = 96


def _noise(random: np.random.Generator, scale: float) -> Array:
    field = gaussian_filter(random.random((SIZE, SIZE)), scale, mode="wrap")
    return (field - field.min()) / (np.ptp(field) + 1e-9)


def _filled(colour: Array) -> Array:
    return np.ones((SIZE, SIZE, 3)) * colour


def plain_wall(random: np.random.Generator) -> Array:
    """A painted wall of one random colour."""
    return _filled(random.uniform(0.15, 0.75, 3)) * (0.9 + 0.2 * _noise(random, 10))[..., None]


def brick_wall(random: np.random.Generator) -> Array:
    """Bricks in running bond."""
    picture = _filled(np.array([0.42, 0.13, 0.08]) * random.uniform(0.7, 1.3))
    picture *= (0.75 + 0.5 * _noise(random, 1.5))[..., None]
    mortar = np.array([0.60, 0.56, 0.50])
    for row in range(0, SIZE, 6):
        picture[row] = mortar
        picture[row : row + 6, (row // 6 % 2) * 7 :: 14] = mortar
    return picture


def curtain(random: np.random.Generator) -> Array:
    """Folds of cloth with vertical stripes."""
    first, second = random.uniform(0.05, 0.75, 3), random.uniform(0.05, 0.75, 3)
    column = np.arange(SIZE)
    stripe = (column // 6 % 2)[None, :, None]
    fold = (0.65 + 0.35 * np.sin(column * 2 * np.pi / 12 + random.random() * 6))[None, :, None]
    return _filled(first) * (1 - stripe) * fold + _filled(second) * stripe * fold


def park(random: np.random.Generator) -> Array:
    """Sky, round tree crowns and grass."""
    picture = _filled(np.array([0.45, 0.65, 0.90]) * random.uniform(0.8, 1.1))
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    for _ in range(9):
        centre, radius = (random.uniform(25, 58), random.uniform(0, SIZE)), random.uniform(9, 20)
        crown = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        picture[crown] = np.array([0.05, 0.25, 0.04]) * random.uniform(0.6, 2.0)
    picture[58:] = np.array([0.12, 0.38, 0.06])
    return picture * (0.8 + 0.4 * _noise(random, 1.2))[..., None]


def beach(random: np.random.Generator) -> Array:
    """Sky, sea and sand."""
    picture = _filled(np.array([0.50, 0.72, 0.95]))
    horizon, shore = int(random.integers(34, 46)), int(random.integers(56, 66))
    picture[horizon:shore] = np.array([0.03, 0.30, 0.48])
    picture[shore:] = np.array([0.80, 0.66, 0.40])
    picture[horizon:shore:3] *= 1.25
    return picture * (0.92 + 0.16 * _noise(random, 1.5))[..., None]


def city_street(random: np.random.Generator) -> Array:
    """House fronts with rows of lit windows above asphalt."""
    picture = _filled(np.array([0.55, 0.62, 0.70]))
    left = 0
    while left < SIZE:
        width, top = int(random.integers(14, 26)), int(random.integers(4, 28))
        picture[top:, left : left + width] = random.uniform(0.10, 0.38) * random.uniform(0.85, 1.15, 3)
        for row in range(top + 3, 72, 8):
            for column in range(left + 3, min(left + width - 3, SIZE), 6):
                lit = random.random() < 0.5
                picture[row : row + 4, column : column + 3] = (0.95, 0.80, 0.35) if lit else (0.05, 0.08, 0.14)
        left += width
    picture[76:] = 0.12
    return picture


SURROUNDINGS: dict[str, Callable[[np.random.Generator], Array]] = {
    "plain wall": plain_wall,
    "brick wall": brick_wall,
    "curtain": curtain,
    "park": park,
    "beach": beach,
    "city street": city_street,
}


def paint(name: str, random: np.random.Generator) -> Array:
    """The backdrop (SIZE, SIZE, 3) called ``name``, linear RGB in 0..1."""
    return np.clip(SURROUNDINGS[name](random), 0.01, 0.95).astype(np.float32)
