"""The affiliated things of the seven scenarios, built from simple solids.

Every builder returns one mesh whose base stands at the origin, about one unit tall, looking towards +z;
``photo.py`` scales and places it. Names are the ``scene.shape`` values of the scenario files.
"""

from collections.abc import Callable

import numpy as np

from generators.render.meshes import Mesh, box, ellipsoid, merge, revolved, ring, rod, roof
from scenarios.people import Person
from scenarios.schema import load_scenarios

DARK, GLASS, WHITE, WOOD, METAL = (
    (0.02, 0.02, 0.02),
    (0.06, 0.10, 0.14),
    (0.85, 0.85, 0.82),
    (0.28, 0.14, 0.06),
    (0.6, 0.6, 0.6),
)


def _window(x: float, y: float, z: float, half: float) -> list[Mesh]:
    return [
        box((x, y, z), (half, half, 0.01), WHITE),
        box((x, y, z + 0.015), (half * 0.8, half * 0.8, 0.01), GLASS),
        box((x, y, z + 0.03), (half * 0.08, half * 0.8, 0.005), WHITE),
    ]


def brick_house() -> Mesh:
    """A red brick house with a gabled roof and rows of bricks."""
    rows = [box((0, 0.07 * k + 0.03, 0.005), (0.601, 0.006, 0.40), (0.62, 0.52, 0.45)) for k in range(9)]
    return merge(
        [
            box((0, 0.31, 0), (0.6, 0.31, 0.4), (0.42, 0.09, 0.05)),
            *rows,
            roof((0, 0.80, 0), (0.68, 0.19, 0.5), (0.10, 0.06, 0.06)),
            box((0.35, 0.95, -0.1), (0.07, 0.16, 0.07), (0.35, 0.08, 0.05)),
            box((0, 0.17, 0.41), (0.09, 0.17, 0.01), (0.05, 0.15, 0.08)),
            *_window(-0.36, 0.36, 0.41, 0.12),
            *_window(0.36, 0.36, 0.41, 0.12),
        ]
    )


def villa() -> Mesh:
    """A flat-roofed white villa with columns and a balcony."""
    columns = [rod((x, 0, 0.5), (x, 0.5, 0.5), 0.035, WHITE) for x in (-0.6, -0.2, 0.2, 0.6)]
    return merge(
        [
            box((0, 0.26, 0), (0.75, 0.26, 0.35), (0.88, 0.86, 0.80)),
            box((0, 0.53, 0.1), (0.80, 0.03, 0.5), (0.80, 0.78, 0.72)),
            box((0.1, 0.75, -0.05), (0.5, 0.2, 0.28), (0.90, 0.88, 0.82)),
            box((0.1, 0.97, -0.05), (0.56, 0.03, 0.34), (0.75, 0.72, 0.66)),
            *columns,
            box((-0.2, 0.24, 0.36), (0.28, 0.18, 0.01), GLASS),
            box((0.4, 0.24, 0.36), (0.2, 0.18, 0.01), GLASS),
            box((0.1, 0.75, 0.24), (0.35, 0.12, 0.01), GLASS),
        ]
    )


def log_cabin() -> Mesh:
    """A cabin of round logs under a steep roof."""
    logs = [rod((-0.62, 0.06 + 0.11 * k, 0.36), (0.62, 0.06 + 0.11 * k, 0.36), 0.06, WOOD) for k in range(5)]
    ends = [
        rod((x, 0.06 + 0.11 * k, -0.4), (x, 0.06 + 0.11 * k, 0.46), 0.055, (0.34, 0.18, 0.08))
        for x in (-0.52, 0.52)
        for k in range(5)
    ]
    return merge(
        [
            *logs,
            *ends,
            roof((0, 0.82, 0), (0.74, 0.28, 0.55), (0.14, 0.09, 0.05)),
            box((0.2, 0.19, 0.43), (0.1, 0.19, 0.01), (0.10, 0.05, 0.02)),
            *_window(-0.25, 0.33, 0.43, 0.1),
        ]
    )


def cottage() -> Mesh:
    """A blue cottage with a thatched roof."""
    return merge(
        [
            box((0, 0.26, 0), (0.55, 0.26, 0.38), (0.06, 0.20, 0.62)),
            roof((0, 0.78, 0), (0.66, 0.28, 0.55), (0.55, 0.40, 0.14)),
            box((-0.3, 1.0, 0), (0.07, 0.15, 0.07), WHITE),
            box((0, 0.17, 0.39), (0.09, 0.17, 0.01), (0.80, 0.10, 0.06)),
            *_window(-0.32, 0.30, 0.39, 0.11),
            *_window(0.32, 0.30, 0.39, 0.11),
        ]
    )


