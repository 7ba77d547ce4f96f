"""Places of work: furniture behind the person and a counter or desk beside, in decimetres around the person's head."""

import numpy as np

from generators.render.meshes import Colour, Mesh, box, merge, ring, rod
from generators.render.solids import ball, extruded, masonry, panel, slab, tube, weathered
from generators.render.things.thing import DARK, GOLD, METAL, WHITE, WOOD

Array = np.ndarray
LEFT, RIGHT, BACK = -2.3, 2.85, -7.0
COUNTER, COUNTER_LEFT, COUNTER_RIGHT = -1.85, 0.1, 1.75


def _case(colour: Colour, shelves: tuple[float, ...], left: float = LEFT, right: float = RIGHT) -> list[Mesh]:
    """An open shelf unit before the back wall."""
    back = slab((left, -3.6, BACK - 0.9), (right, 2.5, BACK - 0.8), np.asarray(colour) * 0.6)
    boards = [slab((left, y - 0.08, BACK - 0.9), (right, y, BACK), colour) for y in shelves]
    posts = [
        slab((x - 0.07, -3.6, BACK - 0.9), (x + 0.07, 2.5, BACK + 0.02), colour) for x in np.linspace(left, right, 3)
    ]
    return [weathered(part, 0.12, 2) for part in (back, *boards, *posts)]


def _wall(colour: Colour, z: float = BACK - 1.0) -> Mesh:
    """The wall of the room, wider than the picture."""
    return slab((-9, -9, z - 0.1), (9, 6, z), colour)


def _counter(top: Colour, front: Colour) -> list[Mesh]:
    """The end of a counter in front of the person's side."""
    body = weathered(slab((COUNTER_LEFT + 0.1, -4.0, 1.6), (COUNTER_RIGHT, COUNTER - 0.12, 2.5), front), 0.15, 2)
    return [body, weathered(slab((COUNTER_LEFT, COUNTER - 0.12, 1.5), (COUNTER_RIGHT, COUNTER, 2.65), top), 0.12, 3)]


