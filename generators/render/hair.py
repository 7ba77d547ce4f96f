"""Scalp hair: a shell that hides the scalp, and hundreds of ribbons that are grown over it and combed."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generators.render import makehuman, meshes, strands
from generators.render.body import neutral_shape, resting_shape
from generators.render.identity import Identity
from generators.render.meshes import Mesh

Array = np.ndarray
CENTRE = np.array([0.0, 7.45, 0.35])
BUN = np.array([0.0, 8.0, -0.70])
"""Where hair is tied, on the base mesh."""
BODY_VERTICES = 13380
LAID_FLAT = {"whorl": 0.8, "side": 0.9, "back": 0.9, "out": 0.35, "down": 0.7, "bun": 1.0}


@dataclass(frozen=True)
class Style:
    """How a style grows, in decimetres: length, height above the scalp, half width of a ribbon, and its combing."""

    count: int
    stations: int
    length: float
    height: float
    width: float
    combing: str
    curl: float = 0.0
    unruly: float = 0.12
    under: float = 0.05


STYLES = {
    "cropped": Style(1000, 3, 0.14, 0.045, 0.014, "whorl", unruly=0.35, under=0.03),
    "short": Style(800, 4, 0.46, 0.14, 0.020, "whorl", unruly=0.25, under=0.06),
    "parted": Style(750, 6, 0.80, 0.17, 0.020, "side", unruly=0.14, under=0.07),
    "full": Style(750, 6, 0.95, 0.30, 0.021, "back", unruly=0.22, under=0.13),
    "curly": Style(750, 8, 0.85, 0.40, 0.024, "out", curl=0.07, unruly=0.5, under=0.20),
    "bob": Style(750, 8, 1.75, 0.20, 0.022, "down", unruly=0.10, under=0.09),
    "long": Style(750, 10, 3.2, 0.18, 0.024, "down", unruly=0.10, under=0.09),
    "bun": Style(700, 6, 1.1, 0.07, 0.020, "bun", unruly=0.05, under=0.04),
}


def hairline(points: Array, identity: Identity) -> Array:
    """Signed height (...) above the hairline of base-mesh ``points`` (..., 3): positive where hair grows."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    random = np.random.default_rng([29, identity.seed])
    front, nape = random.uniform(7.84, 7.97), random.uniform(6.55, 6.75)
    receding = max(0.0, identity.age - 0.6) * random.uniform(0, 0.6) if identity.presents_as_man else 0.0
    front = front + receding * (0.5 + 1.2 * np.exp(-(((abs(x) - 0.42) / 0.16) ** 2)))
    phase = random.random(3) * 6
    noise = np.sin(x * 23 + phase[0]) + np.sin(z * 27 + x * 11 + phase[1]) + np.sin(y * 31 - x * 17 + phase[2])
    line = np.maximum(front - 1.02 * np.clip(1.0 - z, 0, 9), nape) + 0.012 * noise
    # The ear and the skin around it stay bare.
    ear = np.sqrt((np.clip(abs(y - 7.08), 0, 9) / 0.45) ** 2 + ((z - 0.22) / 0.36) ** 2)
    bare = np.where((abs(x) > 0.5), (ear - 1) * 0.3, 9.0)
    return np.minimum(y - line, bare)


def hair(identity: Identity, vertices: Array) -> Mesh | None:
    """The hair on the head of the posed ``vertices`` (n, 3); None for a bald person."""
    if identity.hair_style == "bald":
        return None
    mesh = _grown(identity)
    return Mesh(_carried(identity, mesh.vertices, vertices), mesh.faces, mesh.colours)


def head_motion(identity: Identity, vertices: Array) -> tuple[Array, Array, Array]:
    """Rotation (3, 3) of the head since the neutral shape, and the skull's centre (3,) before and after."""
    skull = _skull()
    before, after = neutral_shape(identity)[skull], vertices[skull]
    start, end = before.mean(0), after.mean(0)
    left, _, right = np.linalg.svd((before - start).T @ (after - end))
    mirror = np.diag([1, 1, np.sign(np.linalg.det(right.T @ left.T))])
    return right.T @ mirror @ left.T, start, end


@functools.lru_cache(maxsize=16)
def _fit(identity: Identity) -> tuple[float, Array, Array]:
    """Size of the person's skull against the base mesh's, and the centre (3,) of the base's and of the person's.

    Hair is grown on the person's head brought to the size and place of the base mesh, where heights have a meaning.
    """
    base, own = makehuman.base_mesh()[0][_skull()], neutral_shape(identity)[_skull()]
    return float((own.std(0) / base.std(0)).mean()), base.mean(0), own.mean(0)