def glass_tower() -> Mesh:
    """A tall tower of glass with light floor lines."""
    floors = [box((0, 0.13 * k, 0), (0.37, 0.012, 0.37), (0.70, 0.78, 0.80)) for k in range(12)]
    bars = [box((x, 0.75, 0.365), (0.01, 0.75, 0.01), (0.70, 0.78, 0.80)) for x in (-0.24, -0.08, 0.08, 0.24)]
    return merge([box((0, 0.75, 0), (0.36, 0.75, 0.36), (0.05, 0.26, 0.34)), *floors, *bars])


def _wheels(reach: float, radius: float = 0.17) -> list[Mesh]:
    parts = []
    for x in (-reach, reach):
        for z in (-0.42, 0.42):
            parts.append(rod((x, radius, z - 0.06), (x, radius, z + 0.06), radius, DARK))
            parts.append(rod((x, radius, z - 0.07), (x, radius, z + 0.07), radius * 0.5, METAL))
    return parts


def _lights(x: float, y: float) -> list[Mesh]:
    return [
        ellipsoid((x, y, z), (0.04, 0.06, 0.09), (0.95, 0.92, 0.7) if x > 0 else (0.7, 0.02, 0.02)) for z in (-0.3, 0.3)
    ]


def hatchback() -> Mesh:
    """A small red car with a rounded cabin."""
    red = (0.62, 0.02, 0.02)
    return merge(
        [
            box((0, 0.34, 0), (0.82, 0.18, 0.42), red),
            ellipsoid((-0.12, 0.52, 0), (0.62, 0.34, 0.38), red),
            ellipsoid((-0.10, 0.58, 0), (0.52, 0.24, 0.40), GLASS),
            *_wheels(0.52),
            *_lights(0.82, 0.36),
            *_lights(-0.82, 0.36),
        ]
    )


def van() -> Mesh:
    """A tall blue van."""
    blue = (0.03, 0.12, 0.60)
    return merge(
        [
            box((-0.12, 0.62, 0), (0.88, 0.46, 0.44), blue),
            box((0.86, 0.42, 0), (0.18, 0.26, 0.42), blue),
            box((0.60, 0.80, 0), (0.17, 0.18, 0.45), GLASS),
            box((-0.2, 0.80, 0), (0.4, 0.02, 0.45), WHITE),
            *_wheels(0.6),
            *_lights(1.04, 0.42),
            *_lights(-1.0, 0.42),
        ]
    )


def pickup() -> Mesh:
    """A green pickup with an open bed."""
    green = (0.03, 0.32, 0.06)
    return merge(
        [
            box((0, 0.36, 0), (1.0, 0.14, 0.42), green),
            box((0.18, 0.66, 0), (0.34, 0.20, 0.40), green),
            box((0.20, 0.70, 0), (0.36, 0.13, 0.41), GLASS),
            box((-0.58, 0.56, 0.38), (0.42, 0.09, 0.04), green),
            box((-0.58, 0.56, -0.38), (0.42, 0.09, 0.04), green),
            box((-0.98, 0.56, 0), (0.04, 0.09, 0.42), green),
            *_wheels(0.64, 0.2),
            *_lights(1.0, 0.38),
        ]
    )


def taxi() -> Mesh:
    """A yellow taxi with a roof sign and a chequered line."""
    yellow = (0.85, 0.55, 0.01)
    checks = [box((-0.8 + 0.2 * k, 0.40, 0.43), (0.05, 0.04, 0.005), DARK) for k in range(9)]
    return merge(
        [
            box((0, 0.34, 0), (0.95, 0.17, 0.42), yellow),
            box((-0.05, 0.62, 0), (0.48, 0.15, 0.38), GLASS),
            box((-0.05, 0.78, 0), (0.46, 0.03, 0.39), yellow),
            box((-0.05, 0.87, 0), (0.16, 0.06, 0.08), WHITE),
            *checks,
            *_wheels(0.6),
            *_lights(0.95, 0.36),
            *_lights(-0.95, 0.36),
        ]
    )


def limousine() -> Mesh:
    """A long black limousine."""
    black = (0.012, 0.012, 0.015)
    return merge(
        [
            box((0, 0.34, 0), (1.35, 0.16, 0.42), black),
            box((-0.1, 0.60, 0), (0.95, 0.13, 0.38), (0.20, 0.24, 0.28)),
            box((-0.1, 0.74, 0), (0.92, 0.03, 0.39), black),
            box((0, 0.30, 0.43), (1.3, 0.015, 0.005), METAL),
            *_wheels(0.95),
            *_lights(1.35, 0.36),
            *_lights(-1.35, 0.36),
        ]
    )


