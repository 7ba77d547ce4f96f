"""What stands behind a person in a photo: one painter per kind of surroundings, painted as the camera sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from generators.render.camera import Camera

Array = np.ndarray
SIZE = 256
WALL = -13.0
OUTDOORS = ("park", "beach", "city street")


@dataclass(frozen=True)
class Footprint:
    """The turned rectangle on the ground on which a thing stands, and which lies in its shade."""

    centre: Array
    half: Array
    turn: float


@dataclass(frozen=True)
class View:
    """What the painters see: the camera, the height of the ground, what stands on it, and how far it is out of focus.

    All lengths in decimetres; ``blur`` in pixels of a backdrop of ``SIZE`` pixels a side.
    """

    camera: Camera
    ground: float
    footprints: Sequence[Footprint] = ()
    blur: float = 0.7

    @cached_property
    def rays(self) -> Array:
        """The direction (SIZE, SIZE, 3) of every pixel."""
        return self.camera.rays(SIZE)

    def wall(self, z: float) -> tuple[Array, Array]:
        """Where every pixel's ray meets the upright plane at ``z``: x and y (SIZE, SIZE)."""
        rays = self.rays
        reach = (z - self.camera.origin[2]) / rays[..., 2]
        return self.camera.origin[0] + reach * rays[..., 0], self.camera.origin[1] + reach * rays[..., 1]

    def floor(self) -> tuple[Array, Array, Array]:
        """Where every ray meets the ground: x, z, and a mask of the rays that do, within a kilometre."""
        rays = self.rays
        drop = np.minimum(rays[..., 1], -1e-5)
        reach = np.minimum((self.ground - self.camera.origin[1]) / drop, 1e4)
        x, z = (self.camera.origin[k] + reach * rays[..., k] for k in (0, 2))
        return x, z, (rays[..., 1] < 0) & (reach < 9.9e3)

    def sky(self) -> tuple[Array, Array]:
        """Sideways and upward tangent of every ray, 0 straight ahead and at the horizon."""
        rays = self.rays
        return -rays[..., 0] / rays[..., 2], rays[..., 1] / np.hypot(rays[..., 0], rays[..., 2])


class _Noise:
    """Smooth noise in 0..1 that can be read anywhere, with three octaves."""

    def __init__(self, random: np.random.Generator) -> None:
        field = sum(
            gaussian_filter(random.standard_normal((128, 128)), s, mode="wrap") * s * s for s in (1.0, 2.0, 4.0)
        )
        self.field = np.clip(0.5 + np.asarray(field) / (4.5 * np.std(field)), 0, 1)

    def __call__(self, x: Array, y: Array) -> Array:
        place = np.stack([np.asarray(y, float).ravel() * 8 % 128, np.asarray(x, float).ravel() * 8 % 128])
        read: Array = map_coordinates(self.field, place, order=1, mode="grid-wrap").reshape(np.shape(x))
        return read


def _mix(below: Array, above: Array, share: Array) -> Array:
    share = np.clip(share, 0, 1)[..., None]
    return below * (1 - share) + above * share


def _plain(colour: Array | Sequence[float]) -> Array:
    return np.ones((SIZE, SIZE, 3)) * np.asarray(colour, float)


def _lamp_light(x: Array, y: Array, random: np.random.Generator) -> Array:
    """Light that falls off over a wall from one side."""
    from_x, from_y = random.uniform(-8, 8), random.uniform(0, 8)
    return np.asarray(0.72 + 0.45 * np.exp(-((x - from_x) ** 2 + (y - from_y - 7) ** 2) / 90))[..., None]


def plain_wall(random: np.random.Generator, view: View) -> Array:
    """A painted wall of one random colour with roller marks and the light of a lamp."""
    x, y = view.wall(WALL)
    noise = _Noise(random)
    plaster = 0.95 + 0.06 * noise(x * 0.15, y * 0.15) + 0.05 * (noise(x * 1.7, y * 1.2) - 0.5)
    return _plain(random.uniform(0.15, 0.75, 3)) * plaster[..., None] * _lamp_light(x, y, random)


