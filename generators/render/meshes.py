"""Coloured triangle meshes as plain arrays, and the solids that things are put together from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Colour = Sequence[float] | Array


@dataclass(frozen=True)
class Mesh:
    """Vertices (n, 3) in decimetres, triangles (t, 3), linear RGB in 0..1 per vertex (n, 3)."""

    vertices: Array
    faces: Array
    colours: Array


def coloured(vertices: Array, faces: Array, colour: Colour) -> Mesh:
    """A mesh of one colour."""
    return Mesh(vertices, faces, np.tile(np.asarray(colour, float), (len(vertices), 1)))


def merge(parts: Sequence[Mesh]) -> Mesh:
    """One mesh out of several."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.colours for part in parts]),
    )


def placed(mesh: Mesh, at: Colour, turn: Array | None = None, scale: float = 1.0) -> Mesh:
    """The mesh scaled, turned by a (3, 3) rotation and moved to ``at``."""
    vertices = mesh.vertices * scale
    if turn is not None:
        vertices = vertices @ turn.T
    return Mesh(vertices + np.asarray(at, float), mesh.faces, mesh.colours)


def vertex_normals(vertices: Array, faces: Array) -> Array:
    """Area-weighted unit normals (n, 3)."""
    corner = vertices[faces]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(face[:, k], 3), minlength=len(vertices)) for k in range(3)], axis=1
    )
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)


def grid_faces(rows: int, columns: int, wrap: bool = False) -> Array:
    """Triangles over a rows x columns grid of vertices; ``wrap`` joins the last column to the first."""
    i, k = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    a, b = (i * columns + k).ravel(), (i * columns + (k + 1) % columns).ravel()
    return np.concatenate([np.stack([a, b, a + columns], 1), np.stack([b, b + columns, a + columns], 1)])


def box(centre: Colour, half: Colour, colour: Colour) -> Mesh:
    """An axis-aligned box; its corners are doubled per side so that it is shaded flat."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    vertices = np.concatenate([corners[list(side)] for side in sides]) * np.asarray(half, float)
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * k for k in range(6)])
    return coloured(vertices + np.asarray(centre, float), faces, colour)


def revolved(profile: Array, colour: Colour, segments: int = 20) -> Mesh:
    """A solid of revolution about y from a profile (k, 2) of (radius, height)."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    radius, height = profile[:, :1], profile[:, 1:]
    vertices = np.stack([radius * np.sin(angle), height + 0 * angle, radius * np.cos(angle)], -1).reshape(-1, 3)
    return coloured(vertices, grid_faces(len(profile), segments, wrap=True), colour)


def ellipsoid(centre: Colour, half: Colour, colour: Colour) -> Mesh:
    """An ellipsoid with half axes ``half``."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 11)
    ball = revolved(np.stack([np.cos(angle), np.sin(angle)], 1), colour, 16)
    return Mesh(ball.vertices * np.asarray(half, float) + np.asarray(centre, float), ball.faces, ball.colours)


def rod(start: Colour, end: Colour, radius: float, colour: Colour, end_radius: float | None = None) -> Mesh:
    """A closed cylinder, or cone, between two points."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(b - a))
    tip = radius if end_radius is None else end_radius
    profile = np.array([[0, 0], [radius, 0], [radius, 0], [tip, length], [tip, length], [0, length]], float)
    axis = (b - a) / length
    side = np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.9 else [0, 1.0, 0])
    side /= np.linalg.norm(side)
    turn = np.stack([np.cross(axis, side), axis, side], 1)
    return placed(revolved(profile, colour, 14), a, turn)


def ring(centre: Colour, radius: float, thickness: float, colour: Colour, squash: float = 1.0) -> Mesh:
    """A torus in the x-y plane, squashed in y."""
    around, tube = np.meshgrid(
        np.linspace(0, 2 * np.pi, 28, endpoint=False), np.linspace(0, 2 * np.pi, 8, endpoint=False), indexing="ij"
    )
    reach = radius + thickness * np.cos(tube)
    vertices = np.stack([reach * np.cos(around), squash * reach * np.sin(around), thickness * np.sin(tube)], -1)
    closed = np.concatenate([vertices, vertices[:1]]).reshape(-1, 3)
    return coloured(closed + np.asarray(centre, float), grid_faces(29, 8, wrap=True), colour)


def roof(centre: Colour, half: Colour, colour: Colour) -> Mesh:
    """A gabled roof: a triangular prism whose ridge runs along x."""
    x, y, z = (float(v) for v in half)
    left = [[-x, -y, -z], [-x, -y, z], [-x, y, 0]]
    right = [[x, -y, -z], [x, -y, z], [x, y, 0]]
    quads = ([left[1], right[1], right[2], left[2]], [right[0], left[0], left[2], right[2]])
    vertices = np.array([*left, *right, *quads[0], *quads[1]], float)
    faces = np.array([[0, 1, 2], [3, 5, 4], [6, 7, 8], [6, 8, 9], [10, 11, 12], [10, 12, 13]])
    return coloured(vertices + np.asarray(centre, float), faces, colour)


def cut(faces: Array, field: Array) -> tuple[Any, Array]:
    """The part of a mesh where ``field`` (n,) is positive, with a clean edge through the triangles.

    Returns sparse weights (m, n) that make the part's vertices out of the mesh's, and the part's triangles (t, 3).
    """
    from scipy.sparse import csr_matrix

    inside = field[faces] > 0
    count = inside.sum(1)
    whole = faces[count == 3]
    # A cut triangle is turned so that the corner that stands alone comes first.
    one = _turned(faces[count == 1], inside[count == 1], True)
    two = _turned(faces[count == 2], inside[count == 2], False)
    edges = np.sort(np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]]), 1)
    pairs, index = np.unique(edges, axis=0, return_inverse=True)
    crossing = len(field) + index.reshape(-1)
    a, b, c, d = np.split(crossing, np.cumsum([len(one), len(one), len(two)]))
    corners = [whole, np.stack([one[:, 0], a, b], 1), np.stack([c, two[:, 1], two[:, 2]], 1)]
    corners.append(np.stack([c, two[:, 2], d], 1))
    used, triangles = np.unique(np.concatenate(corners), return_inverse=True)
    low, high = field[pairs[:, 0]], field[pairs[:, 1]]
    share = low / (low - high + 1e-12)
    size = len(field) + len(pairs)
    rows = np.concatenate([np.arange(len(field)), np.repeat(np.arange(len(field), size), 2)])
    columns = np.concatenate([np.arange(len(field)), pairs.ravel()])
    values = np.concatenate([np.ones(len(field)), np.stack([1 - share, share], 1).ravel()])
    return csr_matrix((values, (rows, columns)), shape=(size, len(field)))[used], triangles.reshape(-1, 3)


def _turned(faces: Array, inside: Array, lone: bool) -> Array:
    first = np.argmax(inside == lone, axis=1) if len(faces) else np.zeros(0, int)
    return np.take_along_axis(faces, (first[:, None] + np.arange(3)) % 3, axis=1)


def subdivided(faces: Array, count: int) -> tuple[Any, Array]:
    """Each triangle in four: sparse weights (m, count) of the new vertices, and the new triangles."""
    from scipy.sparse import csr_matrix, identity, vstack

    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    pairs, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = np.split(count + index.reshape(-1), 3)
    rows = np.repeat(np.arange(len(pairs)), 2)
    middle = csr_matrix((np.full(2 * len(pairs), 0.5), (rows, pairs.ravel())), shape=(len(pairs), count))
    a, b, c = faces.T
    corners = [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return vstack([identity(count), middle]).tocsr(), np.concatenate(corners)
