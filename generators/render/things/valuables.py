"""Valued possessions, about one unit tall, looking towards +z."""

import numpy as np

from generators.render.meshes import Colour, Mesh, merge, revolved, ring, rod
from generators.render.solids import ball, extruded, lofted, panel, slab, smooth, tube, turned, weathered
from generators.render.things.thing import DARK, GOLD, METAL, WOOD

Array = np.ndarray


def _mirrored(right: tuple[tuple[float, float], ...], count: int = 60) -> Array:
    """A closed outline (k, 2), symmetric about x = 0, from the points of its right half, bottom to top."""
    half = smooth(np.array(right), count)
    return np.concatenate([half, (half * [-1, 1])[::-1]])


def _grained(mesh: Mesh, seed: int = 1) -> Mesh:
    streak = 1 + 0.10 * np.sin(mesh.vertices[:, 0] * 90 + 2 * np.sin(mesh.vertices[:, 1] * 5))
    return weathered(Mesh(mesh.vertices, mesh.faces, np.clip(mesh.colours * streak[:, None], 0, 1)), 0.08, 8, seed)


def _stand(high: float, wide: float, back: float) -> list[Mesh]:
    """An A-frame that an instrument leans on."""
    return [
        *[
            tube(
                [(s * wide, 0, 0.16), (s * wide * 0.6, high * 0.5, back - 0.03), (0, high, back - 0.05)],
                [0.016] * 3,
                DARK,
            )
            for s in (-1, 1)
        ],
        tube([(0, 0, back - 0.28), (0, high, back - 0.05)], [0.016, 0.016], DARK),
        *[
            tube(
                [(s * wide * 0.8, 0.085, back), (s * wide * 0.8, 0.075, 0.15), (s * wide * 0.8, 0.12, 0.17)],
                [0.016] * 3,
                DARK,
            )
            for s in (-1, 1)
        ],
    ]


def guitar() -> Mesh:
    """An acoustic guitar on a stand: waisted top, sound hole, bridge, fretted neck, six strings, pegs."""
    spruce, mahogany, ebony = (0.66, 0.36, 0.12), (0.20, 0.07, 0.025), (0.035, 0.02, 0.014)
    body = _mirrored(
        (
            (0, 0.09),
            (0.14, 0.105),
            (0.26, 0.17),
            (0.285, 0.28),
            (0.22, 0.40),
            (0.175, 0.47),
            (0.20, 0.55),
            (0.215, 0.62),
            (0.18, 0.70),
            (0.09, 0.74),
            (0, 0.745),
        )
    )
    frets = [
        slab((-0.032, 0.60 + 0.62 * (1 - 0.944**k), 0.094), (0.032, 0.605 + 0.62 * (1 - 0.944**k), 0.099), METAL)
        for k in range(1, 17)
    ]
    strings = [
        tube(
            [(0.0085 * (k - 2.5) * 1.5, 0.255, 0.105), (0.0085 * (k - 2.5), 1.17, 0.103)],
            [0.0028, 0.0022],
            (0.72, 0.68, 0.58),
            4,
            5,
        )
        for k in range(6)
    ]
    pegs = [
        part
        for s in (-1, 1)
        for k in range(3)
        for part in (
            rod((s * 0.04, 1.22 + 0.05 * k, 0.06), (s * 0.085, 1.22 + 0.05 * k, 0.06), 0.007, METAL),
            ball((s * 0.095, 1.22 + 0.05 * k, 0.06), (0.017, 0.014, 0.010), (0.8, 0.78, 0.7), rows=8),
        )
    ]
    return merge(
        [
            extruded(body, 0.045, -0.085, mahogany),
            _grained(extruded(body * [0.975, 0.985] + [0, 0.006], 0.062, 0.04, spruce, 0.01)),
            ring((0, 0.495, 0.064), 0.090, 0.012, (0.10, 0.05, 0.03)),
            rod((0, 0.495, 0.04), (0, 0.495, 0.066), 0.082, (0.008, 0.006, 0.005)),
            ring((0, 0.495, 0.064), 0.112, 0.004, (0.75, 0.65, 0.45)),
            extruded(
                _mirrored(((0.0, 0.36), (0.09, 0.35), (0.135, 0.41), (0.12, 0.46))), 0.064, 0.05, (0.045, 0.02, 0.012)
            ),
            slab((-0.10, 0.235, 0.06), (0.10, 0.275, 0.08), ebony),
            slab((-0.055, 0.258, 0.08), (0.055, 0.266, 0.10), (0.85, 0.82, 0.74)),
            slab((-0.036, 0.58, 0.055), (0.036, 1.18, 0.094), ebony),
            slab((-0.030, 0.72, 0.02), (0.030, 1.18, 0.06), mahogany),
            *frets,
            *[
                ball(
                    (0, 0.60 + 0.62 * (1 - 0.944**k) - 0.012, 0.095), (0.007, 0.007, 0.003), (0.85, 0.83, 0.76), rows=6
                )
                for k in (3, 5, 7, 9)
            ],
            extruded(
                np.array(
                    [
                        (-0.036, 1.17),
                        (0.036, 1.17),
                        (0.055, 1.23),
                        (0.058, 1.36),
                        (0.02, 1.375),
                        (0, 1.36),
                        (-0.02, 1.375),
                        (-0.058, 1.36),
                        (-0.055, 1.23),
                    ]
                ),
                0.085,
                0.035,
                mahogany,
            ),
            *strings,
            *pegs,
            *_stand(0.62, 0.2, -0.09),
        ]
    )