def brick_wall(random: np.random.Generator, view: View) -> Array:
    """Bricks in running bond, each of its own shade, with worn edges and stains."""
    x, y = view.wall(WALL)
    noise = _Noise(random)
    x, y = x + 0.05 * noise(x * 0.8, y * 0.8), y + 0.04 * noise(x * 0.8 + 5, y * 0.8)
    high, wide = 0.62, 1.85
    row = np.floor(y / high)
    column = np.floor(x / wide + 0.5 * (row % 2))
    shade = noise(column * 0.37 + row * 0.71, row * 0.53 + column * 0.29)
    tint = noise(column * 0.91 + 3, row * 0.43 + column * 0.17)
    base = np.array([0.42, 0.13, 0.08]) * random.uniform(0.7, 1.25)
    bricks = base * (0.45 + 1.1 * shade)[..., None] * np.stack([1 + 0 * tint, 0.75 + 0.5 * tint, 0.7 + 0.6 * tint], -1)
    bricks = bricks * (0.75 + 0.5 * noise(x * 1.6, y * 2.2))[..., None]
    inner = np.minimum(
        np.minimum(y / high % 1, 1 - y / high % 1) * high,
        np.minimum((x / wide + 0.5 * (row % 2)) % 1, 1 - (x / wide + 0.5 * (row % 2)) % 1) * wide,
    )
    mortar = np.array([0.50, 0.47, 0.42]) * (0.75 + 0.4 * noise(x * 2.5, y * 2.5))[..., None]
    picture = _mix(mortar, bricks, (inner - 0.045) / 0.03)
    return picture * (0.85 + 0.3 * noise(x * 0.1, y * 0.1))[..., None] * _lamp_light(x, y, random)


def curtain(random: np.random.Generator, view: View) -> Array:
    """Hanging cloth in uneven folds, plain or striped."""
    x, y = view.wall(WALL)
    noise = _Noise(random)
    bend = x + 0.5 * noise(x * 0.10, y * 0.03) + 0.05 * y * (noise(x * 0.3, 0 * y) - 0.5)
    phase = bend * 2 * np.pi / random.uniform(1.0, 1.7) + 2.5 * noise(bend * 0.12, 0 * y)
    fold = 0.62 + 0.34 * np.sin(phase) + 0.12 * np.sin(2 * phase + 1) + 0.06 * (noise(bend * 1.3, y * 0.05) - 0.5)
    first, second = random.uniform(0.05, 0.75, 3), random.uniform(0.05, 0.75, 3)
    striped = np.sin(phase / 2 + 0.4) > 0 if random.random() < 0.5 else np.zeros_like(x, bool)
    cloth = np.where(striped[..., None], second, first) * (0.94 + 0.12 * noise(x * 6, y * 0.4))[..., None]
    return cloth * np.clip(fold, 0.12, 1.1)[..., None] * (1.05 - 0.015 * np.abs(y))[..., None]


def _sky(random: np.random.Generator, view: View, noise: _Noise) -> Array:
    side, up = view.sky()
    mood = random.uniform(0.75, 1.05)
    low, high = np.array([0.72, 0.80, 0.88]) * mood, np.array([0.20, 0.42, 0.80]) * mood
    sky = _mix(_plain(low), _plain(high), (up + 0.01) * 3.2)
    drift = random.uniform(0, 16)
    cloud = noise(side * 1.6 + drift, up * 5 + drift) * 0.7 + 0.3 * noise(side * 6 + drift, up * 15)
    cover = np.clip((cloud - random.uniform(0.42, 0.62)) * 4, 0, 0.9) * np.clip(up * 14, 0, 1)
    return _mix(sky, _plain(np.array([0.86, 0.87, 0.89]) * mood), cover)


def _shaded(picture: Array, view: View) -> Array:
    """The ground with the soft shade under and around what stands on it."""
    x, z, _ = view.floor()
    for foot in view.footprints:
        cosine, sine = np.cos(foot.turn), np.sin(foot.turn)
        along = abs((x - foot.centre[0]) * cosine - (z - foot.centre[1]) * sine) - foot.half[0]
        across = abs((x - foot.centre[0]) * sine + (z - foot.centre[1]) * cosine) - foot.half[1]
        away = np.hypot(np.maximum(along, 0), np.maximum(across, 0)) / float(foot.half.min())
        picture = picture * (1 - 0.72 * np.exp(-((away / 0.35) ** 1.2)))[..., None]
    return picture


