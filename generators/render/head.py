"""Eyes, teeth, glasses, hair and top of a person, as coloured meshes around the posed body."""

import numpy as np

from generators.render import makehuman, meshes
from generators.render.body import Pose
from generators.render.identity import GLASSES_COLOURS, Identity
from generators.render.meshes import Mesh

Array = np.ndarray
HAIRLINE = {"cropped": 6.85, "short": 6.75, "full": 6.7, "bob": 6.7, "long": 6.6, "bun": 6.8}
HAIR_DEPTH = {"cropped": 0.05, "short": 0.14, "full": 0.34, "bob": 0.22, "long": 0.24, "bun": 0.09}
CURTAIN_LENGTH = {"bob": 1.5, "long": 2.9}
BODY_VERTICES = 13380


def eye_centre(vertices: Array, side: str) -> Array:
    """Centre (3,) of the ``l`` or ``r`` eye ball."""
    ball = vertices[np.unique(makehuman.base_mesh()[2][f"helper-{side}-eye"][..., 0])]
    return (ball.max(0) + ball.min(0)) / 2


def eyes(identity: Identity, pose: Pose, vertices: Array) -> Mesh:
    """Both eye balls with pupil and iris."""
    count = 40
    polar, around = np.linspace(0, np.pi, count)[:, None], np.linspace(0, 2 * np.pi, count)[None]
    ball = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around], -1)
    ball = ball.reshape(-1, 3)
    angle = np.degrees(np.arccos(np.clip(ball[:, 2:], -1, 1)))
    iris = np.array(identity.eyes) * (0.7 + 0.5 * (angle - 9) / 15)
    colours = np.where(angle < 9, [0.01, 0.01, 0.01], np.where(angle < 24, iris, [0.82, 0.79, 0.76]))
    turn = makehuman.rotation("y", pose.yaw * 0.9) @ makehuman.rotation("x", pose.pitch * 0.9)
    balls = []
    for side in "lr":
        group = vertices[np.unique(makehuman.base_mesh()[2][f"helper-{side}-eye"][..., 0])]
        radius = float(np.ptp(group, axis=0).mean()) / 2
        mesh = Mesh(ball, meshes.grid_faces(count, count), colours)
        balls.append(meshes.placed(mesh, eye_centre(vertices, side), turn, radius))
    return meshes.merge(balls)


def teeth(vertices: Array) -> Mesh:
    """Upper and lower teeth."""
    return meshes.merge([_part(vertices, f"helper-{row}-teeth", (0.85, 0.82, 0.75)) for row in ("upper", "lower")])


def glasses(identity: Identity, pose: Pose, vertices: Array) -> Mesh | None:
    """Frame with bridge and temples, or None for a person without glasses."""
    colour = GLASSES_COLOURS[identity.glasses]
    if colour is None:
        return None
    left, right = eye_centre(vertices, "l"), eye_centre(vertices, "r")
    middle, apart = (left + right) / 2, float(np.linalg.norm(left - right)) / 2
    radius, thick = identity.glasses_radius, identity.glasses_thickness
    parts = [meshes.rod((-apart + radius, 0.05, 0.40), (apart - radius, 0.05, 0.40), thick, colour)]
    for sign in (-1, 1):
        outer = sign * (apart + radius)
        parts.append(meshes.ring((sign * apart, 0, 0.38), radius, thick, colour, identity.glasses_height))
        parts.append(meshes.rod((outer, 0.05, 0.36), (sign * 0.80, 0.1, -0.9), thick, colour))
    return meshes.placed(meshes.merge(parts), middle, pose.turn)


