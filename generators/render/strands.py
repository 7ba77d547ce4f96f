"""Hairs as thin ribbons: where they grow on a body, and the mesh that they make."""

from dataclasses import dataclass

import numpy as np

from generators.render import makehuman
from generators.render.meshes import Mesh, vertex_normals

Array = np.ndarray


@dataclass(frozen=True)
class Roots:
    """Places on the body: triangle corners (n, 3) as vertex indices and their weights (n, 3)."""

    corners: Array
    weights: Array

    def on(self, values: Array) -> Array:
        """``values`` of the vertices (v, 3) at the roots (n, 3)."""
        return np.einsum("nk,nkd->nd", self.weights, values[self.corners])

    def kept(self, chosen: Array) -> "Roots":
        """The roots at ``chosen`` indices or flags."""
        return Roots(self.corners[chosen], self.weights[chosen])


def scattered(random: np.random.Generator, triangles: Array, count: int) -> Roots:
    """``count`` places spread evenly over body ``triangles`` (t, 3), by their area on the base mesh."""
    base = makehuman.base_mesh()[0]
    a, b, c = (base[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    # Evenly spaced draws with a jitter leave no bald patch, unlike independent ones.
    draws = (np.arange(count) + random.random(count)) / count
    chosen = np.searchsorted(np.cumsum(area) / area.sum(), draws).clip(0, len(triangles) - 1)
    u, v = random.random((2, count))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    return Roots(triangles[chosen], np.stack([1 - u - v, u, v], 1))


def body_normals(vertices: Array) -> Array:
    """Unit normals (n, 3) of the body's skin."""
    return vertex_normals(vertices, makehuman.base_mesh()[2]["body"][..., 0])


def unit(vectors: Array) -> Array:
    """Vectors of length one along the last axis."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


def ribbons(paths: Array, outward: Array, width: Array, colours: Array) -> Mesh:
    """A ribbon along each path (n, k, 3), flat against ``outward`` (n, k, 3).

    ``width`` (n, k) is half the ribbon's width in decimetres, ``colours`` (n, k, 3) linear RGB.
    """
    count, stations = paths.shape[:2]
    side = unit(np.cross(np.gradient(paths, axis=1), outward)) * width[..., None]
    points = np.stack([paths - side, paths + side], 2).reshape(-1, 3)
    step = np.arange(stations - 1)[None] * 2 + np.arange(count)[:, None] * stations * 2
    a = step.ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + 2], 1), np.stack([a + 1, a + 3, a + 2], 1)])
    return Mesh(points, faces, np.clip(np.repeat(colours.reshape(-1, 3), 2, axis=0), 0.003, 0.95))