def bakery() -> Mesh:
    """Shelves of loaves, baguettes and rolls; on the counter a basket of rolls and a cake under a dome."""
    random = np.random.default_rng(1)

    def crust() -> Array:
        return np.array([0.56, 0.27, 0.075]) * random.uniform(0.65, 1.35)

    levels = (-2.0, -0.6, 0.8)
    bread = []
    for level in levels:
        x = LEFT + 0.4
        while x < RIGHT - 0.35:
            kind = int(random.integers(3))
            if kind == 0:
                loaf = ball((x, level + 0.30, BACK - 0.35), (0.36, 0.30, 0.32), crust(), 2.6)
                cuts = [
                    tube(
                        [(x - 0.2 + 0.2 * k, level + 0.44, BACK - 0.06), (x - 0.1 + 0.2 * k, level + 0.58, BACK - 0.2)],
                        [0.035, 0.03],
                        (0.82, 0.62, 0.36),
                        4,
                        6,
                    )
                    for k in range(2)
                ]
                bread += [weathered(loaf, 0.18, 5, int(random.integers(99))), *cuts]
            elif kind == 1:
                bread += [
                    weathered(
                        ball((x + d, level + h, BACK - 0.3), (0.19, 0.15, 0.2), crust()),
                        0.2,
                        6,
                        int(random.integers(99)),
                    )
                    for d, h in ((-0.2, 0.15), (0.2, 0.15), (0.0, 0.40))
                ]
            else:
                bread += [
                    weathered(
                        tube(
                            [(x + d, level, BACK - 0.3), (x + d * 1.6, level + 1.15, BACK - 0.5)],
                            [0.11, 0.08],
                            crust(),
                            10,
                        ),
                        0.2,
                        6,
                    )
                    for d in (-0.2, 0.0, 0.2)
                ]
            x += 0.85
    basket = [ring((0, 0, 0), 0.5, 0.07, (0.40, 0.24, 0.09))]
    basket = [
        Mesh(m.vertices[:, [0, 2, 1]] * [1, 1, 0.75] + [0.62, COUNTER + 0.08 + 0.13 * k, 2.05], m.faces, m.colours)
        for k in range(3)
        for m in basket
    ]
    rolls = [
        weathered(
            ball(
                (0.62 + 0.27 * np.cos(a) * r, COUNTER + 0.38 + 0.14 * (1 - r), 2.05 + 0.2 * np.sin(a) * r),
                (0.19, 0.14, 0.17),
                crust(),
            ),
            0.2,
            8,
            int(9 * a),
        )
        for r in (0.0, 1.0)
        for a in np.linspace(0, 2 * np.pi, 7 if r else 2, endpoint=False)
    ]
    cake = [
        rod((1.38, COUNTER, 2.05), (1.38, COUNTER + 0.06, 2.05), 0.36, WHITE),
        rod((1.38, COUNTER + 0.06, 2.05), (1.38, COUNTER + 0.34, 2.05), 0.29, (0.16, 0.06, 0.03)),
        rod((1.38, COUNTER + 0.30, 2.05), (1.38, COUNTER + 0.38, 2.05), 0.30, (0.85, 0.55, 0.55)),
        *[
            ball(
                (1.38 + 0.22 * np.sin(a), COUNTER + 0.42, 2.05 + 0.22 * np.cos(a)),
                (0.06, 0.06, 0.06),
                (0.6, 0.02, 0.03),
                rows=8,
            )
            for a in np.linspace(0, 6.28, 7)
        ],
    ]
    sign = [
        slab((0.2, 2.05, BACK), (2.6, 2.70, BACK + 0.1), (0.30, 0.13, 0.05)),
        weathered(ball((1.4, 2.4, BACK + 0.1), (0.75, 0.2, 0.1), (0.75, 0.45, 0.15)), 0.2, 5),
    ]
    return merge(
        [
            _wall((0.62, 0.50, 0.34)),
            *_case((0.42, 0.24, 0.10), (*levels, 2.1)),
            *bread,
            *_counter((0.55, 0.36, 0.18), (0.70, 0.52, 0.30)),
            *basket,
            *rolls,
            *cake,
            *sign,
        ]
    )