def _tree(
    picture: Array, view: View, noise: _Noise, place: tuple[float, float, float], tone: Array, seed: float
) -> Array:
    """A tree with its foot at the horizon: (sideways tangent, height of the crown's middle, radius)."""
    side, up = view.sky()
    near = (abs(side - place[0]) < 1.7 * place[2]) & (up > -0.02) & (up < place[1] + 1.7 * place[2])
    if not near.any():
        return picture
    rows, columns = (np.flatnonzero(near.any(axis)) for axis in (1, 0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x, y = (side[part] - place[0]) / place[2], (up[part] - place[1]) / place[2]
    leaves = noise(x * 1.3 + seed, y * 1.3) * 0.6 + 0.4 * noise(x * 4.5 + seed, y * 4.5)
    edge = 1.0 - np.hypot(x, y * 1.12) + (leaves - 0.5) * 1.25
    light = 0.45 + 0.55 * np.clip(0.5 + 0.55 * y - 0.3 * x, 0, 1)
    spots = np.clip((noise(x * 3.2 + seed, y * 3.2 + 4) - 0.30) * 2.2, 0.15, 1.5)
    trunk = (abs(x + 0.06 * np.sin(y * 3)) < 0.085) & (y < 0) & (up[part] > -0.012)
    bark = np.array([0.10, 0.065, 0.04]) * (0.6 + 0.8 * leaves)[..., None]
    picture = picture.copy()
    picture[part] = _mix(np.where(trunk[..., None], bark, picture[part]), tone * (light * spots)[..., None], edge * 9)
    return picture


def park(random: np.random.Generator, view: View) -> Array:
    """Sky, trees near and far, and a lawn with a path."""
    noise = _Noise(random)
    side, up = view.sky()
    picture = _sky(random, view, noise)
    far = 0.045 + 0.045 * noise(side * 5, 0 * up) + 0.012 * noise(side * 40, 0 * up)
    haze = np.array([0.16, 0.26, 0.17]) * (0.6 + 0.8 * noise(side * 30, up * 30))[..., None]
    picture = _mix(picture, haze, (far - up) * 150)
    for k in range(int(random.integers(6, 10))):
        radius = random.uniform(0.05, 0.13)
        tone = np.array([0.075, 0.21, 0.035]) * random.uniform(0.7, 1.5) * random.uniform(0.85, 1.2, 3)
        picture = _tree(
            picture,
            view,
            noise,
            (random.uniform(-0.45, 0.45), random.uniform(0.05, 0.10) + radius * 0.3, radius),
            tone,
            3.7 * k,
        )
    x, z, ground = view.floor()
    patches = noise(x * 0.012, z * 0.006) * 0.7 + 0.5 * noise(x * 0.25, z * 0.08)
    blades = noise(x * 1.5, z * 0.25)
    grass = np.array([0.115, 0.255, 0.045]) * (0.5 + 0.6 * patches + 0.35 * (blades - 0.5))[..., None]
    middle = random.uniform(-50, 50) + 0.12 * z + 25 * np.sin(z / 170)
    grass = _mix(grass, np.array([0.48, 0.41, 0.31]) * (0.8 + 0.4 * blades)[..., None], (14 - abs(x - middle)) / 3)
    return np.where(ground[..., None], _shaded(grass, view), picture)


def beach(random: np.random.Generator, view: View) -> Array:
    """Sky with clouds, a sea with waves and foam, and rippled sand."""
    noise = _Noise(random)
    picture = _sky(random, view, noise)
    x, z, ground = view.floor()
    distance = view.camera.origin[2] - z
    shore = random.uniform(150, 260) + random.uniform(-0.25, 0.25) * x + 14 * noise(x * 0.02, 0 * x)
    if view.footprints:
        shore = shore + 2.2 * max(float(view.camera.origin[2] - foot.centre[1]) for foot in view.footprints)
    beyond = np.clip((distance - shore) / shore, 0, 12)
    water = _mix(_plain((0.16, 0.46, 0.50)), _plain((0.025, 0.17, 0.36)), beyond / 2.2)
    swell = noise(x * 0.012 + 0.3 * np.log1p(distance), 2.4 * np.log1p(distance) * 4) * 0.7 + 0.3 * noise(
        x * 0.06, np.log1p(distance) * 22
    )
    water = water * (0.72 + 0.55 * swell)[..., None]
    foam = np.clip((noise(x * 0.03, np.log1p(distance) * 9) - 0.70) * 6, 0, 1) * np.exp(-beyond * 1.4)
    water = _mix(water, _plain((0.88, 0.90, 0.90)), foam)
    ripple = noise(x * 0.05 + z * 0.02, z * 0.10) * 0.6 + 0.4 * noise(x * 0.8, z * 0.35)
    sand = np.array([0.76, 0.62, 0.43]) * (0.78 + 0.40 * ripple)[..., None]
    sand = _mix(sand, sand * np.array([0.60, 0.58, 0.60]), 1.2 - (shore - distance) / 40)
    edge = distance - shore
    surf = _mix(_shaded(sand, view), water, edge / 4)
    surf = _mix(surf, _plain((0.92, 0.93, 0.92)), 1.2 - abs(edge - 2 - 8 * noise(x * 0.05, 0 * x)) / 5)
    return np.where(ground[..., None], surf, picture)


def _front(random: np.random.Generator, along: Array, height: Array, noise: _Noise, seed: int) -> tuple[Array, Array]:
    """A row of house fronts: colours (SIZE, SIZE, 3) by place along the street and height, and where there is wall."""
    lots = np.random.default_rng(seed).uniform(0, 1, (64, 6))
    lot = np.floor(along / 95).astype(int) % 64
    tone = lots[lot]
    wall = (0.16 + 0.36 * tone[..., :1]) * (0.82 + 0.36 * tone[..., 1:4])
    wall = wall * (0.85 + 0.3 * noise(along * 0.02, height * 0.02))[..., None]
    step_x, step_y = 19.0, 30.0
    u, v = along % step_x / step_x, height % step_y / step_y
    window = (abs(u - 0.5) < 0.27) & (abs(v - 0.52) < 0.29) & (height > 38)
    frame = (abs(u - 0.5) < 0.33) & (abs(v - 0.52) < 0.35) & (height > 38)
    lit = noise(np.floor(along / step_x) * 0.77, np.floor(height / step_y) * 0.61) > 0.62
    pane = np.where(
        lit[..., None], np.array([0.85, 0.66, 0.34]), np.array([0.07, 0.10, 0.14]) * (0.7 + 1.2 * v)[..., None]
    )
    wall = np.where(frame[..., None], wall * 1.5 + 0.05, wall)
    wall = np.where(window[..., None], pane, wall)
    shop = (height < 30) & (height > 3) & (abs(along % 32 - 16) < 13)
    wall = np.where(
        shop[..., None], np.array([0.30, 0.26, 0.18]) * (0.4 + noise(along * 0.1, height * 0.1))[..., None], wall
    )
    awning = (height >= 28) & (height < 36)
    wall = np.where(awning[..., None], lots[lot][..., 3:6] * 0.6 + 0.03, wall)
    roof = 120 + 150 * tone[..., 4]
    wall = np.where((height > roof - 7)[..., None], wall * 0.55, wall)
    return wall, height < roof


def city_street(random: np.random.Generator, view: View) -> Array:
    """A street between rows of house fronts with shops, pavements and lane marks."""
    noise = _Noise(random)
    picture = _sky(random, view, noise)
    rays = view.rays
    swing = np.radians(random.uniform(-13, 13))
    right = rays[..., 0] * np.cos(swing) + rays[..., 2] * np.sin(swing)
    ahead = -rays[..., 2] * np.cos(swing) + rays[..., 0] * np.sin(swing)
    shift, half = random.uniform(-25, 25), random.uniform(80, 120) + (90 if view.footprints else 0)
    seed = int(random.integers(2**31))
    for sign in (-1, 1):
        reach = np.where(sign * right > 1e-4, (half - sign * shift) / np.maximum(sign * right, 1e-4), 1e5)
        along, height = reach * ahead, view.camera.origin[1] + reach * rays[..., 1] - view.ground
        wall, there = _front(random, along, height, noise, seed + sign)
        side = 1.0 if sign > 0 else 0.72
        wall = _mix(wall * side, _plain((0.60, 0.66, 0.72)), (along - 500) / 6000)
        picture = np.where((there & (height > 0) & (along > 0) & (reach < 9e4))[..., None], wall, picture)
    drop = np.minimum(rays[..., 1], -1e-5)
    reach = (view.ground - view.camera.origin[1]) / drop
    across, along = shift + reach * right, reach * ahead
    asphalt = (
        np.array([0.115, 0.115, 0.12])
        * (0.7 + 0.35 * noise(across * 0.03, along * 0.006) + 0.35 * noise(across * 0.9, along * 0.3))[..., None]
    )
    lane = (abs(across) < 1.0) & (along % 60 < 32)
    asphalt = np.where(lane[..., None], np.array([0.62, 0.62, 0.58]), asphalt)
    slab = (0.85 + 0.3 * noise(np.floor(across / 6) * 0.7, np.floor(along / 6) * 0.9))[..., None]
    pavement = (
        np.array([0.33, 0.32, 0.30]) * slab * np.where((across % 6 < 0.4) | (along % 6 < 0.4), 0.75, 1.0)[..., None]
    )
    kerb = half - 38
    road = np.where((abs(across) > kerb)[..., None], pavement, asphalt)
    road = np.where(((abs(across) > kerb - 2.5) & (abs(across) <= kerb))[..., None], np.array([0.45, 0.44, 0.42]), road)
    ground = (rays[..., 1] < 0) & (abs(across) < half)
    return np.where(ground[..., None], _shaded(road, view), picture)


SURROUNDINGS: dict[str, Callable[[np.random.Generator, View], Array]] = {
    "plain wall": plain_wall,
    "brick wall": brick_wall,
    "curtain": curtain,
    "park": park,
    "beach": beach,
    "city street": city_street,
}


def paint(name: str, random: np.random.Generator, view: View) -> Array:
    """The surroundings called ``name`` as ``view`` shows them: (SIZE, SIZE, 3), linear RGB in 0..1."""
    picture = np.clip(SURROUNDINGS[name](random, view), 0.01, 0.95)
    return gaussian_filter(picture, (view.blur, view.blur, 0), mode="nearest").astype(np.float32)