def violin() -> Mesh:
    """A dark red violin on a stand with its bow beside it."""
    varnish, ebony = (0.34, 0.075, 0.015), (0.02, 0.013, 0.01)
    body = _mirrored(
        (
            (0, 0.08),
            (0.13, 0.10),
            (0.205, 0.18),
            (0.205, 0.28),
            (0.165, 0.345),
            (0.115, 0.40),
            (0.105, 0.46),
            (0.125, 0.52),
            (0.165, 0.57),
            (0.165, 0.66),
            (0.12, 0.735),
            (0.05, 0.765),
            (0, 0.768),
        )
    )
    holes = [
        tube(
            [(s * 0.075, 0.50, 0.065), (s * 0.07, 0.45, 0.066), (s * 0.10, 0.39, 0.064), (s * 0.095, 0.345, 0.063)],
            [0.011, 0.007, 0.007, 0.012],
            (0.008, 0.006, 0.005),
            16,
            8,
        )
        for s in (-1, 1)
    ]
    strings = [
        tube(
            [(0.012 * (k - 1.5), 0.20, 0.08), (0.014 * (k - 1.5), 0.415, 0.128), (0.009 * (k - 1.5), 1.09, 0.095)],
            [0.0025] * 3,
            (0.75, 0.72, 0.65),
            6,
            5,
        )
        for k in range(4)
    ]
    scroll = [
        tube(
            [(0, 1.10, 0.05), (0, 1.17, 0.045), (0, 1.22, 0.06), (0, 1.235, 0.095), (0, 1.205, 0.11), (0, 1.19, 0.09)],
            [0.03, 0.028, 0.026, 0.026, 0.022, 0.018],
            varnish,
            24,
            10,
        )
    ]
    pegs = [
        rod((s * 0.02, 1.10 + 0.035 * k, 0.05), (s * 0.085, 1.10 + 0.035 * k, 0.05), 0.009, ebony, 0.014)
        for k, s in enumerate((-1, 1, -1, 1))
    ]
    belly = extruded(body * [0.97, 0.985] + [0, 0.007], 0.062, 0.03, varnish, 0.028)
    glow = 1.0 + 0.9 * np.clip(1 - np.hypot(belly.vertices[:, 0] / 0.16, (belly.vertices[:, 1] - 0.42) / 0.34), 0, 1)
    belly = Mesh(belly.vertices, belly.faces, np.clip(belly.colours * glow[:, None], 0, 1))
    bow = [
        tube(
            [(0.33, 0.03, 0.10), (0.335, 0.6, 0.09), (0.34, 1.22, 0.10)], [0.011, 0.010, 0.008], (0.20, 0.08, 0.03), 16
        ),
        tube([(0.30, 0.07, 0.10), (0.315, 1.20, 0.10)], [0.006, 0.006], (0.85, 0.82, 0.74), 6, 6),
        slab((0.295, 0.05, 0.085), (0.335, 0.11, 0.115), ebony),
        slab((0.308, 1.19, 0.088), (0.345, 1.225, 0.112), ebony),
    ]
    return merge(
        [
            extruded(body, 0.032, -0.055, (0.22, 0.045, 0.012)),
            _grained(belly, 2),
            *holes,
            extruded(
                _mirrored(((0, 0.10), (0.022, 0.105), (0.04, 0.19), (0.035, 0.245), (0.0, 0.25)), 20),
                0.085,
                0.06,
                ebony,
            ),
            slab((-0.042, 0.405, 0.06), (0.042, 0.42, 0.122), (0.70, 0.48, 0.22)),
            lofted(
                [(0, 0.52, 0.105), (0, 0.80, 0.098), (0, 1.09, 0.085)],
                [(0.034, 0.012), (0.028, 0.012), (0.020, 0.010)],
                ebony,
                rows=12,
            ),
            tube([(0, 0.73, 0.05), (0, 1.1, 0.055)], [0.026, 0.022], varnish),
            ball((-0.08, 0.115, 0.08), (0.065, 0.045, 0.018), ebony, rows=12),
            *strings,
            *scroll,
            *pegs,
            *bow,
            *_stand(0.55, 0.16, -0.07),
        ]
    )