def _to_base(identity: Identity, points: Array) -> Array:
    size, base, own = _fit(identity)
    return (points - own) / size + base


@functools.cache
def _skull() -> Array:
    base = makehuman.base_mesh()[0][:BODY_VERTICES]
    return np.flatnonzero((base[:, 1] > 7.6) & (base[:, 2] < 0.9))


@functools.cache
def _scalp_triangles() -> Array:
    base = makehuman.base_mesh()[0]
    faces = makehuman.base_mesh()[2]["body"][..., 0]
    return faces[(base[faces][..., 1] > 6.4).all(1)]


def _carried(identity: Identity, points: Array, vertices: Array) -> Array:
    turn, start, end = head_motion(identity, vertices)
    size, base, own = _fit(identity)
    share = np.clip((points[:, 1:2] - 5.7) / 1.0, 0, 1)
    points = (points - base) * size + own
    moved = (points - start) @ turn.T + end
    if identity.hair_style not in ("bob", "long"):
        return moved
    chest = makehuman.group_centre(vertices, "joint-spine-1") - makehuman.group_centre(
        neutral_shape(identity), "joint-spine-1"
    )
    return share * moved + (1 - share) * (points + chest)


@functools.lru_cache(maxsize=16)
def _grown(identity: Identity) -> Mesh:
    random = np.random.default_rng([13, identity.seed])
    style = STYLES[identity.hair_style]
    vertices = _to_base(identity, neutral_shape(identity))
    parts = [_shell(identity, style, vertices, random), _ribbons(identity, style, vertices, random)]
    if style.combing == "bun":
        parts.append(_bun(identity, random))
    return meshes.merge(parts)


def _shell(identity: Identity, style: Style, vertices: Array, random: np.random.Generator) -> Mesh:
    base = makehuman.base_mesh()[0]
    above = hairline(base, identity)
    faces = _scalp_triangles()
    faces = faces[(above[faces] > -0.12).all(1)]
    # It dips under the skin at the hairline, so that its edge is a smooth curve and not the edge of triangles.
    depth = style.under * np.clip(above / 0.25, 0, 1) ** 0.7 - 0.02 * (above < 0.06)
    wave = np.sin(base @ random.uniform(8, 20, 3)) * 0.15
    used, index = np.unique(faces, return_inverse=True)
    points = vertices[used] + strands.body_normals(vertices)[used] * depth[used, None]
    tint = np.array(identity.hair_colour) * (0.60 + wave[used, None])
    return Mesh(points, index.reshape(-1, 3), tint)


def _ribbons(identity: Identity, style: Style, vertices: Array, random: np.random.Generator) -> Mesh:
    base = makehuman.base_mesh()[0]
    roots = strands.scattered(random, _scalp_triangles(), style.count * 3)
    roots = roots.kept(np.flatnonzero(hairline(roots.on(base), identity) > 0.0)[: style.count * 2])
    roots = roots.kept(random.permutation(len(roots.corners))[: style.count])
    start, normal = roots.on(vertices), strands.unit(roots.on(strands.body_normals(vertices)))
    edge = np.clip(hairline(roots.on(base), identity) / 0.25, 0.25, 1)
    paths = _combed(identity, style, start, normal, edge, random)
    along = np.linspace(0, 1, style.stations)[None]
    roll = random.normal(0, 0.5, (len(paths), 1, 3))
    outward = strands.unit(strands.unit(paths - CENTRE) + roll * 0.6)
    width = style.width * random.uniform(0.6, 1.3, (len(paths), 1)) * np.where(along < 0.75, 1, (1.06 - along) / 0.31)
    clump = 0.10 * np.sin(start @ random.uniform(5, 14, 3) + random.random() * 6)
    shade = np.exp(random.normal(0, 0.20, len(paths)) + clump)[:, None] * (0.72 + 0.38 * along)
    hue = 1 + random.normal(0, 0.05, (len(paths), 1, 3))
    return strands.ribbons(paths, outward, width, np.array(identity.hair_colour) * shade[..., None] * hue)


