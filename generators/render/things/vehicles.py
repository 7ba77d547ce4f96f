"""Vehicles, about two units long, seen from their side with the nose towards +x."""

from dataclasses import dataclass

import numpy as np

from generators.render.meshes import Colour, Mesh, grid_faces, merge, ring, rod
from generators.render.solids import ball, even_outline, painted, slab, smooth
from generators.render.things.thing import DARK, GLASS, METAL, WHITE

Array = np.ndarray
SILL = 0.13


@dataclass(frozen=True)
class _Shape:
    """Outline of a car: (x, height) of its top line from tail to nose, belt and roof height, window posts, doors."""

    top: tuple[tuple[float, float], ...]
    belt: float
    roof: float
    posts: tuple[float, ...]
    doors: tuple[float, ...]
    wheels: tuple[float, float]
    colour: Colour
    radius: float = 0.17
    half: float = 0.42
    glass_to: tuple[float, float] = (-9.0, 9.0)


def _body(shape: _Shape) -> Mesh:
    line = smooth(np.array(shape.top), 400)
    x = np.linspace(shape.top[0][0], shape.top[-1][0], 120)
    height = np.interp(x, line[:, 0], line[:, 1])
    ends = np.minimum(x - x[0], x[-1] - x) / 0.22
    half = shape.half * (0.72 + 0.28 * np.clip(ends, 0, 1) ** 0.4)
    bottom = SILL + 0.06 * np.clip(1 - ends, 0, 1)
    outline = even_outline(5.0, 64)
    y = (height + bottom)[:, None] / 2 + outline[:, 1] * (height - bottom)[:, None] / 2
    rise = np.clip((y - shape.belt) / (shape.roof - shape.belt), 0, 1)
    z = outline[:, 0] * half[:, None] * (1 - 0.20 * rise)
    wide = x[:, None] + 0 * y
    skin = np.stack([wide, y, z], -1)
    caps = [np.repeat(skin[end].mean(0)[None], len(outline), 0)[None] for end in (0, -1)]
    rows = np.concatenate([caps[0], skin, caps[1]])
    vertices = rows.reshape(-1, 3)
    mesh = Mesh(
        vertices,
        grid_faces(len(rows), len(outline), wrap=True),
        np.tile(np.asarray(shape.colour, float), (len(vertices), 1)),
    )
    corner = (abs(outline[:, 0]) > 0.80) & (outline[:, 1] > 0.74)
    corner = np.tile(corner, len(rows))
    side = abs(vertices[:, 2]) > 0.25
    mesh = painted(mesh, _glass(shape, vertices, corner, side), GLASS)
    gap = np.min([abs(vertices[:, 0] - door) for door in shape.doors], axis=0) < 0.009
    mesh = painted(
        mesh,
        gap & side & (vertices[:, 1] < shape.belt) & (vertices[:, 1] > SILL + 0.06),
        np.asarray(shape.colour) * 0.25,
    )
    return painted(mesh, vertices[:, 1] < SILL + 0.045, (0.03, 0.03, 0.03))


def _glass(shape: _Shape, vertices: Array, corner: Array, side: Array) -> Array:
    between = (vertices[:, 1] > shape.belt + 0.015) & (vertices[:, 1] < shape.roof - 0.05)
    inside = (vertices[:, 0] > shape.glass_to[0]) & (vertices[:, 0] < shape.glass_to[1])
    post = np.min([abs(vertices[:, 0] - place) for place in shape.posts], axis=0) < 0.022
    mask: Array = between & inside & ~(post & side) & ~corner
    return mask


def _wheel(x: float, side: int, shape: _Shape) -> list[Mesh]:
    radius, z = shape.radius, side * (shape.half - 0.02)

    def disc(reach: float, out: float, colour: Colour) -> Mesh:
        return rod((x, radius, z - side * 0.1), (x, radius, z + side * out), reach, colour)

    spokes = [
        rod(
            (x, radius, z + side * 0.055),
            (x + 0.62 * radius * np.cos(a), radius + 0.62 * radius * np.sin(a), z + side * 0.05),
            0.018,
            METAL,
        )
        for a in np.linspace(0, 2 * np.pi, 5, endpoint=False) + 0.3
    ]
    return [
        disc(radius * 1.22, 0.026, (0.012, 0.012, 0.012)),
        disc(radius * 0.70, 0.045, (0.10, 0.10, 0.11)),
        ring((x, radius, z + side * 0.005), radius * 0.83, radius * 0.20, DARK),
        ring((x, radius, z + side * 0.045), radius * 0.64, radius * 0.06, METAL),
        *spokes,
        ball((x, radius, z + side * 0.06), (0.03, 0.03, 0.015), METAL, rows=8),
    ]