def camera() -> Mesh:
    """A reflex camera with a long lens, its strap lying in front."""
    black, leather, rubber = (0.022, 0.022, 0.024), (0.05, 0.047, 0.045), (0.035, 0.035, 0.037)
    lens = np.array(
        [
            (0.0, 0.0),
            (0.235, 0.0),
            (0.235, 0.10),
            (0.255, 0.11),
            (0.255, 0.23),
            (0.235, 0.24),
            (0.235, 0.28),
            (0.262, 0.30),
            (0.262, 0.40),
            (0.235, 0.41),
            (0.215, 0.41),
            (0.195, 0.33),
            (0.0, 0.33),
        ]
    )
    barrel = revolved(np.repeat(lens, 2, axis=0), black, 40)
    ridged = 1 + 0.9 * ((barrel.vertices[:, 1] > 0.105) & (barrel.vertices[:, 1] < 0.235)) * (
        np.arange(len(barrel.vertices)) % 2
    )
    barrel = Mesh(
        barrel.vertices[:, [0, 2, 1]] + [-0.06, 0.34, 0.13],
        barrel.faces,
        np.clip(barrel.colours * ridged[:, None], 0, 1),
    )
    prism = extruded(
        np.array([(-0.26, 0.60), (0.14, 0.60), (0.07, 0.76), (0.02, 0.79), (-0.14, 0.79), (-0.19, 0.76)]),
        0.14,
        -0.12,
        black,
        0.03,
    )
    strap = tube(
        [
            (0.50, 0.52, 0.0),
            (0.66, 0.30, 0.10),
            (0.60, 0.03, 0.36),
            (0.30, 0.015, 0.62),
            (-0.3, 0.015, 0.62),
            (-0.62, 0.03, 0.36),
            (-0.66, 0.30, 0.10),
            (-0.52, 0.52, 0.0),
        ],
        [0.03] * 8,
        (0.42, 0.03, 0.02),
        70,
        8,
    )
    strap = Mesh(strap.vertices, strap.faces, strap.colours)
    whole = merge(
        [
            weathered(ball((0, 0.32, 0), (0.50, 0.30, 0.15), leather, 6.0, 28), 0.25, 60),
            ball((0, 0.56, 0), (0.50, 0.065, 0.145), (0.50, 0.50, 0.51), 5.0),
            ball((0, 0.06, 0), (0.49, 0.05, 0.145), (0.50, 0.50, 0.51), 5.0),
            weathered(ball((0.40, 0.33, 0.08), (0.10, 0.27, 0.15), rubber, 3.5), 0.3, 60),
            prism,
            slab((-0.15, 0.645, 0.138), (0.03, 0.70, 0.146), (0.8, 0.8, 0.8)),
            slab((-0.13, 0.79, -0.06), (0.01, 0.805, 0.06), METAL),
            rod((0.36, 0.61, 0.03), (0.36, 0.67, 0.03), 0.055, METAL),
            rod((0.36, 0.67, 0.03), (0.36, 0.695, 0.03), 0.030, DARK),
            rod((-0.38, 0.61, 0), (-0.38, 0.675, 0), 0.085, (0.10, 0.10, 0.10)),
            ball((0.235, 0.50, 0.15), (0.022, 0.022, 0.012), (0.75, 0.04, 0.02), rows=10),
            barrel,
            ball((-0.06, 0.34, 0.445), (0.19, 0.19, 0.055), (0.035, 0.06, 0.17), rows=24),
            ball((-0.12, 0.42, 0.485), (0.045, 0.035, 0.015), (0.55, 0.65, 0.85), rows=12),
            ball((0.0, 0.26, 0.485), (0.03, 0.02, 0.012), (0.50, 0.25, 0.55), rows=10),
            *[
                ring((-0.06, 0.34, z), 0.262, 0.008, colour)
                for z, colour in ((0.425, (0.62, 0.5, 0.2)), (0.545, METAL))
            ],
            strap,
        ]
    )
    return Mesh(whole.vertices * 0.86, whole.faces, whole.colours)


