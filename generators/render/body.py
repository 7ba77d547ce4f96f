"""A person's body for one photo: shape, expression and pose."""

import functools
from dataclasses import dataclass

import numpy as np

from generators.render import makehuman
from generators.render.identity import Identity

Array = np.ndarray
OPEN_EYES, LARGE_EYES = 0.30, 0.30
"""MakeHuman's eyes at rest are half closed and small at the size of a photo."""


@dataclass(frozen=True)
class Pose:
    """Head turn in degrees and face units in 0..1."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    brows: float
    jaw: float
    squint: float

    @property
    def turn(self) -> Array:
        """Rotation (3, 3) of the head."""
        return (
            makehuman.rotation("y", self.yaw) @ makehuman.rotation("x", self.pitch) @ makehuman.rotation("z", self.roll)
        )


def random_pose(random: np.random.Generator, yaw: float) -> Pose:
    """A pose with the head turned at most ``yaw`` degrees."""
    return Pose(
        yaw=float(random.uniform(-yaw, yaw)),
        pitch=float(random.uniform(-11, 11)),
        roll=float(random.uniform(-7, 7)),
        smile=float(random.random() * 0.9),
        brows=float(random.random() * 0.4),
        jaw=float(random.random() * 0.15),
        squint=float(random.random() * 0.25),
    )


@functools.lru_cache(maxsize=16)
def neutral_shape(identity: Identity) -> Array:
    """The person's vertices (n, 3) without expression or pose."""
    vertices = makehuman.base_mesh()[0].copy()
    makehuman.add_macro_targets(vertices, identity.macro, identity.ancestry)
    for name, weight in identity.face:
        makehuman.add_face_target(vertices, name, weight)
    makehuman.add_face_target(vertices, "eyes/l-eye-scale-incr", LARGE_EYES)
    return vertices


@functools.lru_cache(maxsize=16)
def resting_shape(identity: Identity) -> Array:
    """The person's vertices (n, 3) with the arms down, looking straight ahead."""
    return posed_shape(identity, Pose(0, 0, 0, 0, 0, 0, 0))


def posed_shape(identity: Identity, pose: Pose) -> Array:
    """The person's vertices (n, 3) in this photo."""
    vertices = neutral_shape(identity).copy()
    units = {
        "mouthSmileLeft": pose.smile,
        "mouthSmileRight": pose.smile,
        "browInnerUp": pose.brows,
        "jawOpen": pose.jaw,
        "eyeSquintLeft": pose.squint,
        "eyeSquintRight": pose.squint,
        "eyeWideLeft": OPEN_EYES,
        "eyeWideRight": OPEN_EYES,
    }
    for name, weight in units.items():
        makehuman.add_target(vertices, f"{makehuman.FACE_UNITS}{name}.target", weight)
    weights = makehuman.bone_weights()
    for side, sign in (("L", 1), ("R", -1)):
        lower = makehuman.rotation("z", -42 * sign)
        vertices = _turned(vertices, f"joint-{side.lower()}-shoulder", weights[f"upperarm01.{side}"], lower)
    for joint, bone, share in (("neck", "neck01", 0.3), ("neck", "neck03", 0.3), ("head", "head", 0.4)):
        turn = (
            makehuman.rotation("y", pose.yaw * share)
            @ makehuman.rotation("x", pose.pitch * share)
            @ makehuman.rotation("z", pose.roll * share)
        )
        vertices = _turned(vertices, f"joint-{joint}", weights[bone], turn)
    return vertices


def _turned(vertices: Array, joint: str, weights: Array, turn: Array) -> Array:
    centre = makehuman.group_centre(vertices, joint)
    moved = (vertices - centre) @ turn.T + centre
    return vertices + weights[:, None] * (moved - vertices)
