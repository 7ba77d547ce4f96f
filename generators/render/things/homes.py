"""Houses, about one unit tall, with what stands around them."""

import numpy as np

from generators.render.meshes import Colour, Mesh, merge, rod, roof
from generators.render.solids import ball, masonry, panel, shaggy, slab, tube, weathered
from generators.render.things.thing import DARK, LEAF, METAL, WHITE, WOOD

Array = np.ndarray


def _window(x: float, y: float, z: float, wide: float, high: float, frame: Colour = WHITE) -> list[Mesh]:
    """Frame, sill, lintel, panes that mirror the sky, curtains and glazing bars; (x, y, z) is the middle."""

    def sky(u: Array, v: Array) -> Array:
        light = 0.05 + 0.30 * np.clip(v + 0.4 * u - 0.55, 0, 1)
        return np.stack([light * 0.8, light * 0.95, light * 1.15], -1)

    curtains = [
        slab((x + s * wide * 0.98, y - high * 0.9, z + 0.012), (x + s * wide * 0.62, y + high * 0.9, z + 0.0135), WHITE)
        for s in (-1, 1)
    ]
    return [
        slab((x - wide * 1.16, y - high * 1.12, z), (x + wide * 1.16, y + high * 1.14, z + 0.010), frame),
        panel((x - wide, y - high, z + 0.011), (2 * wide, 0, 0), (0, 2 * high, 0), sky, rows=10),
        *curtains,
        slab((x - wide * 0.06, y - high, z + 0.012), (x + wide * 0.06, y + high, z + 0.02), frame),
        slab((x - wide, y + high * 0.15, z + 0.012), (x + wide, y + high * 0.25, z + 0.02), frame),
        slab((x - wide * 1.3, y - high * 1.22, z), (x + wide * 1.3, y - high * 1.06, z + 0.035), (0.6, 0.58, 0.54)),
    ]


def _door(x: float, z: float, wide: float, high: float, colour: Colour, step: bool = True) -> list[Mesh]:
    dark = np.asarray(colour, float) * 0.6
    parts = [
        slab((x - wide * 1.2, 0.03, z), (x + wide * 1.2, high * 1.08, z + 0.012), WHITE),
        slab((x - wide, 0.03, z + 0.012), (x + wide, high, z + 0.022), colour),
        *[
            slab(
                (x + s * wide * 0.5 - wide * 0.32, low, z + 0.022),
                (x + s * wide * 0.5 + wide * 0.32, top, z + 0.026),
                dark,
            )
            for s in (-1, 1)
            for low, top in ((0.07, high * 0.45), (high * 0.52, high * 0.9))
        ],
        ball((x + wide * 0.8, high * 0.5, z + 0.03), (0.009, 0.009, 0.009), METAL, rows=6),
    ]
    if step:
        parts += [
            slab(
                (x - wide * (1.9 - 0.25 * k), 0, z),
                (x + wide * (1.9 - 0.25 * k), 0.018 * (k + 1), z + 0.13 - 0.04 * k),
                (0.4, 0.38, 0.35),
            )
            for k in range(2)
        ]
    return parts


def _bush(x: float, z: float, size: float, seed: int, bloom: Colour | None = None) -> Mesh:
    bush = ball((x, size * 0.8, z), (size * 1.25, size, size), LEAF, rows=16)
    bush = shaggy(weathered(bush, 0.35, 40, seed), size * 0.45, 0.55, seed)
    if bloom is not None:
        flowers = np.random.default_rng(seed).random(len(bush.vertices)) < 0.10
        bush.colours[flowers] = bloom
    return bush


def _tree(x: float, z: float, high: float, seed: int) -> list[Mesh]:
    random = np.random.default_rng(seed)
    crown = [
        shaggy(
            weathered(
                ball((x, high * 0.75, z) + random.normal(0, 0.07, 3), random.uniform(0.12, 0.2, 3), LEAF, rows=14),
                0.4,
                25,
                seed + k,
            ),
            0.09,
            0.6,
            seed + k,
        )
        for k in range(6)
    ]
    return [tube([(x, 0, z), (x + 0.02, high * 0.6, z)], [0.03, 0.02], WOOD), *crown]