def _trim(shape: _Shape) -> list[Mesh]:
    """Lamps, bumpers, number plates, mirrors, handles and grille."""
    tail, nose = shape.top[0][0], shape.top[-1][0]
    low = SILL + 0.10
    lamp = min(shape.belt - 0.10, 0.40)
    parts = [
        ball((nose - 0.02, low, 0), (0.05, 0.05, shape.half * 0.80), (0.05, 0.05, 0.05), 3.0),
        ball((tail + 0.02, low, 0), (0.05, 0.05, shape.half * 0.80), (0.05, 0.05, 0.05), 3.0),
        slab((nose + 0.015, low - 0.025, -0.10), (nose + 0.034, low + 0.025, 0.10), WHITE),
        slab((nose - 0.03, lamp - 0.05, -0.20), (nose + 0.008, lamp + 0.02, 0.20), (0.03, 0.03, 0.03)),
    ]
    for s in (-1, 1):
        parts += [
            ball((nose - 0.06, lamp, s * shape.half * 0.70), (0.07, 0.045, 0.085), (0.92, 0.92, 0.86)),
            ball((tail + 0.05, lamp + 0.02, s * shape.half * 0.74), (0.07, 0.06, 0.07), (0.60, 0.01, 0.01)),
            ball((_windscreen(shape), shape.belt + 0.05, s * (shape.half + 0.045)), (0.04, 0.03, 0.045), shape.colour),
            *[
                slab(
                    (d - 0.16, shape.belt - 0.07, s * shape.half),
                    (d - 0.07, shape.belt - 0.05, s * (shape.half + 0.016)),
                    METAL,
                )
                for d in shape.doors
            ],
        ]
    return parts


def _windscreen(shape: _Shape) -> float:
    """Where the windscreen's foot is."""
    line = np.array(shape.top)
    return float(max(x for x, y in line if y > shape.belt + 0.08))


def _car(shape: _Shape, *extras: Mesh) -> Mesh:
    wheels = [part for x in shape.wheels for s in (-1, 1) for part in _wheel(x, s, shape)]
    return merge([_body(shape), *wheels, *_trim(shape), *extras])


def hatchback() -> Mesh:
    """A small red car with a round back."""
    top = (
        (-0.88, 0.36),
        (-0.87, 0.50),
        (-0.76, 0.68),
        (-0.52, 0.80),
        (-0.12, 0.83),
        (0.14, 0.78),
        (0.42, 0.56),
        (0.62, 0.515),
        (0.84, 0.44),
        (0.90, 0.34),
        (0.91, 0.30),
    )
    shape = _Shape(
        top, 0.50, 0.83, (-0.42, 0.02, 0.24), (-0.38, 0.04, 0.36), (-0.56, 0.57), (0.58, 0.012, 0.014), 0.165
    )
    return _car(shape)


def van() -> Mesh:
    """A tall blue delivery van."""
    top = (
        (-1.05, 0.5),
        (-1.04, 0.95),
        (-0.98, 1.05),
        (-0.5, 1.08),
        (0.2, 1.07),
        (0.48, 1.02),
        (0.78, 0.66),
        (0.92, 0.58),
        (1.02, 0.46),
        (1.04, 0.32),
    )
    blue = (0.02, 0.085, 0.46)
    shape = _Shape(top, 0.62, 1.07, (0.16, 0.47), (0.12, 0.56, -0.42), (-0.66, 0.66), blue, 0.18, 0.44, (0.14, 9))
    stripes = [slab((-1.0, 0.70, s * 0.405), (0.06, 0.76, s * 0.444), WHITE) for s in (-1, 1)]
    rails = [slab((-0.9, 1.05, s * 0.30 - 0.015), (0.2, 1.085, s * 0.30 + 0.015), (0.08, 0.08, 0.08)) for s in (-1, 1)]
    return _car(shape, *stripes, *rails)