def _combed(
    identity: Identity,
    style: Style,
    start: Array,
    normal: Array,
    edge: Array,
    random: np.random.Generator,
) -> Array:
    reach = _reach(identity)
    count, step = len(start), style.length * random.uniform(0.75, 1.1, (len(start), 1)) / (style.stations - 1)
    wish = _wish(style, _parting(identity))
    layer = (random.random(count) ** 0.7) * style.height * np.where(style.height > 0.1, 0.35 + 0.65 * edge, edge)
    stray = strands.unit(random.standard_normal((count, 3))) * style.unruly
    current, heading, path = start, normal * 0.5, [start]
    falls, tied = style.combing == "down", style.combing == "bun"
    for station in range(1, style.stations):
        out = strands.unit(current - CENTRE)
        wanted = wish(current, start) + stray
        flatness = LAID_FLAT[style.combing] * (np.clip((current[:, 1:2] - 7.2) / 0.5, 0, 1) if falls else 1.0)
        flat = wanted - out * (wanted * out).sum(1, keepdims=True) * flatness
        heading = strands.unit(0.55 * heading + strands.unit(flat))
        pace = np.minimum(step, 0.6 * np.linalg.norm(BUN - current, axis=1, keepdims=True)) if tied else step
        current = _kept_outside(current + heading * pace, reach, layer * min(1, 2.5 * station / style.stations), style)
        path.append(current)
    paths = np.stack(path, 1)
    if style.curl:
        paths = _curled(paths, style.curl, random)
    return _off_shoulders(identity, paths) if style.combing == "down" else paths


def _parting(identity: Identity) -> float:
    random = np.random.default_rng([37, identity.seed])
    side = -1.0 if random.random() < 0.5 else 1.0
    return side * float(random.uniform(0.25, 0.42) if identity.hair_style == "parted" else random.uniform(0.0, 0.25))


def _wish(style: Style, parting: float) -> Callable[[Array, Array], Array]:
    """The direction in which a style is combed at each point, before it is laid flat on the head."""
    turned = 1.0 if parting > 0 else -1.0

    def whorl(points: Array, start: Array) -> Array:
        forward = points - [0.1 * turned, 8.3, -0.25]
        return strands.unit(forward) + [0.12 * turned, -0.10, 0.15]

    def side(points: Array, start: Array) -> Array:
        over = np.where((start[:, :1] - parting) * turned > 0, turned, -turned)
        top = np.clip((points[:, 1:2] - 7.7) / 0.5, 0, 1)
        return np.concatenate([over * (0.15 + 1.1 * top), -0.75 + 0.6 * top, -0.35 + 0 * top], 1)

    def back(points: Array, start: Array) -> Array:
        front = np.clip((points[:, 2:] - 0.0) / 0.6, 0, 1)
        return np.concatenate([0.2 * np.sign(points[:, :1]), -0.8 + 2.0 * front, -0.9 + 0 * front], 1)

    def out(points: Array, start: Array) -> Array:
        return strands.unit(points - [0, 8.0, 0.15]) + [0, -0.25, -0.25]

    def down(points: Array, start: Array) -> Array:
        over = np.where(start[:, :1] > parting, 1.0, -1.0)
        top = np.clip((points[:, 1:2] - 7.5) / 0.7, 0, 1)
        front = np.clip((points[:, 2:] - 0.7) / 0.4, 0, 1) * (1 - top)
        across = over * (0.9 * top + 0.9 * front * (abs(points[:, :1]) < 0.85))
        return np.concatenate([across, 0.3 * top - 1.0, -0.35 * top - 0.5 * front], 1)

    def bun(points: Array, start: Array) -> Array:
        return strands.unit(BUN - points) * 1.4

    return {"whorl": whorl, "side": side, "back": back, "out": out, "down": down, "bun": bun}[style.combing]


def _kept_outside(points: Array, reach: Array, layer: Array, style: Style) -> Array:
    offset = points - CENTRE
    distance = np.linalg.norm(offset, axis=1)
    direction = offset / distance[:, None]
    least = _look_up(reach, direction) + layer + 0.012
    hanging = np.clip((7.75 - points[:, 1]) / 0.5, 0, 1) * 9 if style.combing == "down" else 0.0
    held = np.clip(distance, least, least + 0.5 * layer + 0.02 + hanging)
    points = CENTRE + direction * held[:, None]
    if style.combing in ("down", "out"):
        # Long hair frames the face: it never falls over the eyes and the mouth.
        wide = 0.90 - 0.30 * np.clip((points[:, 1] - 7.55) / 0.4, 0, 1)
        near = np.clip((points[:, 2] - 0.55) / 0.25, 0, 1) * (points[:, 1] < 7.9)
        across = np.maximum(abs(points[:, 0]), wide * near)
        points[:, 0] = np.where(points[:, 0] < 0, -across, across)
    return points


