"""What a person wears in one photo: a kind of top with a clean neckline, folds and a pattern, in one main colour."""

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from generators.render import makehuman, meshes, strands
from generators.render.meshes import Mesh
from generators.render.tracer import CLOTH, GLOSSY, Part, Textured

Array = np.ndarray
LOWEST = 3.0
KINDS = ("round neck", "V-neck", "shirt", "hoodie", "jacket")
PATTERNS = ("plain", "plain", "plain", "stripes", "checks")
TEXTURE = 160


@dataclass(frozen=True)
class Garment:
    """A top: its kind, its pattern, and the number that its folds are drawn from."""

    kind: str
    pattern: str
    seed: int


def random_garment(random: np.random.Generator) -> Garment:
    """Draw a top for one photo."""
    return Garment(
        KINDS[int(random.integers(len(KINDS)))],
        PATTERNS[int(random.integers(len(PATTERNS)))],
        int(random.integers(2**31)),
    )


def dressed(garment: Garment, vertices: Array, colour: meshes.Colour) -> list[Part]:
    """The top around the posed ``vertices`` (n, 3), mainly in ``colour`` (linear RGB)."""
    main = np.clip(np.asarray(colour, float), 0.004, 0.9)
    random = np.random.default_rng([41, garment.seed])
    parts: list[Part] = []
    if garment.kind == "jacket":
        inner = np.full(3, 0.42 if main.mean() < 0.2 or main.mean() > 0.6 else 0.62)
        plain = Garment("round neck", "plain", garment.seed)
        parts += [_body(plain, vertices, inner, random), _neckband(vertices, inner * 0.9)]
        parts += [_body(garment, vertices, main, random), _lapels(vertices, main)]
        return parts
    parts.append(_body(garment, vertices, main, random))
    if garment.kind == "round neck":
        parts.append(_neckband(vertices, main * 0.85))
    elif garment.kind == "V-neck":
        parts.append((_band("V-neck", vertices, main * 0.82, 0.13), CLOTH))
    elif garment.kind == "shirt":
        parts += [(_collar(vertices, main), CLOTH), (_placket(vertices, main * 0.9), CLOTH)]
        parts.append((_buttons(vertices, main), GLOSSY))
    else:
        parts.append((_hood(vertices, main * 0.92), CLOTH))
    return parts


def _neckline(kind: str, points: Array) -> Array:
    """Signed distance (n,) from the garment's edge at base-mesh ``points`` (n, 3): positive where cloth is."""
    x, y, z = points.T
    # Where the torso leaves an ellipsoid around the pit of the neck: one smooth closed curve.
    crew = 0.6 * (np.sqrt((x / 0.70) ** 2 + ((y - 5.97) / 0.55) ** 2 + ((z - 0.33) / 0.73) ** 2) - 1)
    if kind == "hoodie":
        return crew + 0.10
    front = np.clip((z - 0.05) / 0.3, 0, 1)
    if kind == "V-neck":
        return (1 - front) * crew + front * 0.75 * (abs(x) - 0.68 * (y - 4.92))
    if kind == "shirt":
        return (1 - front) * crew + front * 0.75 * (abs(x) - 0.9 * (y - 5.28))
    if kind == "jacket":
        return (1 - front) * (crew - 0.04) + front * 0.75 * (abs(x) - 0.10 - 0.40 * np.clip(y - 4.2, 0, 9))
    return crew


@functools.cache
def _cut(kind: str, within: float = 9.0) -> tuple[Any, Array, Array]:
    """Weights (m, n) of the base mesh's vertices in the garment's, its triangles, and its base positions (m, 3).

    ``within`` keeps only the band of that width along the edge.
    """
    base = makehuman.base_mesh()[0]
    faces = _tights_faces()
    faces = faces[(base[faces][..., 1] > LOWEST - 0.3).all(1)]
    weights, faces = meshes.subdivided(faces, len(base))
    for bound in (0.0, within):
        finer = weights @ base
        edge = np.minimum(_neckline(kind, finer), finer[:, 1] - LOWEST)
        if bound < 9:
            part, faces = meshes.cut(faces, edge if not bound else bound - edge)
            weights = (part @ weights).tocsr()
    return weights, faces, weights @ base