def _tiles(half: tuple[float, float, float], eaves: float, colour: Colour, rows: int, per_row: int) -> list[Mesh]:
    """Both slopes of a gabled roof as rows of single tiles; ``half`` is (x, height / 2, z)."""
    x, y, z = half
    return [
        *masonry((-x, eaves, z), (2 * x, 0, 0), (0, 2 * y, -z), rows, per_row, colour, np.asarray(colour) * 0.45),
        *masonry((x, eaves, -z), (-2 * x, 0, 0), (0, 2 * y, z), rows, per_row, colour, np.asarray(colour) * 0.45),
    ]


def _gables(x: float, z: float, low: float, high: float, colour: Colour) -> Mesh:
    gable = roof((0, (low + high) / 2, 0), (x, (high - low) / 2, z), colour)
    return weathered(gable, 0.1)


def brick_house() -> Mesh:
    """A red brick house of two floors with a tiled gable roof, two chimneys and a hedge."""
    red, mortar = (0.36, 0.075, 0.045), (0.48, 0.42, 0.36)
    windows = [part for x in (-0.42, 0.42) for y in (0.19, 0.47) for part in _window(x, y, 0.40, 0.085, 0.075)]
    chimneys = [
        part
        for x in (-0.5, 0.45)
        for part in (
            *masonry((x - 0.06, 0.75, -0.02), (0.12, 0, 0), (0, 0.27, 0), 8, 3, red, mortar),
            slab((x - 0.059, 0.75, -0.14), (x + 0.059, 1.02, -0.021), red),
            slab((x - 0.075, 1.02, -0.15), (x + 0.075, 1.045, -0.005), (0.3, 0.28, 0.26)),
            rod((x, 1.04, -0.08), (x, 1.10, -0.08), 0.025, (0.45, 0.16, 0.08)),
        )
    ]
    lintels = [
        slab((x - 0.12, y + 0.085, 0.40), (x + 0.12, y + 0.115, 0.412), (0.62, 0.58, 0.5))
        for x in (-0.42, 0, 0.42)
        for y in (0.19, 0.47)
    ]
    return merge(
        [
            *masonry((-0.64, 0, 0.40), (1.28, 0, 0), (0, 0.62, 0), 24, 22, red, mortar),
            *masonry((0.64, 0, 0.40), (0, 0, -0.8), (0, 0.62, 0), 24, 14, red, mortar),
            *masonry((-0.64, 0, -0.40), (0, 0, 0.8), (0, 0.62, 0), 24, 14, red, mortar),
            _gables(0.635, 0.40, 0.62, 0.93, red),
            slab((-0.68, 0.595, -0.46), (0.68, 0.625, 0.46), WHITE),
            *_tiles((0.72, 0.165, 0.50), 0.615, (0.085, 0.065, 0.07), 12, 24),
            slab((-0.645, 0, -0.405), (0.645, 0.05, 0.41), (0.28, 0.26, 0.24)),
            *chimneys,
            *windows,
            *_window(0, 0.47, 0.40, 0.085, 0.075),
            *lintels,
            *_door(0, 0.405, 0.075, 0.26, (0.03, 0.11, 0.06)),
            slab((-0.13, 0.30, 0.40), (0.13, 0.32, 0.54), WHITE),
            *[rod((s * 0.115, 0, 0.52), (s * 0.115, 0.30, 0.52), 0.012, WHITE) for s in (-1, 1)],
            rod((0.63, 0.0, 0.42), (0.63, 0.6, 0.42), 0.012, (0.2, 0.2, 0.2)),
            *[
                _bush(x, 0.5, 0.075, 3 + k, (0.75, 0.12, 0.25))
                for k, x in enumerate((-0.55, -0.4, -0.26, 0.28, 0.44, 0.58))
            ],
            *_tree(0.86, -0.35, 0.85, 5),
        ]
    )


