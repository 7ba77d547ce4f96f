"""A whole person as parts to trace: skin, eyes, teeth, clothes, hair, glasses."""

import functools

import numpy as np

from generators.render import brows, hair, head, makehuman, skin
from generators.render.body import Pose
from generators.render.clothes import Garment, dressed, random_garment
from generators.render.identity import Identity
from generators.render.tracer import GLOSSY, Material, Part, Textured

Array = np.ndarray
HAIR: Material = {"roughness": 0.50, "specular": 0.22}
SKIN: Material = {"roughness": 0.55, "specular": 0.26}


def person_parts(
    identity: Identity, pose: Pose, vertices: Array, clothes: Array, garment: Garment | None = None
) -> list[Part]:
    """Skin, eyes, teeth, top, hair and glasses around the posed ``vertices``; ``clothes`` is linear RGB.

    Without a ``garment`` one is drawn from the pose, so that it changes from photo to photo.
    """
    garment = garment or random_garment(np.random.default_rng([43, identity.seed, int(1e6 * abs(pose.yaw))]))
    parts: list[Part] = [
        (_skin_mesh(identity, vertices), SKIN),
        (head.eyes(identity, pose, vertices), GLOSSY),
        (head.teeth(vertices), GLOSSY),
        (brows.lashes(vertices), SKIN),
        (brows.brow_hairs(identity, vertices), HAIR),
        *dressed(garment, vertices, clothes),
    ]
    strands, glasses = hair.hair(identity, vertices), head.glasses(identity, pose, vertices)
    if strands is not None:
        parts.append((strands, HAIR))
    beard = brows.beard_hairs(identity, vertices)
    if beard is not None:
        parts.append((beard, HAIR))
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
    faces = faces[((base[faces[..., 0]][..., 1] > 4.6) & (abs(base[faces[..., 0]][..., 0]) < 1.3)).all(1)]
    pairs, index = np.unique(faces.reshape(-1, 2), axis=0, return_inverse=True)
    coordinates = texture[pairs[:, 1]]
    return pairs[:, 0], index.reshape(-1, 3), coordinates * [1, -1] + [0, 1]


def _skin_mesh(identity: Identity, vertices: Array) -> Textured:
    index, faces, coordinates = _skin_topology()
    return Textured(vertices[index], faces, coordinates, _painted(identity))