@functools.cache
def _tights_faces() -> Array:
    return makehuman.base_mesh()[2]["helper-tights"][..., 0]


def _body(garment: Garment, vertices: Array, colour: Array, random: np.random.Generator) -> Part:
    weights, faces, rest = _cut(garment.kind)
    normals = meshes.vertex_normals(vertices, _tights_faces())
    loose = {"hoodie": 0.15, "jacket": 0.17}.get(garment.kind, 0.10)
    along = random.normal(0, 1, (4, 3)) * [3.2, 1.6, 1.5]
    folds = np.sin(rest @ along.T + random.random(4) * 6).mean(1) * np.clip((5.7 - rest[:, 1]) / 0.8, 0, 1)
    points = weights @ vertices + strands.unit(weights @ normals) * (loose + 0.045 * folds)[:, None]
    coordinates = np.stack([(rest[:, 0] + 3.6) / 7.2, (rest[:, 1] - LOWEST) / 4.0], 1)
    return Textured(points, faces, coordinates, _woven(garment, colour, random)), CLOTH


def _woven(garment: Garment, colour: Array, random: np.random.Generator) -> Array:
    from scipy.ndimage import gaussian_filter

    rows, columns = np.mgrid[0:TEXTURE, 0:TEXTURE] / TEXTURE
    creases = gaussian_filter(random.standard_normal((TEXTURE, TEXTURE)), (9, 4), mode="wrap")
    shade = 1 + 0.10 * creases / creases.std() + 0.03 * random.standard_normal((TEXTURE, TEXTURE))
    dark = 0.60 if colour.mean() > 0.05 else 1.9
    if garment.pattern == "stripes":
        shade = shade * np.where((rows * random.uniform(14, 26)) % 1 < 0.22, dark, 1)
    elif garment.pattern == "checks":
        width = random.uniform(12, 20)
        lines = ((rows * width) % 1 < 0.16).astype(float) + ((columns * width * 1.8) % 1 < 0.16)
        shade = shade * (1 + (dark - 1) * 0.5 * lines)
    return np.clip(shade[..., None] * colour, 0.003, 0.92).astype(np.float32)


def _band(kind: str, vertices: Array, colour: Array, lift: float, width: float = 0.09) -> Mesh:
    weights, faces, _ = _cut(kind, width)
    normals = meshes.vertex_normals(vertices, _tights_faces())
    points = weights @ vertices + strands.unit(weights @ normals) * lift
    return meshes.coloured(points, faces, np.clip(colour, 0.003, 0.9))


def _neckband(vertices: Array, colour: Array) -> Part:
    return _band("round neck", vertices, colour, 0.135, 0.085), CLOTH


def _neck(vertices: Array, count: int) -> tuple[Array, Array]:
    """Points (count, 3) around the neckline from the front, and their outward directions."""
    weights = _ring_weights(count)
    ring = weights @ vertices
    out = ring - ring.mean(0)
    out[:, 1] *= 0.3
    return ring, strands.unit(out)


@functools.cache
def _ring_weights(count: int) -> Any:
    angle = np.arange(count) * 2 * np.pi / count
    x, z = 0.62 * np.sin(angle), 0.12 + 0.68 * np.cos(angle)
    return _anchored(np.stack([x, 5.80 - 0.42 * z, z], 1))


def _anchored(points: Array) -> Any:
    """Weights (m, n) that carry base-mesh ``points`` (m, 3) near the tights along with the posed vertices."""
    from scipy.sparse import csr_matrix
    from scipy.spatial import cKDTree

    base = makehuman.base_mesh()[0]
    used = np.unique(_tights_faces())
    distance, nearest = cKDTree(base[used]).query(points, k=6)
    share = 1 / (distance + 0.03) ** 2
    share /= share.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 6)
    return csr_matrix((share.ravel(), (rows, used[nearest].ravel())), shape=(len(points), len(base)))


