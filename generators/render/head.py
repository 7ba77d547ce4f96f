"""Eyes, teeth and glasses of a person, as coloured meshes around the posed body."""

import numpy as np

from generators.render import makehuman, meshes
from generators.render.body import Pose
from generators.render.identity import GLASSES_COLOURS, Identity
from generators.render.meshes import Mesh

Array = np.ndarray
BODY_VERTICES = 13380


def eye_centre(vertices: Array, side: str) -> Array:
    """Centre (3,) of the ``l`` or ``r`` eye ball."""
    ball = vertices[np.unique(makehuman.base_mesh()[2][f"helper-{side}-eye"][..., 0])]
    return (ball.max(0) + ball.min(0)) / 2


def eyes(identity: Identity, pose: Pose, vertices: Array) -> Mesh:
    """Both eye balls with pupil, iris and veins; they look back a little from where the head is turned."""
    rows, columns = 44, 36
    polar = np.concatenate([np.linspace(0, np.radians(50), 34), np.linspace(np.radians(56), np.pi, rows - 34)])[:, None]
    around = np.linspace(0, 2 * np.pi, columns)[None]
    ball = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around], -1)
    colours = _eye_colours(identity, np.degrees(polar) + 0 * around, np.broadcast_to(around, (rows, columns)))
    ball = ball.reshape(-1, 3)
    turn = makehuman.rotation("y", pose.yaw * 0.55) @ makehuman.rotation("x", pose.pitch * 0.5)
    balls = []
    for side in "lr":
        group = vertices[np.unique(makehuman.base_mesh()[2][f"helper-{side}-eye"][..., 0])]
        radius = float(np.ptp(group, axis=0).mean()) / 2
        mesh = Mesh(ball, meshes.grid_faces(rows, columns), colours.reshape(-1, 3))
        balls.append(meshes.placed(mesh, eye_centre(vertices, side), turn, radius))
    return meshes.merge(balls)


def _eye_colours(identity: Identity, angle: Array, around: Array) -> Array:
    """Colours (..., 3) by the angle from the pupil's centre and around it."""
    pupil, edge = 11.0, 31.0
    rays = 0.85 + 0.15 * np.sin(around * 17) * np.sin(around * 7 + 1)
    depth = np.clip((angle - pupil) / (edge - pupil), 0, 1)
    # A dark ring around the iris and a light one around the pupil, as eyes have.
    shade = rays * (1.15 - 0.35 * depth) * np.where(depth > 0.80, 0.45, 1)
    iris = np.array(identity.eyes) * shade[..., None]
    white = np.array([0.62, 0.575, 0.55]) * (1 - 0.25 * np.clip((angle - 45) / 40, 0, 1))[..., None]
    colours = np.where((angle < pupil)[..., None], 0.006, np.where((angle < edge)[..., None], iris, white))
    return np.clip(colours, 0.003, 0.95)


def teeth(vertices: Array) -> Mesh:
    """Upper and lower teeth."""
    return meshes.merge([_part(vertices, f"helper-{row}-teeth", (0.85, 0.82, 0.75)) for row in ("upper", "lower")])


def glasses(identity: Identity, pose: Pose, vertices: Array) -> Mesh | None:
    """Frame with bridge and temples, or None for a person without glasses."""
    colour = GLASSES_COLOURS[identity.glasses]
    if colour is None:
        return None
    left, right = eye_centre(vertices, "l"), eye_centre(vertices, "r")
    radius, thick = identity.glasses_radius, identity.glasses_thickness
    middle, apart = (left + right) / 2, max(float(np.linalg.norm(left - right)) / 2, radius + 0.05)
    parts = [meshes.rod((-apart + radius, 0.05, 0.40), (apart - radius, 0.05, 0.40), thick, colour)]
    for sign in (-1, 1):
        outer = sign * (apart + radius)
        parts.append(meshes.ring((sign * apart, 0, 0.38), radius, thick, colour, identity.glasses_height))
        parts.append(meshes.rod((outer, 0.05, 0.36), (sign * 0.80, 0.1, -0.9), thick, colour))
    return meshes.placed(meshes.merge(parts), middle, pose.turn)


def _part(vertices: Array, group: str, colour: meshes.Colour) -> Mesh:
    points, faces, _ = _compact(vertices, makehuman.base_mesh()[2][group][..., 0])
    return meshes.coloured(points, faces, colour)


def _compact(vertices: Array, faces: Array) -> tuple[Array, Array, Array]:
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(faces.shape), used