def trophy() -> Mesh:
    """A golden cup with two handles on a dark plinth with a plate."""
    profile = np.array(
        [
            (0.0, 0.26),
            (0.17, 0.26),
            (0.165, 0.29),
            (0.07, 0.335),
            (0.045, 0.40),
            (0.075, 0.44),
            (0.05, 0.48),
            (0.06, 0.53),
            (0.20, 0.60),
            (0.275, 0.74),
            (0.30, 0.92),
            (0.32, 1.04),
            (0.345, 1.06),
            (0.33, 1.075),
            (0.29, 1.05),
            (0.25, 0.76),
            (0.0, 0.62),
        ]
    )
    handles = [
        tube(
            [
                (s * 0.28, 0.98, 0),
                (s * 0.42, 1.03, 0),
                (s * 0.50, 0.90, 0),
                (s * 0.42, 0.74, 0),
                (s * 0.30, 0.69, 0),
                (s * 0.24, 0.68, 0),
            ],
            [0.026, 0.028, 0.028, 0.026, 0.022, 0.02],
            GOLD,
            30,
            10,
        )
        for s in (-1, 1)
    ]
    bands = [
        tube(
            [(r * np.sin(a), y, r * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 25)],
            [0.012] * 25,
            (0.88, 0.62, 0.18),
            48,
            8,
        )
        for r, y in ((0.285, 0.80), (0.305, 0.95))
    ]
    star = np.array(
        [
            (
                (0.10 if k % 2 else 0.045) * np.sin(k * np.pi / 5 + np.pi),
                (0.10 if k % 2 else 0.045) * np.cos(k * np.pi / 5 + np.pi),
            )
            for k in range(10)
        ]
    )
    return merge(
        [
            slab((-0.27, 0, -0.27), (0.27, 0.055, 0.27), (0.05, 0.022, 0.012)),
            weathered(slab((-0.23, 0.055, -0.23), (0.23, 0.235, 0.23), (0.035, 0.016, 0.010)), 0.2),
            slab((-0.25, 0.235, -0.25), (0.25, 0.262, 0.25), (0.05, 0.022, 0.012)),
            slab((-0.14, 0.095, 0.23), (0.14, 0.195, 0.238), (0.85, 0.66, 0.25)),
            *[slab((-0.10, 0.12 + 0.03 * k, 0.238), (0.10 - 0.04 * k, 0.13 + 0.03 * k, 0.240), DARK) for k in range(2)],
            revolved(smooth(profile, 90), GOLD, 48),
            *handles,
            *bands,
            extruded(star + [0, 0.875], 0.318, 0.28, (0.92, 0.72, 0.28)),
        ]
    )