def villa() -> Mesh:
    """A flat-roofed white villa with columns, a glass front, a terrace and a balcony."""
    white, shade = (0.86, 0.84, 0.79), (0.62, 0.60, 0.56)
    columns = [
        part
        for x in (-0.72, -0.36, 0.0, 0.36, 0.72)
        for part in (
            rod((x, 0.06, 0.52), (x, 0.50, 0.52), 0.030, white, 0.025),
            slab((x - 0.04, 0.05, 0.48), (x + 0.04, 0.08, 0.56), shade),
            slab((x - 0.04, 0.48, 0.48), (x + 0.04, 0.51, 0.56), shade),
        )
    ]
    rails = [rod((-0.42 + 0.05 * k, 0.56, 0.50), (-0.42 + 0.05 * k, 0.66, 0.50), 0.005, METAL) for k in range(22)]
    panes = [part for x in (-0.54, -0.18, 0.54) for part in _window(x, 0.26, 0.35, 0.13, 0.17, (0.12, 0.12, 0.12))]
    upper = [part for x in (-0.22, 0.12, 0.46) for part in _window(x, 0.74, 0.24, 0.12, 0.12, (0.12, 0.12, 0.12))]
    whole = merge(
        [
            weathered(slab((-0.80, 0.05, -0.35), (0.80, 0.50, 0.35), white), 0.05),
            slab((-0.88, 0.51, -0.40), (0.88, 0.56, 0.58), white),
            slab((-0.88, 0.495, -0.40), (0.88, 0.51, 0.57), shade),
            weathered(slab((-0.45, 0.56, -0.33), (0.70, 0.92, 0.24), white), 0.05),
            slab((-0.52, 0.92, -0.38), (0.77, 0.96, 0.34), white),
            slab((-0.52, 0.905, -0.38), (0.77, 0.92, 0.33), shade),
            *columns,
            *rails,
            rod((-0.42, 0.66, 0.50), (0.66, 0.66, 0.50), 0.009, METAL),
            *panes,
            *upper,
            *_door(0.18, 0.355, 0.085, 0.34, (0.16, 0.07, 0.03), step=False),
            slab((-0.92, 0, -0.40), (0.92, 0.03, 0.70), (0.50, 0.46, 0.40)),
            slab((-0.88, 0.03, -0.40), (0.88, 0.05, 0.62), (0.58, 0.54, 0.47)),
            *[_bush(x, 0.72, 0.07, 11 + k) for k, x in enumerate((-0.84, -0.66, -0.48, 0.55, 0.72, 0.88))],
            *[part for x in (-0.92, 0.90) for part in _cypress(x, 0.3)],
        ]
    )
    return Mesh(whole.vertices * 0.92, whole.faces, whole.colours)


def _cypress(x: float, z: float) -> list[Mesh]:
    spire = tube(
        [(x, 0.04, z), (x, 0.25, z), (x, 0.55, z), (x, 0.82, z)], [0.05, 0.085, 0.065, 0.01], (0.03, 0.09, 0.03), 18, 16
    )
    return [shaggy(weathered(spire, 0.3, 30), 0.05, 0.5)]


def log_cabin() -> Mesh:
    """A cabin of round logs with a porch under a steep shingled roof, a stone chimney and stacked firewood."""
    random = np.random.default_rng(4)
    bark = np.array([0.30, 0.15, 0.06])

    def log(a: Colour, b: Colour, radius: float = 0.042) -> Mesh:
        return weathered(
            tube([a, b], [radius, radius], bark * random.uniform(0.7, 1.3), 8, 12), 0.2, 30, int(random.integers(99))
        )

    heights = [0.06 + 0.08 * k for k in range(6)]
    front = [log((-0.68, y, 0.36), (0.68, y, 0.36)) for y in heights]
    sides = [log((x, y + 0.03, -0.42), (x, y + 0.03, 0.44)) for x in (-0.6, 0.6) for y in heights]
    gable = [
        log((-0.62 + 0.09 * k + 0.02, 0.54 + 0.08 * k, 0.36), (0.62 - 0.09 * k - 0.02, 0.54 + 0.08 * k, 0.36))
        for k in range(6)
    ]
    slopes = [
        part
        for s in (-1, 1)
        for part in masonry(
            (s * 0.82, 0.44, s * 0.56),
            (0, 0, -s * 1.05),
            (-s * 0.82, 0.68, 0),
            14,
            18,
            (0.13, 0.085, 0.06),
            (0.05, 0.035, 0.025),
        )
    ]
    stones = masonry((-0.55, 0.3, 0.0), (0.16, 0, 0), (0, 0.85, 0), 12, 3, (0.30, 0.29, 0.27), (0.16, 0.15, 0.14))
    firewood = [
        rod(
            (0.40 + 0.055 * i, 0.03 + 0.05 * k, 0.42),
            (0.40 + 0.055 * i, 0.03 + 0.05 * k, 0.56),
            0.026,
            (0.55, 0.36, 0.17),
        )
        for k in range(3)
        for i in range(5 - k)
    ]
    return merge(
        [
            *front,
            *sides,
            *gable,
            slab((-0.60, 0.02, -0.4), (0.60, 0.54, 0.34), (0.10, 0.05, 0.025)),
            *slopes,
            *stones,
            slab((-0.55, 0.3, -0.12), (-0.39, 1.15, -0.002), (0.28, 0.27, 0.25)),
            *_window(-0.30, 0.30, 0.40, 0.10, 0.09, (0.5, 0.32, 0.14)),
            *_window(0, 0.72, 0.40, 0.07, 0.06, (0.5, 0.32, 0.14)),
            *_door(0.20, 0.40, 0.085, 0.36, (0.12, 0.055, 0.02)),
            *[log((x, 0.0, 0.56), (x, 0.50, 0.56), 0.026) for x in (-0.66, 0.0, 0.66)],
            log((-0.72, 0.50, 0.56), (0.72, 0.50, 0.56), 0.03),
            slab((-0.70, 0, 0.36), (0.70, 0.03, 0.60), (0.24, 0.14, 0.07)),
            *firewood,
            *_fir(0.86, -0.3, 1.05),
            *_fir(-0.88, -0.4, 0.9),
        ]
    )


