"""A whole person as parts to trace: skin, eyes, teeth, clothes, hair, glasses."""

import functools

import numpy as np

from generators.render import head, makehuman, skin
from generators.render.body import Pose
from generators.render.identity import Identity
from generators.render.tracer import CLOTH, GLOSSY, SATIN, Part, Textured

Array = np.ndarray
LOWEST_VISIBLE = 3.2


def person_parts(identity: Identity, pose: Pose, vertices: Array, clothes: Array) -> list[Part]:
    """Skin, eyes, teeth, top, hair and glasses around the posed ``vertices``; ``clothes`` is linear RGB."""
    parts: list[Part] = [
        (_skin_mesh(identity, vertices), SATIN),
        (head.eyes(identity, pose, vertices), GLOSSY),
        (head.teeth(vertices), GLOSSY),
        (head.top(vertices, np.clip(clothes, 0, 0.95), LOWEST_VISIBLE), CLOTH),
    ]
    hair, glasses = head.hair(identity, pose, vertices), head.glasses(identity, pose, vertices)
    if hair is not None:
        parts.append((hair, SATIN))
    if glasses is not None:
        parts.append((glasses, GLOSSY))
    return parts


@functools.lru_cache(maxsize=8)
def _painted(identity: Identity) -> Array:
    return skin.paint(identity)


@functools.cache
def _skin_topology() -> tuple[Array, Array, Array]:
    base, texture, groups = makehuman.base_mesh()
    faces = groups["body"]
    faces = faces[(base[faces[..., 0]][..., 1] > 5.2).all(1)]
    pairs, index = np.unique(faces.reshape(-1, 2), axis=0, return_inverse=True)
    coordinates = texture[pairs[:, 1]]
    return pairs[:, 0], index.reshape(-1, 3), coordinates * [1, -1] + [0, 1]


def _skin_mesh(identity: Identity, vertices: Array) -> Textured:
    index, faces, coordinates = _skin_topology()
    return Textured(vertices[index], faces, coordinates, _painted(identity))