def hospital() -> Mesh:
    """A ward: a red cross on the white wall, a bed with a blue blanket, a monitor, a drip; on the desk a clipboard."""
    teal = (0.20, 0.50, 0.48)

    def trace(u: Array, v: Array) -> Array:
        phase = (u * 3) % 1
        line = 0.45 + 0.35 * np.exp(-((phase - 0.4) ** 2) / 0.002) - 0.2 * np.exp(-((phase - 0.5) ** 2) / 0.003)
        return np.where((abs(v - line) < 0.06)[..., None], np.array([0.05, 0.95, 0.2]), np.array([0.01, 0.03, 0.04]))

    z = BACK
    cross = [
        slab((0.45, 0.95, z - 0.8), (2.15, 1.55, z - 0.68), (0.72, 0.01, 0.015)),
        slab((1.0, 0.4, z - 0.8), (1.6, 2.1, z - 0.68), (0.72, 0.01, 0.015)),
    ]
    bed = [
        slab((-0.6, -3.0, z - 0.5), (2.75, -2.3, z + 0.9), (0.75, 0.75, 0.75)),
        weathered(ball((0.9, -2.15, z + 0.2), (1.85, 0.32, 0.75), (0.12, 0.32, 0.60), 4.0), 0.15, 1.5),
        weathered(ball((2.35, -1.8, z + 0.1), (0.55, 0.34, 0.65), (0.85, 0.87, 0.88), 3.0), 0.05),
        *[tube([(2.85, -3.3, z + d), (2.85, -1.3, z + d)], [0.07, 0.07], METAL) for d in (-0.5, 0.8)],
        *[tube([(2.85, y, z - 0.5), (2.85, y, z + 0.8)], [0.06, 0.06], METAL) for y in (-1.3, -1.7)],
    ]
    drip = [
        tube([(-0.9, -3.4, z - 0.2), (-0.9, 1.9, z - 0.2)], [0.05, 0.05], METAL),
        tube([(-1.3, 1.9, z - 0.2), (-0.5, 1.9, z - 0.2)], [0.04, 0.04], METAL),
        ball((-1.25, 1.4, z - 0.2), (0.26, 0.45, 0.12), (0.65, 0.78, 0.85), 3.0),
    ]
    monitor = [
        slab((1.95, -0.75, z - 0.6), (2.95, 0.1, z - 0.3), (0.75, 0.77, 0.78)),
        panel((2.03, -0.65, z - 0.29), (0.84, 0, 0), (0, 0.65, 0), trace, 40),
        tube([(2.45, -1.9, z - 0.5), (2.45, -0.7, z - 0.5)], [0.07, 0.07], METAL),
    ]
    desk = [
        slab((0.3, COUNTER, 1.8), (0.9, COUNTER + 0.03, 2.5), (0.35, 0.20, 0.09)),
        slab((0.34, COUNTER + 0.03, 1.85), (0.6, COUNTER + 0.04, 2.42), WHITE),
        slab((0.49, COUNTER + 0.04, 1.80), (0.52, COUNTER + 0.08, 1.90), METAL),
        rod((1.22, COUNTER, 2.0), (1.22, COUNTER + 0.45, 2.0), 0.17, (0.9, 0.9, 0.9)),
        slab((1.38, COUNTER + 0.15, 2.15), (1.38, COUNTER + 0.32, 2.175), teal),
        rod((1.22, COUNTER + 0.45, 2.0), (1.22, COUNTER + 0.58, 2.0), 0.05, teal),
        tube([(1.22, COUNTER + 0.57, 2.0), (1.22, COUNTER + 0.60, 2.22)], [0.035, 0.03], teal),
        *[slab((1.50, COUNTER, 1.9), (1.70, COUNTER + 0.22, 2.3), (0.25, 0.45, 0.62))],
    ]
    wall = [
        _wall((0.74, 0.80, 0.80), z - 0.8),
        slab((-9, -1.15, z - 0.8), (9, -0.85, z - 0.72), teal),
        *[
            slab((LEFT + 0.4 + 1.9 * k, -0.83, z - 0.8), (LEFT + 0.75 + 1.9 * k, -0.5, z - 0.7), (0.88, 0.88, 0.86))
            for k in range(3)
        ],
    ]
    return merge([*wall, *cross, *bed, *drip, *monitor, *_counter((0.85, 0.87, 0.87), teal), *desk])