def _fir(x: float, z: float, high: float) -> list[Mesh]:
    green = (0.025, 0.085, 0.04)
    layers = [
        shaggy(
            rod((x, high * (0.12 + 0.2 * k), z), (x, high * (0.42 + 0.2 * k), z), 0.22 - 0.045 * k, green, 0.01),
            0.05,
            0.4,
            k,
        )
        for k in range(4)
    ]
    return [rod((x, 0, z), (x, high * 0.3, z), 0.03, WOOD), *[weathered(layer, 0.35, 20, 2) for layer in layers]]


def cottage() -> Mesh:
    """A blue cottage under a thick thatched roof, with roses, shutters and a picket fence."""
    blue = (0.045, 0.15, 0.50)
    straw = (0.50, 0.36, 0.15)

    def thatch(s: int) -> Mesh:
        def paint(u: Array, v: Array) -> Array:
            grain = np.random.default_rng(7).random(u.shape)
            shade = (0.55 + 0.5 * grain + 0.12 * np.sin(v * 40)) * (0.7 + 0.4 * v)
            return shade[..., None] * np.asarray(straw)

        slope = panel((-s * 0.74, 0.46, s * 0.56), (s * 1.48, 0, 0), (0, 0.50, -s * 0.56), paint, rows=56)
        return shaggy(slope, 0.035, 0.2)

    shutters = [
        slab((x + s * 0.155 - 0.04, 0.22, 0.40), (x + s * 0.155 + 0.04, 0.41, 0.415), WHITE)
        for x in (-0.34, 0.34)
        for s in (-1, 1)
    ]
    boards = masonry((-0.60, 0, 0.385), (1.20, 0, 0), (0, 0.50, 0), 18, 2, blue, (0.03, 0.09, 0.32))
    fence = [
        part
        for side in (-1, 1)
        for k in range(9)
        for part in (
            slab((side * (0.22 + 0.065 * k) - 0.016, 0, 0.70), (side * (0.22 + 0.065 * k) + 0.016, 0.15, 0.712), WHITE),
        )
    ]
    return merge(
        [
            slab((-0.60, 0, -0.38), (0.60, 0.50, 0.38), blue),
            *boards,
            _gables(0.59, 0.38, 0.49, 0.84, blue),
            thatch(1),
            thatch(-1),
            weathered(tube([(-0.76, 0.965, 0), (0.76, 0.965, 0)], [0.035, 0.035], (0.36, 0.25, 0.10), 24), 0.3, 20),
            weathered(tube([(-0.74, 0.46, 0.55), (0.74, 0.46, 0.55)], [0.035, 0.035], (0.40, 0.28, 0.12), 24), 0.3, 20),
            *masonry((-0.42, 0.7, 0.08), (0.16, 0, 0), (0, 0.42, 0), 7, 3, (0.62, 0.58, 0.52), (0.4, 0.38, 0.35)),
            slab((-0.42, 0.7, -0.06), (-0.26, 1.12, 0.078), (0.6, 0.56, 0.5)),
            *_window(-0.34, 0.315, 0.395, 0.10, 0.085),
            *_window(0.34, 0.315, 0.395, 0.10, 0.085),
            *shutters,
            *_door(0, 0.395, 0.085, 0.34, (0.55, 0.05, 0.035)),
            slab((-0.16, 0.36, 0.39), (0.16, 0.385, 0.52), straw),
            *fence,
            *[
                slab((s * 0.19, 0.05 + 0.06 * k, 0.705), (s * 0.77, 0.065 + 0.06 * k, 0.71), WHITE)
                for s in (-1, 1)
                for k in range(2)
            ],
            *[
                _bush(x, 0.5, 0.065, 21 + k, (0.80, 0.25, 0.40))
                for k, x in enumerate((-0.5, -0.35, -0.2, 0.22, 0.38, 0.52))
            ],
        ]
    )