def hair(identity: Identity, pose: Pose, vertices: Array) -> Mesh | None:
    """Scalp hair, with a curtain for long styles; None for a bald person."""
    if identity.hair_style == "bald":
        return None
    base = makehuman.base_mesh()[0]
    faces = makehuman.base_mesh()[2]["body"][..., 0]
    scalp, inward = _scalp(base, HAIRLINE[identity.hair_style])
    inside = faces[scalp[faces].all(1)]
    normals = meshes.vertex_normals(vertices, faces)
    random = np.random.default_rng([13, identity.seed])
    waves = random.uniform(9, 18, 2)
    strand = 0.5 + 0.5 * np.sin(base[:, 0] * waves[0] + random.random() * 6) * np.sin(
        base[:, 2] * waves[1] + base[:, 1] * 9
    )
    depth = HAIR_DEPTH[identity.hair_style] * (0.75 + 0.5 * strand) * inward + 0.012
    shell = _compact(vertices + normals * depth[:, None], inside)
    tint = np.array(identity.hair_colour) * (0.8 + 0.4 * strand[shell[2]])[:, None]
    parts = [Mesh(shell[0], shell[1], tint)]
    if identity.hair_style in CURTAIN_LENGTH:
        parts.append(_curtain(identity, pose, vertices, random))
    if identity.hair_style == "bun":
        top = makehuman.group_centre(vertices, "joint-head") + pose.turn @ np.array([0, 1.25, -0.65])
        parts.append(meshes.ellipsoid(top, (0.5, 0.45, 0.45), identity.hair_colour))
    return meshes.merge(parts)


def _scalp(base: Array, lowest: float) -> tuple[Array, Array]:
    """Which vertices carry hair, and how far each is from the hairline (0 at the line, 1 well inside)."""
    line = np.maximum(7.80 - 0.85 * np.clip(0.80 - base[:, 2], 0, 9), lowest)
    scalp = (base[:, 1] > line) & (base[:, 1] > 6.5) & (np.arange(len(base)) < BODY_VERTICES)
    ear = (abs(base[:, 0]) > 0.78) & (base[:, 1] < 7.45) & (base[:, 2] > -0.15)
    return scalp & ~ear, np.sqrt(np.clip((base[:, 1] - line) / 0.30, 0, 1))


def _curtain(identity: Identity, pose: Pose, vertices: Array, random: np.random.Generator) -> Mesh:
    columns, rows, length = 40, 14, CURTAIN_LENGTH[identity.hair_style]
    angle = np.linspace(np.radians(58), np.radians(302), columns)
    rings = []
    for row in range(rows):
        down = row / (rows - 1)
        radius = 0.92 + 0.10 * np.sin(np.pi * min(down * 1.5, 1)) + 0.05 * np.sin(angle * 17 + random.random() * 0.2)
        height = np.full(columns, 7.75 - down * length)
        rings.append(np.stack([radius * np.sin(angle), height, 0.05 + 1.12 * radius * np.cos(angle) - 0.25 * down], -1))
    points = np.array(rings).reshape(-1, 3)
    follow = np.clip(1.15 - (7.75 - points[:, 1]) / 3.2, 0, 1)[:, None]
    base = makehuman.base_mesh()[0]
    skull = base[:BODY_VERTICES, 1] > 7.2
    size = np.ptp(vertices[:BODY_VERTICES, 0][skull]) / np.ptp(base[:BODY_VERTICES, 0][skull])
    local = (points - makehuman.group_centre(base, "joint-head")) * size
    moved = makehuman.group_centre(vertices, "joint-head") + follow * (local @ pose.turn.T) + (1 - follow) * local
    shade = 0.8 + 0.3 * np.sin(np.tile(angle, rows) * 17)[:, None]
    return Mesh(moved, meshes.grid_faces(rows, columns), np.array(identity.hair_colour) * shade)


def top(vertices: Array, colour: meshes.Colour, lowest: float) -> Mesh:
    """A round-necked top in one colour, down to height ``lowest`` of the base mesh."""
    base = makehuman.base_mesh()[0]
    faces = makehuman.base_mesh()[2]["helper-tights"][..., 0]
    corner = base[faces]
    neck = (np.hypot(corner[..., 0], corner[..., 2] - 0.1) < 0.62) & (corner[..., 1] > 5.6)
    kept = ((corner[..., 1] < 6.12) & (corner[..., 1] > lowest) & ~neck).all(1)
    grown = vertices + meshes.vertex_normals(vertices, faces) * 0.10
    compact = _compact(grown, faces[kept])
    return meshes.coloured(compact[0], compact[1], colour)


def _part(vertices: Array, group: str, colour: meshes.Colour) -> Mesh:
    points, faces, _ = _compact(vertices, makehuman.base_mesh()[2][group][..., 0])
    return meshes.coloured(points, faces, colour)


def _compact(vertices: Array, faces: Array) -> tuple[Array, Array, Array]:
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(faces.shape), used