def library() -> Mesh:
    """Tall shelves full of books; on the desk a pile of books, an open book and a green lamp."""
    random = np.random.default_rng(2)
    levels = (-3.5, -2.2, -0.9, 0.4, 1.7)
    inks = np.array(
        [
            (0.35, 0.04, 0.03),
            (0.04, 0.10, 0.28),
            (0.05, 0.20, 0.08),
            (0.42, 0.28, 0.08),
            (0.10, 0.06, 0.04),
            (0.55, 0.50, 0.40),
            (0.22, 0.05, 0.20),
            (0.02, 0.18, 0.22),
        ]
    )
    books: list[Mesh] = []
    for level in levels[:-1]:
        x = LEFT + 0.1
        while x < RIGHT - 0.2:
            wide, high = random.uniform(0.10, 0.24), random.uniform(0.75, 1.12)
            colour = inks[int(random.integers(len(inks)))] * random.uniform(0.7, 1.4)
            books.append(
                slab((x, level, BACK - 0.8), (x + wide, level + high, BACK - 0.12 - 0.1 * random.random()), colour)
            )
            if random.random() < 0.6:
                books += [
                    slab(
                        (x + 0.01, level + high * h, BACK - 0.13),
                        (x + wide - 0.01, level + high * h + 0.05, BACK + 0.005),
                        GOLD,
                    )
                    for h in (0.15, 0.8)
                ]
            x += wide + (0.02 if random.random() < 0.93 else 0.3)
    pile = [
        slab(
            (0.98 + random.uniform(-0.05, 0.05), COUNTER + 0.15 * k, 1.75),
            (1.66 + random.uniform(-0.06, 0.06), COUNTER + 0.15 * k + 0.14, 2.3),
            inks[(3 * k) % 8] * 1.2,
        )
        for k in range(4)
    ]
    pages = [
        slab((1.0, COUNTER + 0.15 * k + 0.02, 1.78), (1.64, COUNTER + 0.15 * k + 0.12, 2.315), (0.80, 0.75, 0.62))
        for k in range(4)
    ]
    lamp = [
        rod((0.52, COUNTER, 1.95), (0.52, COUNTER + 0.05, 1.95), 0.22, GOLD),
        tube([(0.52, COUNTER, 1.95), (0.52, COUNTER + 0.75, 1.95)], [0.035, 0.03], GOLD),
        ball((0.52, COUNTER + 0.80, 2.0), (0.42, 0.14, 0.20), (0.02, 0.26, 0.09), 2.6),
    ]
    opened = [
        slab((0.25 + 0.30 * k, COUNTER, 2.25), (0.53 + 0.30 * k, COUNTER + 0.06, 2.6), (0.85, 0.82, 0.72))
        for k in range(2)
    ]
    return merge(
        [
            _wall((0.36, 0.33, 0.27)),
            *_case((0.22, 0.10, 0.04), levels),
            *books,
            *_counter((0.30, 0.14, 0.055), (0.20, 0.09, 0.035)),
            *pile,
            *pages,
            *lamp,
            *opened,
        ]
    )


def garage() -> Mesh:
    """A workshop: tyres on a rack, spanners on an orange board, a tool chest, an oil can; a vice on the bench."""
    orange, red = (0.66, 0.20, 0.02), (0.50, 0.02, 0.02)
    z = BACK - 0.2
    tyres = [
        part
        for x, y in ((-1.6, 1.6), (-0.3, 1.6), (1.0, 1.6), (2.45, -2.2), (2.45, -0.85))
        for part in (
            ring((x, y, z), 0.42, 0.20, DARK),
            ring((x, y, z + 0.12), 0.56, 0.05, (0.06, 0.06, 0.06)),
            rod((x, y, z - 0.1), (x, y, z + 0.08), 0.29, METAL),
            *[
                rod((x, y, z + 0.09), (x + 0.26 * np.cos(a), y + 0.26 * np.sin(a), z + 0.09), 0.05, (0.25, 0.25, 0.26))
                for a in np.linspace(0, 2 * np.pi, 5, endpoint=False)
            ],
        )
    ]
    spanners = []
    for k in range(6):
        x, high = -0.15 + 0.33 * k, 1.35 - 0.13 * k
        spanners += [
            tube([(x, 0.55, z), (x, 0.55 - high, z)], [0.06, 0.06], METAL, 8),
            ring((x, 0.60, z), 0.10, 0.045, METAL),
            extruded(
                np.array(
                    [
                        (x - 0.14, 0.32 - high),
                        (x - 0.05, 0.36 - high),
                        (x + 0.05, 0.36 - high),
                        (x + 0.14, 0.32 - high),
                        (x + 0.12, 0.52 - high),
                        (x - 0.12, 0.52 - high),
                    ]
                ),
                z + 0.05,
                z - 0.05,
                METAL,
            ),
        ]
    board = weathered(
        panel((-0.45, -1.1, z - 0.3), (2.25, 0, 0), (0, 2.0, 0), lambda u, v: np.ones((*u.shape, 3)) * orange, 24),
        0.2,
        2,
    )
    chest = [
        slab((-0.3, -3.4, z - 0.3), (1.7, -1.35, z + 0.6), red),
        *[
            slab((-0.22, -1.9 - 0.48 * k, z + 0.6), (1.62, -1.50 - 0.48 * k, z + 0.64), np.asarray(red) * 1.25)
            for k in range(4)
        ],
        *[slab((0.1, -1.68 - 0.48 * k, z + 0.64), (1.3, -1.62 - 0.48 * k, z + 0.70), METAL) for k in range(4)],
    ]
    rack = [
        slab((LEFT, 0.90, z - 0.5), (1.9, 1.0, z + 0.3), METAL),
        *[slab((x, -3.4, z - 0.5), (x + 0.12, 2.4, z - 0.3), METAL) for x in (LEFT, 1.78, 2.95)],
    ]
    wall = masonry((-4.2, -3.5, z - 0.7), (8.4, 0, 0), (0, 6.6, 0), 11, 8, (0.42, 0.43, 0.44), (0.3, 0.3, 0.3))
    bench = [
        slab((0.95, COUNTER, 1.9), (1.45, COUNTER + 0.14, 2.3), (0.05, 0.16, 0.36)),
        slab((0.85, COUNTER + 0.14, 1.95), (1.10, COUNTER + 0.48, 2.25), (0.05, 0.16, 0.36)),
        slab((1.30, COUNTER + 0.14, 1.95), (1.22, COUNTER + 0.48, 2.25), (0.05, 0.16, 0.36)),
        rod((1.5, COUNTER + 0.28, 2.1), (1.85, COUNTER + 0.28, 2.1), 0.05, METAL),
        rod((1.82, COUNTER + 0.12, 2.1), (1.82, COUNTER + 0.45, 2.1), 0.03, METAL),
        rod((0.52, COUNTER, 2.05), (0.52, COUNTER + 0.42, 2.05), 0.19, red),
        rod((0.52, COUNTER + 0.42, 2.05), (0.52, COUNTER + 0.58, 2.05), 0.19, red, 0.03),
        tube([(0.52, COUNTER + 0.55, 2.05), (0.65, COUNTER + 0.75, 2.1)], [0.025, 0.012], METAL),
    ]
    return merge(
        [
            _wall((0.3, 0.3, 0.3), z - 0.8),
            *wall,
            board,
            *tyres,
            *spanners,
            *chest,
            *rack,
            *_counter((0.36, 0.22, 0.10), (0.10, 0.13, 0.17)),
            *bench,
        ]
    )