def glass_tower() -> Mesh:
    """A tall tower of mirrored panes with a lower block beside it, an entrance and a mast."""
    random = np.random.default_rng(9)

    def panes(corner: Colour, across: Colour, high: float, floors: int, columns: int, light: float) -> Mesh:
        corner, across = np.asarray(corner, float), np.asarray(across, float)
        vertices: list[Array] = []
        faces: list[list[int]] = []
        colours: list[Array] = []
        for row in range(floors):
            for column in range(columns):
                sides = ((column + 0.06) / columns, (column + 0.94) / columns)
                levels = ((row + 0.12) * high / floors, (row + 0.96) * high / floors)
                start = len(vertices)
                vertices += [
                    corner + across * u + np.array([0, v, 0])
                    for u, v in (
                        (sides[0], levels[0]),
                        (sides[1], levels[0]),
                        (sides[1], levels[1]),
                        (sides[0], levels[1]),
                    )
                ]
                faces += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
                share = row / floors
                tone = np.array([0.07, 0.20, 0.28]) * (0.6 + 1.3 * share) * random.uniform(0.7, 1.25) * light
                colours += [np.array([0.8, 0.62, 0.3]) if random.random() < 0.05 else tone] * 4
        return Mesh(np.array(vertices), np.array(faces), np.clip(np.array(colours), 0, 1))

    frame = (0.52, 0.58, 0.60)
    whole = merge(
        [
            slab((-0.26, 0, -0.24), (0.20, 1.40, 0.24), frame),
            panes((-0.255, 0.08, 0.244), (0.45, 0, 0), 1.31, 26, 9, 1.0),
            panes((0.204, 0.08, 0.235), (0, 0, -0.47), 1.31, 26, 8, 0.6),
            panes((-0.264, 0.08, -0.235), (0, 0, 0.47), 1.31, 26, 8, 0.7),
            slab((-0.29, 1.39, -0.27), (0.23, 1.42, 0.27), METAL),
            slab((-0.12, 1.42, -0.12), (0.06, 1.48, 0.10), (0.3, 0.32, 0.34)),
            rod((-0.03, 1.48, 0), (-0.03, 1.68, 0), 0.008, METAL, 0.003),
            slab((0.20, 0, -0.2), (0.46, 0.52, 0.20), frame),
            panes((0.205, 0.06, 0.204), (0.25, 0, 0), 0.45, 9, 5, 0.8),
            panes((0.464, 0.06, 0.195), (0, 0, -0.39), 0.45, 9, 7, 0.55),
            slab((-0.30, 0.085, 0.2), (0.30, 0.10, 0.36), (0.3, 0.3, 0.3)),
            slab((-0.10, 0, 0.242), (0.05, 0.085, 0.25), DARK),
            *[rod((x, 0, 0.34), (x, 0.085, 0.34), 0.008, METAL) for x in (-0.28, -0.1, 0.1, 0.28)],
            slab((-0.5, 0, -0.3), (0.6, 0.008, 0.5), (0.42, 0.42, 0.42)),
            *[_bush(x, 0.42, 0.03, 31 + k) for k, x in enumerate((-0.42, -0.3, -0.18, 0.2, 0.34, 0.48))],
        ]
    )
    return Mesh(whole.vertices * 0.85, whole.faces, whole.colours)