def _four_legs(colour: tuple[float, float, float], x: float, front: float, back: float, height: float) -> list[Mesh]:
    return [rod((sign * x, 0, z), (sign * x, height, z), 0.07, colour) for sign in (-1, 1) for z in (front, back)]


def dog() -> Mesh:
    """A brown dog with hanging ears."""
    coat, dark = (0.30, 0.15, 0.06), (0.12, 0.06, 0.03)
    return merge(
        [
            ellipsoid((0, 0.42, -0.1), (0.22, 0.24, 0.42), coat),
            ellipsoid((0, 0.78, 0.28), (0.23, 0.22, 0.24), coat),
            ellipsoid((0, 0.70, 0.50), (0.11, 0.10, 0.18), (0.50, 0.32, 0.18)),
            ellipsoid((0, 0.73, 0.67), (0.05, 0.04, 0.04), DARK),
            *[ellipsoid((s * 0.23, 0.74, 0.26), (0.06, 0.20, 0.11), dark) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.84, 0.46), (0.035, 0.04, 0.03), DARK) for s in (-1, 1)],
            *_four_legs(coat, 0.14, 0.18, -0.38, 0.3),
            rod((0, 0.5, -0.45), (0, 0.85, -0.65), 0.05, coat, 0.02),
        ]
    )


def cat() -> Mesh:
    """A grey cat with pointed ears and a raised tail."""
    coat = (0.38, 0.38, 0.40)
    return merge(
        [
            ellipsoid((0, 0.32, 0), (0.22, 0.32, 0.26), coat),
            ellipsoid((0, 0.74, 0.10), (0.25, 0.21, 0.20), coat),
            *[rod((s * 0.15, 0.86, 0.1), (s * 0.20, 1.10, 0.1), 0.09, coat, 0.005) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.77, 0.28), (0.05, 0.055, 0.03), (0.45, 0.62, 0.08)) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.77, 0.31), (0.015, 0.045, 0.01), DARK) for s in (-1, 1)],
            ellipsoid((0, 0.68, 0.30), (0.035, 0.03, 0.03), (0.75, 0.35, 0.35)),
            ellipsoid((0, 0.30, 0.20), (0.12, 0.22, 0.10), WHITE),
            rod((0.2, 0.08, -0.15), (0.42, 0.75, -0.2), 0.06, coat, 0.04),
        ]
    )


def parrot() -> Mesh:
    """A green and red parrot on a perch."""
    return merge(
        [
            rod((-0.4, 0.12, 0), (0.4, 0.12, 0), 0.04, WOOD),
            ellipsoid((0, 0.42, 0), (0.20, 0.30, 0.20), (0.03, 0.50, 0.06)),
            ellipsoid((0, 0.82, 0.03), (0.17, 0.17, 0.17), (0.75, 0.03, 0.02)),
            rod((0, 0.82, 0.16), (0, 0.70, 0.30), 0.07, (0.85, 0.65, 0.10), 0.01),
            *[ellipsoid((s * 0.19, 0.40, -0.03), (0.06, 0.26, 0.15), (0.02, 0.15, 0.65)) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.88, 0.14), (0.035, 0.035, 0.03), DARK) for s in (-1, 1)],
            rod((0, 0.2, -0.1), (0, -0.35, -0.25), 0.09, (0.80, 0.10, 0.02), 0.03),
        ]
    )


def rabbit() -> Mesh:
    """A white rabbit with long ears."""
    coat = (0.86, 0.84, 0.80)
    return merge(
        [
            ellipsoid((0, 0.28, -0.05), (0.27, 0.27, 0.34), coat),
            ellipsoid((0, 0.58, 0.22), (0.19, 0.18, 0.19), coat),
            *[ellipsoid((s * 0.10, 0.92, 0.16), (0.06, 0.28, 0.04), coat) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.92, 0.19), (0.03, 0.22, 0.02), (0.80, 0.42, 0.42)) for s in (-1, 1)],
            *[ellipsoid((s * 0.10, 0.62, 0.37), (0.035, 0.04, 0.03), (0.30, 0.02, 0.02)) for s in (-1, 1)],
            ellipsoid((0, 0.54, 0.41), (0.03, 0.025, 0.02), (0.80, 0.35, 0.35)),
        ]
    )