def school() -> Mesh:
    """A class room: a green blackboard with sums in chalk, a clock, a map; on the desk an apple, books and a globe."""
    z = BACK - 0.75

    def board(u: Array, v: Array) -> Array:
        smear = 0.02 * np.sin(u * 9 + 4 * v) + 0.015 * np.sin(u * 31 - v * 17)
        return np.array([0.02, 0.13, 0.065]) + smear[..., None]

    def stroke(*points: tuple[float, float]) -> Mesh:
        return tube([(x, y, z + 0.24) for x, y in points], [0.032] * len(points), (0.86, 0.87, 0.82), 10, 6)

    sums = [
        stroke((-1.6, 1.0), (-1.6, 1.7)),
        stroke((-1.3, 1.35), (-0.9, 1.35)), stroke((-1.1, 1.15), (-1.1, 1.55)),
        stroke((-0.6, 1.55), (-0.4, 1.7), (-0.2, 1.5), (-0.6, 1.0), (-0.15, 1.0)),
        stroke((1.0, 1.45), (1.4, 1.45)), stroke((1.0, 1.25), (1.4, 1.25)),
        stroke((1.75, 1.6), (2.05, 1.65), (2.1, 1.4), (1.85, 1.35), (2.15, 1.2), (2.0, 0.98), (1.7, 1.05)),
        stroke((0.9, 0.2), (0.9, 0.2), (1.45, 0.95), (1.45, 0.95), (2.0, 0.2), (2.0, 0.2), (0.9, 0.2)),
        stroke((1.0, -0.2), (1.5, -0.1), (2.0, -0.25), (2.15, -0.12)),
        stroke((1.0, -0.6), (1.6, -0.5), (2.1, -0.62)),
    ]  # fmt: skip
    frame = [slab((-2.2, y, z), (2.5, y + 0.16, z + 0.3), (0.42, 0.24, 0.10)) for y in (-1.15, 2.05)]
    frame += [slab((x, -1.15, z), (x + 0.16, 2.2, z + 0.3), (0.42, 0.24, 0.10)) for x in (-2.3, 2.4)]
    tray = [
        slab((-2.0, -1.2, z + 0.2), (2.4, -1.12, z + 0.5), (0.42, 0.24, 0.10)),
        *[slab((0.9 + 0.4 * k, -1.12, z + 0.3), (1.15 + 0.4 * k, -1.05, z + 0.4), WHITE) for k in range(3)],
    ]
    clock = [
        rod((2.93, 1.7, z), (2.93, 1.7, z + 0.15), 0.27, DARK),
        rod((2.93, 1.7, z), (2.93, 1.7, z + 0.17), 0.23, WHITE),
        slab((2.915, 1.7, z + 0.17), (2.945, 1.88, z + 0.19), DARK),
        slab((2.93, 1.68, z + 0.17), (3.08, 1.72, z + 0.19), DARK),
    ]

    sea = ball((1.38, COUNTER + 0.50, 2.0), (0.33, 0.33, 0.33), (0.04, 0.20, 0.50), rows=36)
    x, y, zz = (sea.vertices - [1.38, COUNTER + 0.50, 2.0]).T * 9
    land = np.sin(x + 1.2 * np.sin(y * 1.3)) + np.sin(y * 1.4 + zz) + np.sin(zz * 1.1 - x * 0.7) > 0.7
    sea.colours[land] = (0.16, 0.34, 0.07)
    desk = [
        sea,
        rod((1.38, COUNTER, 2.0), (1.38, COUNTER + 0.06, 2.0), 0.2, WOOD),
        ring((1.38, COUNTER + 0.50, 2.0), 0.37, 0.02, GOLD),
        tube([(1.38, COUNTER + 0.03, 2.0), (1.38, COUNTER + 0.16, 2.0)], [0.04, 0.04], GOLD),
        *[
            slab((0.3 + 0.03 * k, COUNTER + 0.13 * k, 1.85), (0.92 - 0.02 * k, COUNTER + 0.13 * k + 0.12, 2.35), c)
            for k, c in enumerate(((0.06, 0.12, 0.40), (0.55, 0.10, 0.05), (0.70, 0.50, 0.08)))
        ],
        weathered(ball((0.6, COUNTER + 0.55, 2.1), (0.17, 0.155, 0.17), (0.62, 0.03, 0.02)), 0.25, 10),
        tube([(0.6, COUNTER + 0.68, 2.1), (0.62, COUNTER + 0.80, 2.1)], [0.018, 0.014], WOOD, 5, 6),
        ball((0.68, COUNTER + 0.76, 2.1), (0.075, 0.025, 0.04), (0.08, 0.35, 0.05), rows=8),
    ]
    wall = _wall((0.68, 0.60, 0.42), z - 0.05)
    return merge(
        [
            wall,
            panel((-2.2, -1.05, z + 0.2), (4.65, 0, 0), (0, 3.15, 0), board, 40),
            *sums,
            *frame,
            *tray,
            *clock,
            *_counter((0.46, 0.27, 0.11), (0.34, 0.19, 0.08)),
            *desk,
        ]
    )


def badge(chest: Array, stripe: Colour) -> Mesh:
    """A name badge on a lanyard that hangs at ``chest``, a point (3,) on the clothes."""
    x, y, z = chest
    card = [
        box((x, y, z + 0.05), (0.26, 0.34, 0.015), WHITE),
        box((x, y + 0.24, z + 0.068), (0.26, 0.09, 0.004), stripe),
        box((x - 0.10, y + 0.0, z + 0.068), (0.10, 0.12, 0.004), (0.35, 0.22, 0.15)),
        *[box((x + 0.11, y + 0.06 - 0.09 * k, z + 0.068), (0.08, 0.018, 0.004), DARK) for k in range(3)],
        box((x, y - 0.24, z + 0.068), (0.18, 0.03, 0.004), DARK),
    ]
    return merge([*card, box((x, y + 0.37, z + 0.05), (0.05, 0.05, 0.02), METAL)])
