"""Rounder solids than those of ``meshes``, and the colour noise that makes a surface look used."""

from collections.abc import Callable, Sequence

import numpy as np

from generators.render import makehuman
from generators.render.meshes import Colour, Mesh, box, coloured, grid_faces, vertex_normals

Array = np.ndarray
Points = Array | Sequence[tuple[float, ...]]


def _frames(path: Array) -> tuple[Array, Array]:
    """Sideways and upward directions (k, 3) at every point of a path, carried along without twist."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    reference = np.array([0.0, 1.0, 0.0]) if abs(along[0, 1]) < 0.9 else np.array([0.0, 0.0, -1.0])
    side = np.cross(reference, along[0])
    sides = []
    for direction in along:
        side = side - (side @ direction) * direction
        side = side / (np.linalg.norm(side) + 1e-9)
        sides.append(side)
    return np.array(sides), np.cross(along, np.array(sides))


def even_outline(squareness: float, count: int) -> Array:
    """``count`` points (count, 2) evenly spaced along a unit superellipse."""
    dense = _superellipse(np.linspace(0, 2 * np.pi, 2001), squareness)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    place = np.linspace(0, length[-1], count, endpoint=False)
    return np.column_stack([np.interp(place, length, dense[:, k]) for k in range(2)])


def _superellipse(angle: Array, squareness: float) -> Array:
    """Points (k, 2) of a unit superellipse; squareness 2 is a circle, more is squarer."""
    power = 2 / squareness
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([np.sign(cosine) * abs(cosine) ** power, np.sign(sine) * abs(sine) ** power], -1)


def lofted(
    path: Points, half: Points, colour: Colour, squareness: float = 2.0, around: int = 20, rows: int = 0
) -> Mesh:
    """A skin over ellipses along a path.

    ``path`` (k, 3) are the centres, ``half`` (k, 2) the half axes sideways and upwards; ``rows`` > 0 smooths the
    sections with a spline to that many. Both ends are closed.
    """
    middle, reach = np.asarray(path, float), np.asarray(half, float)
    if rows:
        middle, reach = smooth(middle, rows), np.maximum(smooth(reach, rows), 1e-3)
    side, up = _frames(middle)
    outline = even_outline(squareness, around)
    skin = (
        middle[:, None]
        + side[:, None] * (outline[None, :, :1] * reach[:, None, :1])
        + up[:, None] * (outline[None, :, 1:] * reach[:, None, 1:])
    )
    tips = np.repeat(middle[[0, -1]][:, None], around, axis=1)
    rings = np.concatenate([tips[:1], skin, tips[1:]])
    return coloured(rings.reshape(-1, 3), grid_faces(len(rings), around, wrap=True), colour)


def smooth(points: Points, count: int) -> Array:
    """``count`` points (count, d) on a Catmull-Rom spline through ``points`` (k, d)."""
    points = np.asarray(points, float)
    place = np.linspace(0, len(points) - 1, count)
    index = np.minimum(place.astype(int), len(points) - 2)
    t = (place - index)[:, None]
    padded = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    a, b, c, d = (padded[index + k] for k in range(4))
    result: Array = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return result


def tube(points: Sequence[Colour], radii: Sequence[float], colour: Colour, rows: int = 16, around: int = 10) -> Mesh:
    """A round, bent tube through ``points`` with a radius at each."""
    radius = np.asarray(radii, float)[:, None]
    return lofted(np.asarray(points, float), np.hstack([radius, radius]), colour, around=around, rows=rows)


def ball(centre: Colour, half: Colour, colour: Colour, squareness: float = 2.0, rows: int = 18) -> Mesh:
    """A finely divided ellipsoid; ``squareness`` above 2 makes a rounded box of it."""
    turn = _superellipse(np.linspace(-np.pi / 2, np.pi / 2, rows), squareness)
    around = _superellipse(np.linspace(0, 2 * np.pi, 2 * rows, endpoint=False), squareness)
    vertices = np.stack(
        [turn[:, :1] * around[None, :, 0], turn[:, 1:] + 0 * around[None, :, 0], turn[:, :1] * around[None, :, 1]], -1
    )
    vertices = vertices.reshape(-1, 3) * np.asarray(half, float) + np.asarray(centre, float)
    return coloured(vertices, grid_faces(rows, 2 * rows, wrap=True), colour)


def extruded(outline: Array, front: float, back: float, colour: Colour, bevel: float = 0.0) -> Mesh:
    """A plate between two z with an outline (k, 2) that is seen whole from its middle; ``bevel`` rounds its front."""
    outline = np.asarray(outline, float)
    middle = outline.mean(0)
    inner = middle + (outline - middle) * (1 - bevel / max(float(abs(outline - middle).max()), 1e-6))
    steps = [(outline, back), (outline, front - bevel), (outline, front - bevel), (inner, front), (inner, front)]
    rings = [np.column_stack([ring, np.full(len(ring), z)]) for ring, z in steps]
    centre = np.column_stack([np.tile(middle, (len(outline), 1)), np.full(len(outline), front)])
    behind = np.column_stack([np.tile(middle, (len(outline), 1)), np.full(len(outline), back)])
    rows = np.concatenate([behind[None], rings[0][None], np.stack(rings), centre[None]])
    return coloured(rows.reshape(-1, 3), grid_faces(len(rows), len(outline), wrap=True), colour)


def panel(corner: Colour, across: Colour, up: Colour, paint: Callable[[Array, Array], Array], rows: int = 32) -> Mesh:
    """A flat rectangle painted by ``paint(u, v)`` with u, v in 0..1, which returns linear RGB (..., 3)."""
    u, v = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, rows))
    vertices = (
        np.asarray(corner, float) + u[..., None] * np.asarray(across, float) + v[..., None] * np.asarray(up, float)
    )
    colours = np.clip(paint(u, v), 0, 1).reshape(-1, 3)
    return Mesh(vertices.reshape(-1, 3), grid_faces(rows, rows), colours)


def masonry(
    corner: Colour, across: Colour, up: Colour, courses: int, per_course: int, colour: Colour, mortar: Colour
) -> list[Mesh]:
    """A wall of single bricks in running bond over a mortar bed; every brick has its own shade."""
    random = np.random.default_rng(courses * 100 + per_course)
    corner, across, up = (np.asarray(v, float) for v in (corner, across, up))
    out = np.cross(across, up)
    out = out / np.linalg.norm(out) * 0.004
    bed = panel(corner, across, up, lambda u, v: np.ones((*u.shape, 3)) * np.asarray(mortar, float), rows=2)
    bricks: list[Array] = []
    faces: list[list[int]] = []
    colours: list[Array] = []
    for row in range(courses):
        for column in range(-1, per_course):
            left = np.clip((column + 0.5 * (row % 2) + 0.05) / per_course, 0, 1)
            right = np.clip((column + 1 + 0.5 * (row % 2) - 0.05) / per_course, 0, 1)
            if right - left < 0.01:
                continue
            low, high = (row + 0.10) / courses, (row + 0.92) / courses
            start = len(bricks)
            bricks += [
                corner + out + across * x + up * y for x, y in ((left, low), (right, low), (right, high), (left, high))
            ]
            faces += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
            shade = np.asarray(colour, float) * random.uniform(0.65, 1.35) * random.uniform(0.93, 1.07, 3)
            colours += [shade] * 4
    return [bed, Mesh(np.array(bricks), np.array(faces), np.clip(np.array(colours), 0, 1))]


def weathered(mesh: Mesh, strength: float = 0.15, grain: float = 6.0, seed: int = 1) -> Mesh:
    """The mesh with smooth blotches and fine grain of brightness on its colours; ``grain`` is blotches a unit."""
    random = np.random.default_rng(seed)
    shade = np.zeros(len(mesh.vertices))
    for octave in range(3):
        waves = random.standard_normal((6, 3)) * grain * 2**octave
        phase = random.uniform(0, 2 * np.pi, 6)
        shade += np.sin(mesh.vertices @ waves.T + phase).mean(1) / 1.5**octave
    shade += 0.35 * random.standard_normal(len(shade))
    return Mesh(mesh.vertices, mesh.faces, np.clip(mesh.colours * (1 + strength * shade)[:, None], 0, 1))


def shaggy(mesh: Mesh, depth: float, strength: float = 0.25, seed: int = 1) -> Mesh:
    """The mesh with its skin roughened by at most ``depth`` and darker in the dips: fur, thatch or leaves."""
    random = np.random.default_rng(seed)
    dip = random.random(len(mesh.vertices))
    vertices = mesh.vertices + vertex_normals(mesh.vertices, mesh.faces) * (depth * (dip - 0.5))[:, None]
    return Mesh(vertices, mesh.faces, np.clip(mesh.colours * (1 + strength * (2 * dip - 1))[:, None], 0, 1))


def painted(mesh: Mesh, where: Array, colour: Colour) -> Mesh:
    """The mesh with the vertices of a mask (n,) in another colour."""
    colours = mesh.colours.copy()
    colours[where] = np.asarray(colour, float)
    return Mesh(mesh.vertices, mesh.faces, colours)


def turned(mesh: Mesh, axis: str, degrees: float, about: Colour = (0, 0, 0)) -> Mesh:
    """The mesh turned about an axis through ``about``."""
    middle = np.asarray(about, float)
    return Mesh((mesh.vertices - middle) @ makehuman.rotation(axis, degrees).T + middle, mesh.faces, mesh.colours)


def slab(low: Colour, high: Colour, colour: Colour) -> Mesh:
    """A box between two opposite corners."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return box((low + high) / 2, (high - low) / 2, colour)
