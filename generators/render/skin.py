"""The painted skin of one person: a texture over MakeHuman's own unwrapping."""

import functools

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from generators.render import brows, hair, makehuman
from generators.render.identity import BEARDS, Identity

Array = np.ndarray
SIZE = 512


@functools.cache
def texel_positions() -> Array:
    """Base-mesh position (SIZE, SIZE, 3) of every texel, so that paint can be placed in space."""
    vertices, texture, groups = makehuman.base_mesh()
    positions = np.zeros((SIZE, SIZE, 3))
    filled = np.zeros((SIZE, SIZE), bool)
    for triangle in groups["body"]:
        uv = texture[triangle[:, 1]] * SIZE
        uv[:, 1] = SIZE - uv[:, 1]
        low = np.maximum(np.floor(uv.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(uv.max(0)).astype(int) + 1, SIZE)
        (ax, ay), (bx, by), (cx, cy) = uv
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if (high <= low).any() or abs(area) < 1e-9:
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
        w1 = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        w2 = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        w0 = 1 - w1 - w2
        inside = (w0 > 0) & (w1 > 0) & (w2 > 0)
        near = (w0 > -0.35) & (w1 > -0.35) & (w2 > -0.35)
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        fresh = near & (inside | ~filled[window])
        a, b, c = vertices[triangle[:, 0]]
        positions[window][fresh] = (w0[..., None] * a + w1[..., None] * b + w2[..., None] * c)[fresh]
        filled[window] |= near
    return positions


@functools.cache
def region(name: str) -> Array:
    """A painted region mask (SIZE, SIZE) in 0..1, for example ``lips``."""
    file = makehuman.data_folder() / f"mpfb2/textures/mpfb_{name}.jpg"
    return np.asarray(Image.open(file).convert("L").resize((SIZE, SIZE))) / 255.0


@functools.cache
def _face() -> Array:
    """Where the face is (SIZE, SIZE), in 0..1, with a soft edge."""
    position = texel_positions()
    return brows.step(position[..., 1], 6.1, 6.3) * brows.step(position[..., 2], 0.2, 0.5)


@functools.cache
def _blush() -> Array:
    """Where blood shows through the skin (SIZE, SIZE): cheeks, nose, ears and chin."""
    x, y, z = np.moveaxis(texel_positions(), -1, 0)
    cheek = np.exp(-(((abs(x) - 0.45) / 0.24) ** 2 + ((y - 7.0) / 0.22) ** 2))
    nose = np.exp(-((x / 0.16) ** 2 + ((y - 7.0) / 0.16) ** 2))
    chin = 0.4 * np.exp(-((x / 0.2) ** 2 + ((y - 6.45) / 0.12) ** 2))
    ear = 0.7 * (abs(x) > 0.78) * (abs(y - 7.1) < 0.4) * (z < 0.6)
    return np.clip((cheek + 0.8 * nose + chin) * _face() + ear, 0, 1)


@functools.cache
def _shade() -> Array:
    """Where the face lies in shadow of itself (SIZE, SIZE): under the eyes, at the nostrils, between the lips."""
    x, y, _ = np.moveaxis(texel_positions(), -1, 0)
    under = np.exp(-(((abs(x) - 0.33) / 0.20) ** 2 + ((y - 7.10) / 0.05) ** 2))
    nostril = np.exp(-(((abs(x) - 0.09) / 0.045) ** 2 + ((y - 6.88) / 0.03) ** 2))
    socket = np.exp(-(((abs(x) - 0.18) / 0.09) ** 2 + ((y - 7.30) / 0.10) ** 2))
    return np.clip(0.10 * under + 0.35 * nostril + 0.10 * socket, 0, 1) * _face()


def _noise(random: np.random.Generator, cells: int) -> Array:
    """A smooth field (SIZE, SIZE) with standard deviation near 1 and ``cells`` bumps a side."""
    coarse = random.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def paint(identity: Identity) -> Array:
    """The person's skin texture (SIZE, SIZE, 3), linear RGB in 0..1."""
    random = np.random.default_rng([11, identity.seed])
    position = texel_positions()
    face, tone = _face(), np.array(identity.skin)
    pores = random.standard_normal((SIZE, SIZE))
    shade = 1 + 0.020 * _noise(random, 24) + 0.014 * _noise(random, 90) + 0.012 * pores - _shade()
    shade -= _wrinkles(random, identity, position) + _moles(identity, position) + _freckles(random, identity) * face
    colour = tone * shade[..., None]
    rosy = random.uniform(0.06, 0.17) * _blush() * (1 + 0.25 * _noise(random, 40))
    colour *= 1 - rosy[..., None] * np.array([0.05, 1.0, 0.85])
    made_up = 0.0 if identity.presents_as_man else float(random.random() ** 2)
    lips = region("lips") * (0.75 + 0.2 * made_up) * (1 + 0.05 * _noise(random, 128))
    lip_colour = tone * np.array([0.85, 0.60, 0.58]) * (1 - made_up * np.array([0.05, 0.55, 0.45]))
    colour = _over(colour, lip_colour, lips)
    colour *= 1 - 0.55 * region("inside-mouth")[..., None]
    colour *= 1 - (0.14 + 0.14 * made_up) * region("eyelids")[..., None]
    hairs = np.array(identity.hair_colour)
    colour = _over(colour, hairs * 0.55, _scalp(identity, position))
    grain = np.clip(0.9 + 0.22 * pores, 0.3, 1.2)
    stubble = hairs * 0.6 if identity.beard == "full beard" else hairs * 0.45 + tone * 0.13
    colour = _over(colour, stubble, np.clip(_beard(identity, position) * grain, 0, 0.95))
    # Skin shines through the brows, which would look painted on in a pale hair colour otherwise.
    colour = _over(colour, hairs * 0.28 + tone * 0.16, 0.82 * brows.cover(identity, position, grained=True))
    return np.clip(colour, 0.004, 0.98).astype(np.float32)


def _over(colour: Array, paint_colour: Array, cover: Array) -> Array:
    return colour + (paint_colour - colour) * np.clip(cover, 0, 1)[..., None]


def _beard(identity: Identity, position: Array) -> Array:
    """How densely the beard covers the skin (...), in 0..1."""
    strength = BEARDS[identity.beard]
    if not strength:
        return np.zeros(position.shape[:-1])
    return strength * brows.beard_region(identity, position) * (1 - region("lips"))


def _scalp(identity: Identity, position: Array) -> Array:
    above = hair.hairline(position, identity)
    if identity.hair_style == "bald":
        return 0.18 * brows.step(above, 0.0, 0.15) * brows.step(-position[..., 1], -7.6, -7.3)
    return 0.92 * brows.step(above, -0.03, 0.09)


def _wrinkles(random: np.random.Generator, identity: Identity, position: Array) -> Array:
    strength = max(0.0, identity.age - 0.58) * 0.42
    if not strength:
        return np.zeros((SIZE, SIZE))
    x, y, _ = np.moveaxis(position, -1, 0)
    lines = np.zeros((SIZE, SIZE))
    for height in (7.60, 7.68, 7.77):
        bent = height + 0.03 * np.cos(x * 5 + random.random() * 3) + random.normal(0, 0.01)
        lines += np.exp(-(((y - bent) / 0.012) ** 2)) * np.exp(-((x / 0.38) ** 4))
    fold = 0.21 + 0.55 * (6.98 - y)
    lines += 1.3 * np.exp(-(((abs(x) - fold) / 0.018) ** 2)) * brows.step(y, 6.62, 6.72) * brows.step(-y, -7.0, -6.93)
    for spread in (-0.05, 0.0, 0.05):
        ray = 7.25 + spread + (abs(x) - 0.52) * spread * 7
        lines += 0.8 * np.exp(-(((y - ray) / 0.009) ** 2)) * np.exp(-(((abs(x) - 0.58) / 0.05) ** 2))
    return strength * np.clip(lines, 0, 1.4) * _face() + 0.05 * strength * abs(_noise(random, 60)) * _face()


def _moles(identity: Identity, position: Array) -> Array:
    spots = np.zeros((SIZE, SIZE))
    base = makehuman.base_mesh()[0][: hair.BODY_VERTICES]
    front = base[(base[:, 2] > 0.75) & (base[:, 1] > 6.2) & (base[:, 1] < 7.7)]
    for across, up, strength in identity.moles:
        at = front[np.argmin(np.hypot(front[:, 0] - (across - 0.5) * 1.1, front[:, 1] - 6.5 - up * 1.1))]
        spots += (0.35 + 0.3 * strength) * np.exp(-((position - at) ** 2).sum(-1) / (0.0003 + 0.0003 * strength))
    return np.clip(spots, 0, 0.7)


def _freckles(random: np.random.Generator, identity: Identity) -> Array:
    if not identity.freckles:
        return np.zeros((SIZE, SIZE))
    dots = gaussian_filter((random.random((SIZE, SIZE)) > 0.993).astype(np.float32), 1.0)
    return np.clip(dots / max(float(dots.max()), 1e-6) * 1.6, 0, 1) * identity.freckles * (0.3 + 0.7 * _blush())