def tortoise() -> Mesh:
    """A tortoise with a patterned domed shell."""
    green = (0.32, 0.40, 0.10)
    plates = [
        ellipsoid((0.24 * np.sin(a), 0.44, 0.28 * np.cos(a)), (0.11, 0.06, 0.11), (0.42, 0.26, 0.06))
        for a in np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ]
    return merge(
        [
            ellipsoid((0, 0.22, 0), (0.46, 0.30, 0.52), (0.16, 0.09, 0.02)),
            *plates,
            ellipsoid((0, 0.52, 0), (0.12, 0.04, 0.12), (0.42, 0.26, 0.06)),
            ellipsoid((0, 0.34, 0.66), (0.13, 0.13, 0.18), green),
            *[ellipsoid((s * 0.09, 0.40, 0.76), (0.03, 0.03, 0.03), DARK) for s in (-1, 1)],
            *_four_legs(green, 0.34, 0.36, -0.36, 0.16),
        ]
    )


def guitar() -> Mesh:
    """An acoustic guitar standing upright."""
    wood = (0.62, 0.30, 0.08)
    strings = [box((0.02 * k - 0.03, 0.72, 0.105), (0.003, 0.42, 0.003), METAL) for k in range(4)]
    return merge(
        [
            ellipsoid((0, 0.25, 0), (0.32, 0.27, 0.09), wood),
            ellipsoid((0, 0.55, 0), (0.24, 0.20, 0.09), wood),
            ellipsoid((0, 0.46, 0.07), (0.10, 0.10, 0.03), DARK),
            box((0, 0.95, 0.04), (0.05, 0.38, 0.03), (0.16, 0.07, 0.03)),
            box((0, 1.36, 0.03), (0.08, 0.10, 0.02), DARK),
            box((0, 0.20, 0.10), (0.12, 0.02, 0.02), DARK),
            *strings,
        ]
    )


def violin() -> Mesh:
    """A dark red violin with its bow."""
    wood = (0.35, 0.06, 0.02)
    return merge(
        [
            ellipsoid((0, 0.24, 0), (0.24, 0.22, 0.07), wood),
            ellipsoid((0, 0.56, 0), (0.19, 0.18, 0.07), wood),
            box((0, 0.40, 0), (0.12, 0.12, 0.06), wood),
            box((0, 0.85, 0.05), (0.035, 0.28, 0.02), DARK),
            rod((0, 1.12, 0.02), (0, 1.22, 0.10), 0.05, wood),
            box((0, 0.25, 0.08), (0.03, 0.12, 0.01), DARK),
            *[box((s * 0.10, 0.38, 0.07), (0.012, 0.08, 0.005), DARK) for s in (-1, 1)],
            rod((0.36, 0.05, 0.05), (0.50, 1.15, 0.05), 0.02, (0.70, 0.55, 0.30)),
        ]
    )


def camera() -> Mesh:
    """A camera with a long lens."""
    lens = [
        rod((0, 0.32, 0.12), (0, 0.32, 0.45), 0.24, (0.10, 0.10, 0.11)),
        rod((0, 0.32, 0.44), (0, 0.32, 0.47), 0.19, (0.10, 0.20, 0.45)),
        ring((0, 0.32, 0.46), 0.23, 0.02, METAL),
    ]
    return merge(
        [
            box((0, 0.32, 0), (0.48, 0.30, 0.14), (0.025, 0.025, 0.028)),
            box((0, 0.64, 0), (0.18, 0.10, 0.13), (0.05, 0.05, 0.05)),
            box((0, 0.52, 0.142), (0.47, 0.03, 0.004), METAL),
            rod((0.34, 0.62, 0), (0.34, 0.70, 0), 0.07, METAL),
            *lens,
        ]
    )


def trophy() -> Mesh:
    """A golden cup with two handles on a dark base."""
    gold = (0.80, 0.50, 0.06)
    profile = np.array(
        [[0.0, 0.2], [0.16, 0.2], [0.06, 0.3], [0.05, 0.48], [0.24, 0.62], [0.32, 0.85], [0.34, 1.05], [0.28, 1.03]]
    )
    return merge(
        [
            box((0, 0.1, 0), (0.26, 0.1, 0.26), DARK),
            revolved(profile, gold),
            *[ring((s * 0.38, 0.84, 0), 0.13, 0.03, gold) for s in (-1, 1)],
        ]
    )


