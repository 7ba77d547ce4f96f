"""Brows, lashes and beard: where their hairs grow on the face, and the hairs that stand out from it."""

import functools

import numpy as np

from generators.render import hair, makehuman, meshes, strands
from generators.render.body import neutral_shape
from generators.render.identity import Identity
from generators.render.meshes import Mesh

Array = np.ndarray
BROW_HEIGHT = (7.505, 7.56)
"""Lowest and highest brow line on the base mesh."""


def step(x: Array, low: float, high: float) -> Array:
    """A smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def cover(identity: Identity, points: Array, grained: bool = False) -> Array:
    """How densely the brows cover base-mesh ``points`` (..., 3), in 0..1; ``grained`` draws single hairs."""
    random = np.random.default_rng([23, identity.seed])
    height = random.uniform(*BROW_HEIGHT)
    low, high = (0.042, 0.072) if identity.presents_as_man else (0.026, 0.048)
    thickness, arch, slope = random.uniform(low, high), random.uniform(0.25, 0.7), random.uniform(-0.03, 0.08)
    side, y = abs(points[..., 0]), points[..., 1]
    line = height + slope * (side - 0.35) - arch * (side - 0.38) ** 2
    thin = thickness * (1 - 0.55 * step(side, 0.35, 0.62))
    band = np.exp(-((abs(y - line) / thin) ** 3)) * step(side, 0.09, 0.17) * (1 - step(side, 0.55, 0.68))
    band = band * (points[..., 2] > 0.85)
    if grained:
        hairs = np.sin((side - 0.55 * (y - line)) * 150 + 3 * np.sin(y * 40 + random.random() * 6))
        band = band * (0.80 + 0.20 * hairs)
    return band


def beard_region(identity: Identity, points: Array) -> Array:
    """Where a beard grows on base-mesh ``points`` (..., 3), in 0..1: jaw, chin, upper lip and the sides."""
    random = np.random.default_rng([53, identity.seed])
    cheek = random.uniform(6.62, 6.80)
    x, y, z = abs(points[..., 0]), points[..., 1], points[..., 2]
    wobble = 0.02 * np.sin(x * 31 + y * 17) + 0.015 * np.sin(z * 43 - y * 29)
    # The upper edge runs from the sideburn down to the corner of the mouth.
    edge = cheek + 0.75 * np.clip(x - 0.38, 0, 9) ** 1.4 + wobble
    jaw = step(edge - y, 0.0, 0.12) * step(y, 5.98, 6.22) * step(z, 0.22, 0.42)
    jaw *= 1 - (1 - step(x, 0.10, 0.20)) * step(y, 6.52, 6.58)
    lip = np.exp(-((abs(y - 6.770) / 0.055) ** 4)) * (1 - step(x, 0.24, 0.36)) * (z > 1.0)
    return np.clip(np.maximum(jaw, lip), 0, 1)


def brow_hairs(identity: Identity, vertices: Array) -> Mesh:
    """The hairs of both brows on the posed ``vertices`` (n, 3)."""
    return _stood(identity, vertices, *_brow_roots(identity))


def beard_hairs(identity: Identity, vertices: Array) -> Mesh | None:
    """The hairs of the beard on the posed ``vertices`` (n, 3), cut short in a light one; None without one."""
    if identity.beard == "no beard":
        return None
    return _stood(identity, vertices, *_beard_roots(identity))


def lashes(vertices: Array) -> Mesh:
    """The lash lines of the upper and lower lids."""
    groups = makehuman.base_mesh()[2]
    upper = np.concatenate([groups[f"helper-{side}-eyelashes-2"][..., 0] for side in "lr"])
    used, index = np.unique(upper, return_inverse=True)
    return meshes.coloured(vertices[used], index.reshape(-1, 3), (0.02, 0.015, 0.012))


def _stood(identity: Identity, vertices: Array, roots: strands.Roots, offsets: Array, width: float, seed: int) -> Mesh:
    random = np.random.default_rng([seed, identity.seed])
    turn = hair.head_motion(identity, vertices)[0]
    paths = roots.on(vertices)[:, None] + offsets @ turn.T
    outward = np.broadcast_to(strands.unit(roots.on(strands.body_normals(vertices)))[:, None], paths.shape)
    count, stations = paths.shape[:2]
    taper = np.linspace(1, 0.25, stations)[None] * width * random.uniform(0.7, 1.3, (count, 1))
    shade = np.exp(random.normal(-0.35, 0.22, (count, 1, 1))) * np.ones((1, stations, 1))
    colour = 0.8 * np.array(identity.hair_colour) + 0.1 * np.array(identity.skin)
    return strands.ribbons(paths, outward, taper, colour * shade)


@functools.cache
def _front_triangles() -> Array:
    base = makehuman.base_mesh()[0]
    faces = makehuman.base_mesh()[2]["body"][..., 0]
    corner = base[faces]
    return faces[((corner[..., 1] > 5.95) & (corner[..., 1] < 7.9) & (corner[..., 2] > 0.2)).all(1)]


@functools.lru_cache(maxsize=16)
def _brow_roots(identity: Identity) -> tuple[strands.Roots, Array, float, int]:
    random = np.random.default_rng([59, identity.seed])
    roots = strands.scattered(random, _front_triangles(), 9000)
    places = roots.on(makehuman.base_mesh()[0])
    chosen = np.flatnonzero(cover(identity, places) > random.uniform(0.25, 1.0, len(places)))[:200]
    roots, places = roots.kept(chosen), places[chosen]
    normal = strands.unit(roots.on(strands.body_normals(neutral_shape(identity))))
    side = np.sign(places[:, 0])
    rise = np.interp(abs(places[:, 0]), [0.12, 0.3, 0.6], [0.9, 0.30, -0.45]) + random.normal(0, 0.08, len(places))
    along = np.stack([side, rise, np.zeros(len(places))], 1)
    along = strands.unit(along - normal * (along * normal).sum(1, keepdims=True))
    length = random.uniform(0.05, 0.075, (len(places), 1))
    offsets = np.stack([normal * 0.002, along * length * 0.5 + normal * 0.010, along * length + normal * 0.006], 1)
    return roots, offsets, 0.005, 61


@functools.lru_cache(maxsize=16)
def _beard_roots(identity: Identity) -> tuple[strands.Roots, Array, float, int]:
    random = np.random.default_rng([67, identity.seed])
    roots = strands.scattered(random, _front_triangles(), 5000)
    places = roots.on(makehuman.base_mesh()[0])
    mouth = (abs(places[:, 0]) < 0.34) & (abs(places[:, 1] - 6.645) < 0.085) & (places[:, 2] > 1.0)
    chosen = np.flatnonzero((beard_region(identity, places) > random.uniform(0.2, 0.9, len(places))) & ~mouth)
    chosen = random.permutation(chosen)[:650]
    roots, places = roots.kept(chosen), places[chosen]
    normal = strands.unit(roots.on(strands.body_normals(neutral_shape(identity))))
    down = np.stack([0.25 * places[:, 0], np.full(len(places), -1.0), np.full(len(places), 0.2)], 1)
    down = strands.unit(down + random.normal(0, 0.30, down.shape) + 0.25 * normal)
    longest = np.random.default_rng([71, identity.seed]).uniform(0.10, 0.24)
    full = identity.beard == "full beard"
    longest = longest if full else 0.045
    length = longest * random.uniform(0.5, 1.1, (len(places), 1)) * np.where(places[:, 1:2] > 6.7, 0.6, 1)
    raised = 0.05 if full else 0.010
    offsets = np.stack([normal * 0.0, down * length * 0.5 + normal * raised, down * length + normal * 0.6 * raised], 1)
    return roots, offsets, 0.013 if full else 0.007, 73
