"""Pets, about one unit tall, looking towards +z."""

import numpy as np

from generators.render.meshes import Colour, Mesh, merge, rod
from generators.render.solids import ball, lofted, painted, shaggy, tube, turned, weathered
from generators.render.things.thing import DARK, WHITE, WOOD

Array = np.ndarray


def _fur(mesh: Mesh, seed: int = 1, depth: float = 0.018) -> Mesh:
    return shaggy(weathered(mesh, 0.22, 14, seed), depth, 0.22, seed)


def _eyes(
    x: float, y: float, z: float, size: float, iris: Colour, pupil: tuple[float, float] = (0.6, 0.6)
) -> list[Mesh]:
    parts = []
    for s in (-1, 1):
        parts += [
            ball((s * x, y, z), (size, size * 1.05, size * 0.7), iris, rows=12),
            ball((s * x, y, z + size * 0.45), (size * pupil[0], size * pupil[1], size * 0.42), DARK, rows=10),
            ball(
                (s * x + size * 0.25, y + size * 0.35, z + size * 0.75),
                (size * 0.2, size * 0.2, size * 0.12),
                (1, 1, 1),
                rows=6,
            ),
        ]
    return parts


def dog() -> Mesh:
    """A sitting brown dog with a pale muzzle and chest, hanging ears and a red collar."""
    coat, pale, dark = (0.30, 0.145, 0.055), (0.66, 0.48, 0.30), (0.11, 0.05, 0.02)
    body = lofted(
        [(0, 0.02, -0.18), (0, 0.16, -0.16), (0, 0.36, -0.06), (0, 0.52, 0.04), (0, 0.66, 0.08), (0, 0.74, 0.09)],
        [(0.16, 0.14), (0.27, 0.24), (0.23, 0.21), (0.19, 0.17), (0.13, 0.13), (0.12, 0.12)],
        coat,
        around=28,
        rows=30,
    )
    body = painted(body, (body.vertices[:, 2] > 0.10) & (abs(body.vertices[:, 0]) < 0.13), pale)
    head = ball((0, 0.86, 0.12), (0.185, 0.17, 0.18), coat, rows=22)
    head = painted(head, (abs(head.vertices[:, 0]) < 0.028) & (head.vertices[:, 2] > 0.12), pale)
    muzzle = lofted(
        [(0, 0.82, 0.18), (0, 0.80, 0.30), (0, 0.785, 0.38)], [(0.12, 0.10), (0.10, 0.085), (0.07, 0.06)], pale, rows=12
    )
    ears = [
        tube(
            [(s * 0.13, 0.98, 0.10), (s * 0.21, 0.95, 0.12), (s * 0.235, 0.82, 0.13), (s * 0.215, 0.70, 0.14)],
            [0.05, 0.07, 0.085, 0.04],
            dark,
            16,
            14,
        )
        for s in (-1, 1)
    ]
    front = [
        tube([(s * 0.11, 0.50, 0.12), (s * 0.11, 0.25, 0.16), (s * 0.11, 0.05, 0.17)], [0.085, 0.062, 0.055], coat)
        for s in (-1, 1)
    ]
    haunch = [ball((s * 0.22, 0.17, -0.04), (0.12, 0.17, 0.20), coat) for s in (-1, 1)]
    paws = [
        ball((s * x, 0.045, z), (0.075, 0.05, 0.105), pale) for s in (-1, 1) for x, z in ((0.11, 0.21), (0.25, 0.13))
    ]
    tail = tube([(0.05, 0.06, -0.3), (0.28, 0.07, -0.34), (0.42, 0.16, -0.20)], [0.06, 0.055, 0.02], coat)
    smooth_parts = [
        ball((0, 0.825, 0.405), (0.042, 0.032, 0.03), DARK, rows=12),
        tube([(0, 0.80, 0.405), (0, 0.765, 0.395)], [0.007, 0.007], DARK, 6, 6),
        tube([(-0.06, 0.765, 0.35), (0, 0.752, 0.392), (0.06, 0.765, 0.35)], [0.007, 0.009, 0.007], DARK, 12, 6),
        ball((0, 0.735, 0.375), (0.03, 0.035, 0.02), (0.75, 0.25, 0.25), rows=10),
        tube(
            [
                (0.125 * np.sin(a), 0.70 - 0.02 * np.cos(a), 0.09 + 0.135 * np.cos(a))
                for a in np.linspace(0, 2 * np.pi, 13)
            ],
            [0.022] * 13,
            (0.62, 0.02, 0.02),
            40,
            8,
        ),
        ball((0, 0.65, 0.235), (0.028, 0.03, 0.012), (0.80, 0.55, 0.12), rows=10),
        *_eyes(0.078, 0.885, 0.275, 0.030, (0.10, 0.045, 0.015)),
    ]
    return merge(
        [*[_fur(m, k) for k, m in enumerate([body, head, muzzle, *ears, *front, *haunch, *paws, tail])], *smooth_parts]
    )