@functools.lru_cache(maxsize=16)
def _reach(identity: Identity) -> Array:
    """How far the head reaches from ``CENTRE`` by direction: a (48, 96) grid over polar angle and azimuth."""
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree

    base = makehuman.base_mesh()[0][:BODY_VERTICES]
    vertices = _to_base(identity, neutral_shape(identity)[:BODY_VERTICES])
    ear = (abs(base[:, 0]) > 0.78) & (base[:, 1] < 7.5) & (abs(base[:, 2] - 0.2) < 0.45)
    offset = vertices[(base[:, 1] > 5.95) & ~ear] - CENTRE
    distance = np.linalg.norm(offset, axis=1)
    polar, around = np.meshgrid((np.arange(48) + 0.5) * np.pi / 48, (np.arange(96) + 0.5) * np.pi / 48, indexing="ij")
    grid = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    _, nearest = cKDTree(offset / distance[:, None]).query(grid.reshape(-1, 3), k=4)
    return gaussian_filter(distance[nearest].max(1).reshape(48, 96), 0.8, mode=("nearest", "wrap"))


def _look_up(reach: Array, direction: Array) -> Array:
    from scipy.ndimage import map_coordinates

    row = np.arccos(np.clip(direction[:, 1], -1, 1)) * 48 / np.pi - 0.5
    column = (np.arctan2(direction[:, 0], direction[:, 2]) % (2 * np.pi)) * 48 / np.pi - 0.5
    found: Array = map_coordinates(reach, [row.clip(0, 47), column], order=1, mode="grid-wrap")
    return found


def _curled(paths: Array, radius: float, random: np.random.Generator) -> Array:
    count, stations = paths.shape[:2]
    angle = np.linspace(0, 1, stations)[None] * random.uniform(7, 11, (count, 1)) + random.random((count, 1)) * 6.3
    tangent = strands.unit(np.gradient(paths, axis=1))
    across = strands.unit(np.cross(tangent, strands.unit(paths - CENTRE)))
    above = np.cross(across, tangent)
    grow = np.minimum(1, np.linspace(0, 3, stations))[None, :, None] * radius
    return paths + grow * (np.cos(angle)[..., None] * across + np.sin(angle)[..., None] * above)


def _off_shoulders(identity: Identity, paths: Array) -> Array:
    from scipy.spatial import cKDTree

    faces = makehuman.base_mesh()[2]["helper-tights"][..., 0]
    used = np.unique(faces)
    resting = _to_base(identity, resting_shape(identity))
    normals = meshes.vertex_normals(resting, faces)[used]
    low = paths[..., 1] < 6.1
    points = paths[low]
    _, nearest = cKDTree(resting[used]).query(points)
    above = ((points - resting[used][nearest]) * normals[nearest]).sum(1)
    # Clothes stand about 0.2 dm off the body, and the hair lies on them.
    moved = paths.copy()
    moved[low] = points + normals[nearest] * np.clip(0.27 - above, 0, 0.9)[:, None]
    return moved


def _bun(identity: Identity, random: np.random.Generator) -> Mesh:
    turns, stations = 150, 10
    axis = strands.unit(random.standard_normal((turns, 3)) * [0.35, 0.35, 0.35] + [0, 0.55, -0.75])
    side = strands.unit(np.cross(axis, random.standard_normal((turns, 3))))
    up = np.cross(axis, side)
    angle = np.linspace(0, random.uniform(2.5, 4.5, turns), stations).T
    tilt = random.uniform(-0.75, 0.95, (turns, 1, 1))
    ring = np.cos(angle)[..., None] * side[:, None] + np.sin(angle)[..., None] * up[:, None]
    ball = strands.unit(ring * np.sqrt(1 - tilt**2) + axis[:, None] * tilt)
    top = BUN + [0, 0.08, -0.12]
    paths = top + ball * [0.40, 0.36, 0.36] * random.uniform(0.94, 1.04, (turns, 1, 1))
    shade = np.exp(random.normal(0, 0.2, (turns, 1, 1))) * np.ones((turns, stations, 1))
    colour = np.array(identity.hair_colour) * shade
    core = meshes.ellipsoid(top, (0.37, 0.33, 0.33), np.array(identity.hair_colour) * 0.6)
    return meshes.merge([core, strands.ribbons(paths, ball, np.full((turns, stations), 0.035), colour)])