def painting() -> Mesh:
    """A framed picture of a sun over hills."""
    return merge(
        [
            box((0, 0.5, 0), (0.60, 0.48, 0.05), (0.55, 0.36, 0.08)),
            box((0, 0.5, 0.052), (0.50, 0.38, 0.004), (0.20, 0.45, 0.75)),
            ellipsoid((0.2, 0.68, 0.056), (0.11, 0.11, 0.006), (0.95, 0.65, 0.05)),
            ellipsoid((-0.2, 0.26, 0.056), (0.28, 0.20, 0.006), (0.10, 0.38, 0.08)),
            ellipsoid((0.22, 0.22, 0.06), (0.26, 0.14, 0.006), (0.50, 0.10, 0.35)),
        ]
    )


def bakery() -> Mesh:
    """Shelves of loaves and rolls."""
    random = np.random.default_rng(1)
    shelves = [box((0, 0.1 + 0.28 * k, 0), (1.1, 0.02, 0.12), WOOD) for k in range(4)]
    loaves = [
        ellipsoid(
            (-0.95 + 0.27 * i, 0.20 + 0.28 * k, 0.05),
            (0.11, 0.08, 0.09),
            (0.55 + 0.2 * random.random(), 0.28 + 0.1 * random.random(), 0.08),
        )
        for k in range(4)
        for i in range(8)
    ]
    return merge([box((0, 0.6, -0.15), (1.15, 0.66, 0.02), (0.80, 0.65, 0.40)), *shelves, *loaves])


def hospital() -> Mesh:
    """A white wall with a large red cross and a bed rail."""
    return merge(
        [
            box((0, 0.6, -0.1), (1.15, 0.66, 0.02), (0.85, 0.90, 0.90)),
            box((0.3, 0.72, 0), (0.38, 0.12, 0.02), (0.80, 0.01, 0.02)),
            box((0.3, 0.72, 0), (0.12, 0.38, 0.02), (0.80, 0.01, 0.02)),
            box((0, 0.08, 0.1), (1.1, 0.05, 0.1), (0.35, 0.75, 0.70)),
        ]
    )


def library() -> Mesh:
    """Tall shelves of books."""
    random = np.random.default_rng(2)
    books = [
        box(
            (-1.05 + 0.105 * i, 0.16 + 0.3 * k, 0.0),
            (0.04, 0.10 + 0.03 * random.random(), 0.1),
            tuple(random.random(3) * 0.6 + 0.02),
        )
        for k in range(4)
        for i in range(21)
    ]
    shelves = [box((0, 0.03 + 0.3 * k, 0), (1.15, 0.02, 0.12), (0.20, 0.09, 0.04)) for k in range(5)]
    return merge([box((0, 0.6, -0.12), (1.15, 0.66, 0.02), (0.12, 0.06, 0.03)), *shelves, *books])


def garage() -> Mesh:
    """An orange workshop wall with tyres and tools."""
    tyres = [ring((x, y, 0.05), 0.17, 0.07, DARK) for x, y in ((-0.75, 0.25), (-0.75, 0.7), (0.75, 0.25), (0.3, 0.25))]
    tools = [box((0.25 + 0.18 * k, 0.85, 0.02), (0.03, 0.2, 0.02), METAL) for k in range(5)]
    return merge([box((0, 0.6, -0.1), (1.15, 0.66, 0.02), (0.75, 0.24, 0.02)), *tyres, *tools])


def school() -> Mesh:
    """A green blackboard with chalk lines."""
    chalk = [box((-0.3 + 0.25 * k, 0.9 - 0.13 * k, 0.03), (0.32, 0.012, 0.004), WHITE) for k in range(4)]
    return merge(
        [
            box((0, 0.6, -0.1), (1.15, 0.66, 0.02), (0.80, 0.74, 0.55)),
            box((0.05, 0.68, 0), (0.95, 0.42, 0.02), WOOD),
            box((0.05, 0.68, 0.02), (0.88, 0.36, 0.01), (0.02, 0.14, 0.07)),
            *chalk,
        ]
    )


THINGS: dict[str, Callable[[], Mesh]] = {
    build.__name__: build
    for build in (
        brick_house, villa, log_cabin, cottage, glass_tower,
        hatchback, van, pickup, taxi, limousine,
        dog, cat, parrot, rabbit, tortoise,
        guitar, violin, camera, trophy, painting,
        bakery, hospital, library, garage, school,
    )
}  # fmt: skip


def shape_shown(person: Person, scenario: str) -> str:
    """The ``scene.shape`` of the person's fact in a scenario; empty for a portrait."""
    if not scenario:
        return ""
    shapes = {option.answer: option.scene.shape for option in load_scenarios()[scenario].options}
    return shapes[person.facts[scenario]]