def _landscape(u: Array, v: Array) -> Array:
    """Oil colours: a sun above a lake between hills, in dabs of a brush."""
    dab = 0.10 * np.sin(u * 61 + 9 * np.sin(v * 23)) * np.sin(v * 71 + 6 * np.sin(u * 17))
    sky = np.stack([0.85 - 0.55 * v, 0.50 - 0.12 * v, 0.16 + 0.42 * v], -1)
    glow = np.exp(-((u - 0.68) ** 2 + (v - 0.70) ** 2) / 0.020)[..., None] * np.array([0.7, 0.5, 0.1])
    picture = sky + glow
    for height, wave, colour in (
        (0.56, 7.0, (0.16, 0.16, 0.34)),
        (0.46, 11.0, (0.07, 0.20, 0.16)),
        (0.20, 6.0, (0.05, 0.16, 0.03)),
    ):
        hill = v < height + 0.07 * np.sin(u * wave + wave) + 0.02 * np.sin(u * 31)
        picture = np.where(hill[..., None], np.asarray(colour), picture)
    lake = (v > 0.23) & (v < 0.40) & (abs(u - 0.55) < 0.32)
    picture = np.where(lake[..., None], np.array([0.32, 0.30, 0.42]) + glow * 0.5, picture)
    return np.clip(picture * (1 + 1.6 * dab)[..., None], 0, 1)


def painting() -> Mesh:
    """A framed oil painting of a sunset over hills, on a small easel."""
    random = np.random.default_rng(3)
    frame = []
    for x0, y0, x1, y1 in (
        (-0.66, 0.10, 0.66, 0.20),
        (-0.66, 0.96, 0.66, 1.06),
        (-0.66, 0.10, -0.56, 1.06),
        (0.56, 0.10, 0.66, 1.06),
    ):
        centre, half = ((x0 + x1) / 2, (y0 + y1) / 2, 0.0), ((x1 - x0) / 2, (y1 - y0) / 2, 0.055)
        frame.append(weathered(ball(centre, half, (0.62, 0.40, 0.09), 5.0, 22), 0.25, 25, int(random.integers(50))))
    inner = [slab((-0.57, y, -0.01), (0.57, y + 0.015, 0.05), (0.82, 0.62, 0.25)) for y in (0.195, 0.95)]
    inner += [slab((x, 0.195, -0.01), (x + 0.015, 0.96, 0.05), (0.82, 0.62, 0.25)) for x in (-0.57, 0.555)]
    whole = merge(
        [
            *frame,
            *inner,
            panel((-0.57, 0.195, 0.03), (1.14, 0, 0), (0, 0.77, 0), _landscape, 96),
            slab((-0.6, 0.15, -0.05), (0.6, 1.0, 0.0), WOOD),
        ]
    )
    easel: list[Colour] = [(-0.42, 0, 0.02), (-0.25, 0.6, -0.09), (0.0, 1.12, -0.18)]
    legs = [tube([(s * np.asarray(p)[0], p[1], p[2]) for p in easel], [0.028] * 3, WOOD) for s in (-1, 1)]
    whole = merge(
        [
            turned(whole, "x", -7),
            *legs,
            tube([(0, 0, -0.5), (0, 1.12, -0.18)], [0.026, 0.026], WOOD),
            slab((-0.5, 0.055, -0.03), (0.5, 0.10, 0.13), WOOD),
        ]
    )
    return Mesh(whole.vertices * 0.80, whole.faces, whole.colours)