def cat() -> Mesh:
    """A sitting grey tabby cat with pointed ears, whiskers and its tail around it."""
    coat, pale, stripe = (0.33, 0.32, 0.31), (0.72, 0.70, 0.67), (0.10, 0.095, 0.09)
    body = lofted(
        [(0, 0.01, -0.12), (0, 0.14, -0.10), (0, 0.34, -0.03), (0, 0.52, 0.05), (0, 0.64, 0.08), (0, 0.72, 0.09)],
        [(0.17, 0.16), (0.25, 0.24), (0.21, 0.19), (0.16, 0.15), (0.115, 0.12), (0.10, 0.10)],
        coat,
        around=30,
        rows=36,
    )
    x, y, z = body.vertices.T
    body = painted(body, (np.sin(y * 46 + 6 * z) > 0.45) & (abs(x) > 0.09), stripe)
    body = painted(body, (z > 0.10) & (abs(x) < 0.10), pale)
    head = ball((0, 0.83, 0.12), (0.20, 0.165, 0.165), coat, rows=26)
    x, y, z = head.vertices.T
    head = painted(head, (y > 0.88) & (np.sin(x * 70) > 0.35), stripe)
    head = painted(head, (y < 0.80) & (z > 0.18) & (abs(x) < 0.11), pale)
    ears, inner = [], []
    for s in (-1, 1):
        ears.append(
            lofted(
                [(s * 0.115, 0.93, 0.10), (s * 0.145, 1.02, 0.10), (s * 0.165, 1.11, 0.09)],
                [(0.085, 0.05), (0.052, 0.032), (0.006, 0.006)],
                coat,
                rows=10,
            )
        )
        inner.append(
            lofted(
                [(s * 0.118, 0.95, 0.135), (s * 0.143, 1.02, 0.125), (s * 0.160, 1.075, 0.108)],
                [(0.050, 0.018), (0.032, 0.012), (0.005, 0.005)],
                (0.70, 0.38, 0.35),
                rows=8,
            )
        )
    legs = [
        tube([(s * 0.085, 0.42, 0.12), (s * 0.085, 0.2, 0.17), (s * 0.085, 0.05, 0.18)], [0.075, 0.055, 0.05], coat)
        for s in (-1, 1)
    ]
    haunch = [ball((s * 0.19, 0.15, -0.0), (0.11, 0.15, 0.19), coat) for s in (-1, 1)]
    paws = [ball((s * 0.085, 0.04, 0.215), (0.062, 0.042, 0.08), pale) for s in (-1, 1)]
    tail = tube(
        [(0.1, 0.06, -0.26), (0.34, 0.06, -0.16), (0.38, 0.06, 0.08), (0.24, 0.055, 0.26), (0.12, 0.05, 0.30)],
        [0.055, 0.055, 0.05, 0.045, 0.02],
        coat,
        40,
        12,
    )
    tail = painted(tail, np.sin(np.arange(len(tail.vertices)) // 12 * 1.1) > 0.3, stripe)
    whiskers = [
        tube([(s * 0.05, 0.785 + 0.012 * k, 0.275), (s * 0.20, 0.79 + 0.035 * k, 0.28)], [0.0035, 0.002], WHITE, 4, 5)
        for s in (-1, 1)
        for k in (-1, 0, 1)
    ]
    muzzle = [ball((s * 0.036, 0.78, 0.262), (0.05, 0.04, 0.04), pale, rows=12) for s in (-1, 1)]
    return merge(
        [
            *[_fur(m, k, 0.014) for k, m in enumerate([body, head, *ears, *legs, *haunch, *paws, tail, *muzzle])],
            *inner,
            *whiskers,
            ball((0, 0.812, 0.298), (0.022, 0.016, 0.014), (0.62, 0.22, 0.22), rows=8),
            *_eyes(0.082, 0.855, 0.245, 0.040, (0.50, 0.55, 0.08), (0.28, 0.85)),
        ]
    )


def parrot() -> Mesh:
    """A green and red parrot with a hooked beak and blue wings, on a wooden perch."""
    green, red, blue = (0.03, 0.38, 0.05), (0.66, 0.02, 0.015), (0.015, 0.09, 0.50)
    body = lofted(
        [(0, 0.28, -0.10), (0, 0.38, -0.05), (0, 0.54, 0.0), (0, 0.70, 0.02), (0, 0.80, 0.03)],
        [(0.09, 0.08), (0.165, 0.16), (0.185, 0.185), (0.14, 0.14), (0.12, 0.12)],
        green,
        around=26,
        rows=28,
    )
    body = painted(body, (body.vertices[:, 2] > 0.06) & (body.vertices[:, 1] > 0.45), (0.72, 0.50, 0.03))
    head = ball((0, 0.90, 0.04), (0.145, 0.145, 0.15), red, rows=20)
    cheeks = [ball((s * 0.095, 0.90, 0.105), (0.045, 0.055, 0.055), (0.88, 0.86, 0.80), rows=10) for s in (-1, 1)]
    wings = []
    for s in (-1, 1):
        wing = lofted(
            [(s * 0.15, 0.72, 0.0), (s * 0.19, 0.55, -0.03), (s * 0.15, 0.34, -0.10), (s * 0.09, 0.18, -0.16)],
            [(0.04, 0.09), (0.045, 0.13), (0.035, 0.09), (0.01, 0.03)],
            green,
            rows=28,
        )
        y = wing.vertices[:, 1]
        wing = painted(wing, y < 0.56, (0.80, 0.55, 0.03))
        wings.append(painted(wing, y < 0.48, blue))
    feathers = [
        tube(
            [(0.03 * k, 0.30, -0.13), (0.04 * k, 0.05, -0.22), (0.05 * k, -0.0, -0.24)],
            [0.035, 0.03, 0.008],
            red if k % 2 else blue,
            10,
            8,
        )
        for k in (-1, 0, 1)
    ]
    beak = tube(
        [(0, 0.92, 0.16), (0, 0.93, 0.235), (0, 0.875, 0.285), (0, 0.81, 0.27)],
        [0.055, 0.055, 0.035, 0.006],
        (0.80, 0.70, 0.50),
        18,
        12,
    )
    under = tube(
        [(0, 0.85, 0.16), (0, 0.825, 0.215), (0, 0.835, 0.245)], [0.04, 0.032, 0.01], (0.05, 0.045, 0.04), 10, 10
    )
    claws = [
        tube(
            [
                (s * 0.08 + 0.025 * k, 0.285, -0.02),
                (s * 0.08 + 0.03 * k, 0.295, 0.05),
                (s * 0.08 + 0.03 * k, 0.25, 0.075),
            ],
            [0.017, 0.017, 0.008],
            (0.25, 0.22, 0.2),
            8,
            6,
        )
        for s in (-1, 1)
        for k in (-1, 0, 1)
    ]
    perch = [
        weathered(tube([(-0.42, 0.25, 0.02), (0.42, 0.25, 0.02)], [0.032, 0.032], WOOD, 20), 0.3, 20),
        weathered(tube([(0.0, 0.02, 0.0), (0.0, 0.25, 0.0)], [0.035, 0.035], WOOD, 10), 0.3, 20),
        rod((0, 0, 0), (0, 0.035, 0), 0.26, (0.16, 0.08, 0.04)),
    ]
    return merge(
        [
            *[_fur(m, k, 0.016) for k, m in enumerate([body, head, *wings])],
            *cheeks,
            *[_fur(f, 9) for f in feathers],
            beak,
            under,
            *claws,
            *perch,
            *_eyes(0.112, 0.925, 0.118, 0.026, (0.85, 0.80, 0.45)),
        ]
    )


def rabbit() -> Mesh:
    """A white rabbit with long pink-lined ears."""
    coat, pink = (0.80, 0.78, 0.74), (0.74, 0.40, 0.38)
    body = lofted(
        [(0, 0.20, -0.40), (0, 0.27, -0.28), (0, 0.32, -0.08), (0, 0.33, 0.10), (0, 0.38, 0.22)],
        [(0.10, 0.10), (0.25, 0.24), (0.28, 0.29), (0.21, 0.23), (0.12, 0.15)],
        coat,
        around=30,
        rows=30,
    )
    head = lofted(
        [(0, 0.56, 0.10), (0, 0.56, 0.20), (0, 0.53, 0.32), (0, 0.49, 0.42)],
        [(0.10, 0.11), (0.165, 0.16), (0.14, 0.13), (0.075, 0.07)],
        coat,
        around=26,
        rows=22,
    )
    ears, inner = [], []
    for s in (-1, 1):
        path = np.array(
            [(s * 0.065, 0.66, 0.14), (s * 0.10, 0.82, 0.10), (s * 0.13, 1.0, 0.07), (s * 0.14, 1.14, 0.07)]
        )
        ears.append(lofted(path, [(0.045, 0.035), (0.075, 0.04), (0.065, 0.035), (0.012, 0.01)], coat, rows=20))
        inner.append(
            lofted(
                path + [0, -0.01, 0.032], [(0.022, 0.01), (0.048, 0.013), (0.040, 0.012), (0.004, 0.004)], pink, rows=16
            )
        )
    cheeks = [ball((s * 0.055, 0.475, 0.40), (0.065, 0.055, 0.055), coat, rows=14) for s in (-1, 1)]
    feet = [ball((s * 0.12, 0.045, 0.24), (0.065, 0.048, 0.11), coat) for s in (-1, 1)]
    haunch = [ball((s * 0.20, 0.19, -0.14), (0.13, 0.19, 0.23), coat) for s in (-1, 1)]
    hind = [ball((s * 0.24, 0.045, 0.02), (0.07, 0.048, 0.18), coat) for s in (-1, 1)]
    legs = [tube([(s * 0.11, 0.32, 0.16), (s * 0.12, 0.06, 0.20)], [0.075, 0.05], coat) for s in (-1, 1)]
    tail = ball((0, 0.24, -0.46), (0.10, 0.10, 0.09), (0.9, 0.9, 0.88))
    whiskers = [
        tube(
            [(s * 0.07, 0.485 + 0.012 * k, 0.44), (s * 0.21, 0.48 + 0.03 * k, 0.42)],
            [0.003, 0.002],
            (0.35, 0.33, 0.3),
            4,
            5,
        )
        for s in (-1, 1)
        for k in (-1, 0, 1)
    ]
    return merge(
        [
            *[_fur(m, k, 0.02) for k, m in enumerate([body, head, *ears, *cheeks, *feet, *haunch, *hind, *legs, tail])],
            *inner,
            *whiskers,
            ball((0, 0.51, 0.465), (0.026, 0.018, 0.014), pink, rows=10),
            *[
                turned(
                    ball((s * 0.128, 0.585, 0.285), (0.018, 0.038, 0.036), (0.10, 0.015, 0.015), rows=12),
                    "y",
                    s * 15,
                    (s * 0.128, 0.585, 0.285),
                )
                for s in (-1, 1)
            ],
            *[ball((s * 0.143, 0.60, 0.30), (0.006, 0.009, 0.009), (1, 1, 1), rows=6) for s in (-1, 1)],
        ]
    )


def tortoise() -> Mesh:
    """A tortoise with a domed shell of bordered plates."""
    skin, horn, edge = (0.30, 0.30, 0.11), (0.44, 0.27, 0.07), (0.06, 0.035, 0.012)
    shell = ball((0, 0.22, -0.05), (0.50, 0.46, 0.56), horn, rows=60)
    x, y, z = shell.vertices.T
    centres = [(0, 0.0), *[(0.27 * np.sin(a), 0.27 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 6, endpoint=False)]]
    centres += [(0.47 * np.sin(a), 0.50 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 14, endpoint=False)]
    reach = np.sort(np.stack([np.hypot(x - a, z + 0.05 - b) for a, b in centres]), axis=0)
    border = reach[1] - reach[0]
    tone = np.clip(border / 0.16, 0, 1)[:, None]
    shell.colours[:] = np.asarray(edge) * (1 - tone) + np.asarray(horn) * tone * (
        0.75 + 0.5 * np.sin(reach[0] * 70)[:, None] ** 2
    )
    bump = 1 + 0.07 * np.clip(border / 0.12, 0, 1)
    lower = np.where(y < 0.20, 0.20 + (y - 0.20) * 0.15, y)
    shell = Mesh(np.column_stack([x * bump, lower * bump, z * bump]), shell.faces, shell.colours)
    rim = tube(
        [(0.53 * np.sin(a), 0.19, -0.05 + 0.60 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 25)],
        [0.05] * 25,
        (0.30, 0.17, 0.045),
        72,
        10,
    )
    head = lofted(
        [(0, 0.26, 0.42), (0, 0.34, 0.56), (0, 0.43, 0.68), (0, 0.46, 0.78), (0, 0.44, 0.86)],
        [(0.10, 0.10), (0.085, 0.085), (0.105, 0.095), (0.115, 0.095), (0.05, 0.045)],
        skin,
        around=22,
        rows=26,
    )
    legs = []
    for s in (-1, 1):
        for zz, out in ((0.36, 0.06), (-0.44, -0.03)):
            legs.append(
                tube(
                    [(s * 0.30, 0.22, zz * 0.8), (s * 0.42, 0.14, zz + out), (s * 0.44, 0.045, zz + out + 0.02)],
                    [0.12, 0.115, 0.11],
                    skin,
                    14,
                    14,
                )
            )
    tail = tube([(0, 0.16, -0.55), (0, 0.10, -0.70)], [0.05, 0.01], skin)
    claws = [
        ball((s * (0.38 + 0.05 * k), 0.025, zz), (0.02, 0.02, 0.03), (0.55, 0.5, 0.4), rows=6)
        for s in (-1, 1)
        for k in range(3)
        for zz in (0.52, -0.36)
    ]
    scaly = [shaggy(weathered(m, 0.35, 40, k), 0.018, 0.35, k) for k, m in enumerate([head, *legs, tail])]
    whole = merge(
        [
            weathered(shell, 0.08, 10),
            weathered(rim, 0.25, 15),
            *scaly,
            *claws,
            *_eyes(0.085, 0.49, 0.775, 0.028, (0.12, 0.08, 0.02)),
            tube([(-0.075, 0.425, 0.80), (0, 0.415, 0.865), (0.075, 0.425, 0.80)], [0.006] * 3, DARK, 10, 5),
        ]
    )
    return Mesh(turned(whole, "y", 32).vertices * 0.85, whole.faces, whole.colours)