def pickup() -> Mesh:
    """A green pickup with an open bed and a few crates in it."""
    top = (
        (-1.05, 0.44),
        (-1.04, 0.58),
        (-0.90, 0.585),
        (-0.30, 0.585),
        (-0.22, 0.60),
        (-0.17, 0.86),
        (-0.05, 0.93),
        (0.22, 0.92),
        (0.50, 0.65),
        (0.62, 0.62),
        (0.92, 0.57),
        (1.02, 0.48),
        (1.04, 0.32),
    )
    green = (0.02, 0.22, 0.045)
    shape = _Shape(top, 0.60, 0.93, (-0.17, 0.16, 0.30), (-0.19, 0.18, 0.44), (-0.64, 0.66), green, 0.20, 0.44)
    bed = slab((-1.0, 0.55, -0.36), (-0.26, 0.592, 0.36), (0.03, 0.03, 0.03))
    rails = [slab((-1.02, 0.575, s * 0.41 - 0.03), (-0.24, 0.625, s * 0.41 + 0.03), green) for s in (-1, 1)]
    crates = [
        slab((x, 0.55, z), (x + 0.2, top_, z + 0.22), (0.42, 0.26, 0.11))
        for x, z, top_ in ((-0.9, -0.2, 0.74), (-0.55, 0.02, 0.70))
    ]
    gate = slab((-1.055, 0.36, -0.38), (-1.03, 0.625, 0.38), green)
    return _car(shape, bed, *rails, *crates, gate)


def taxi() -> Mesh:
    """A yellow saloon with a roof sign and a chequered line."""
    top = (
        (-1.0, 0.36),
        (-0.99, 0.50),
        (-0.90, 0.54),
        (-0.66, 0.57),
        (-0.44, 0.76),
        (-0.25, 0.82),
        (0.06, 0.82),
        (0.24, 0.76),
        (0.48, 0.56),
        (0.64, 0.53),
        (0.92, 0.46),
        (1.0, 0.38),
        (1.01, 0.30),
    )
    yellow = (0.82, 0.50, 0.01)
    shape = _Shape(top, 0.52, 0.82, (-0.30, 0.04, 0.26), (-0.34, 0.06, 0.40), (-0.62, 0.64), yellow, 0.165)
    checks = [
        slab(
            (-0.44 + 0.07 * k, 0.385 + 0.035 * ((k + r) % 2), s * 0.40),
            (-0.37 + 0.07 * k, 0.42 + 0.035 * ((k + r) % 2), s * 0.428),
            DARK if r else WHITE,
        )
        for k in range(13)
        for r in (0, 1)
        for s in (-1, 1)
    ]
    sign = [
        slab((-0.20, 0.81, -0.09), (0.02, 0.925, 0.09), (0.92, 0.88, 0.70)),
        slab((-0.21, 0.80, -0.10), (0.03, 0.83, 0.10), DARK),
        *[
            slab((-0.18 + 0.05 * k, 0.85, s * 0.091 - 0.002), (-0.145 + 0.05 * k, 0.90, s * 0.091 + 0.002), DARK)
            for k in range(4)
            for s in (-1, 1)
        ],
    ]
    return _car(shape, *checks, *sign)


def limousine() -> Mesh:
    """A long black limousine with chrome lines."""
    black = (0.008, 0.008, 0.010)
    top = (
        (-1.36, 0.34),
        (-1.35, 0.46),
        (-1.26, 0.50),
        (-1.0, 0.52),
        (-0.80, 0.68),
        (-0.62, 0.73),
        (0.3, 0.73),
        (0.5, 0.70),
        (0.72, 0.52),
        (0.90, 0.49),
        (1.25, 0.44),
        (1.36, 0.36),
        (1.37, 0.29),
    )
    shape = _Shape(
        top,
        0.49,
        0.73,
        (-0.70, -0.36, -0.02, 0.30, 0.52),
        (-0.66, -0.36, -0.02, 0.30, 0.62),
        (-0.95, 0.97),
        black,
        0.155,
        0.40,
    )
    chrome = [
        slab((-1.3, y, s * 0.396), (1.28, y + t, s * 0.412), METAL)
        for s in (-1, 1)
        for y, t in ((0.475, 0.013), (0.20, 0.018))
    ]
    grille = [slab((1.34, 0.27 + 0.02 * k, -0.13), (1.385, 0.28 + 0.02 * k, 0.13), METAL) for k in range(5)]
    flags = [rod((1.2, 0.44, s * 0.34), (1.2, 0.58, s * 0.34), 0.007, METAL) for s in (-1, 1)]
    whole = _car(shape, *chrome, *grille, *flags)
    return Mesh(whole.vertices * 0.86, whole.faces, whole.colours)