def _collar(vertices: Array, colour: Array) -> Mesh:
    count = 49
    ring, out = _neck(vertices, 48)
    # It runs once around from the front and leaves a gap there.
    order = np.append(np.arange(48), 0)
    ring, out = ring[order].copy(), out[order].copy()
    angle = np.linspace(-np.pi, np.pi, count)
    front = np.exp(-(((np.pi - abs(angle)) / 0.55) ** 2))
    ring[0, 0], ring[-1, 0] = ring[0, 0] + 0.07, ring[-1, 0] - 0.07
    rows = ((-0.03, -0.04), (-0.05, 0.12), (-0.02, 0.24), (0.05, 0.25), (0.12, 0.14), (0.19, 0.0))
    lines = []
    for across, up in rows:
        height = up - (0.20 * front if up == 0.0 else 0) - 0.05 * front * (up > 0.1)
        lines.append(ring + out * (across + 0.03) + np.array([0, 1, 0]) * np.broadcast_to(height, (count,))[:, None])
    shade = np.repeat([0.8, 0.8, 0.95, 1.05, 1.05, 0.95], count)[:, None]
    return Mesh(np.concatenate(lines), meshes.grid_faces(len(rows), count), np.clip(colour * shade, 0.003, 0.92))


@functools.cache
def _front_weights(x: float) -> Any:
    height = np.linspace(5.30, 2.8, 16)
    return _anchored(np.stack([np.full(16, x), height, np.full(16, 1.15)], 1))


def _front(x: float, vertices: Array, lift: float) -> Array:
    weights = _front_weights(x)
    normals = strands.unit(weights @ meshes.vertex_normals(vertices, _tights_faces()))
    return weights @ vertices + normals * lift


def _placket(vertices: Array, colour: Array) -> Mesh:
    path = _front(0.0, vertices, 0.15)[None]
    width, tint = np.full((1, 16), 0.085), np.broadcast_to(colour, (1, 16, 3))
    return strands.ribbons(path, np.broadcast_to([0, 0, 1.0], path.shape), width, tint)


def _buttons(vertices: Array, colour: Array) -> Mesh:
    tint = np.full(3, 0.75) if colour.mean() < 0.35 else colour * 0.35
    places = _front(0.0, vertices, 0.165)[1::3]
    return meshes.merge([meshes.ellipsoid(place, (0.042, 0.042, 0.02), tint) for place in places])


def _hood(vertices: Array, colour: Array) -> Mesh:
    ring, out = _neck(vertices, 40)
    angle = np.arange(40) * 2 * np.pi / 40
    back = 0.5 - 0.5 * np.cos(angle)
    tube = np.linspace(0, 2 * np.pi, 12)
    lines = []
    for turn in tube:
        wide, high = 0.10 + 0.16 * back, 0.10 + 0.10 * back
        across, up = 0.10 + 0.10 * back + wide * np.cos(turn), 0.03 + 0.02 * back + high * np.sin(turn)
        lines.append(ring + out * across[:, None] + np.array([0, 1, 0]) * up[:, None])
    roll = Mesh(
        np.concatenate(lines),
        meshes.grid_faces(12, 40, wrap=True),
        np.tile(np.clip(colour, 0.003, 0.9), (12 * 40, 1)),
    )
    cords = []
    for side in (-0.22, 0.22):
        path = _front(side, vertices, 0.20)[1:7]
        cords += [meshes.rod(a, b, 0.022, (0.7, 0.7, 0.68)) for a, b in pairwise(path)]
    return meshes.merge([roll, *cords])


def _lapels(vertices: Array, colour: Array) -> Part:
    return _band("jacket", vertices, colour * 0.8, 0.205, 0.17), CLOTH
