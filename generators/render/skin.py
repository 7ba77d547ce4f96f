"""The painted skin of one person: a texture over MakeHuman's own unwrapping."""

import functools

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from generators.render import makehuman
from generators.render.identity import BEARDS, Identity

Array = np.ndarray
SIZE = 512
FACE_SHARE_OF_BROW = 0.75


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
def brow_height() -> float:
    """Height of the brow ridge on the base mesh."""
    index, offset = makehuman.target(f"{makehuman.TARGETS}eyebrows/eyebrows-trans-up.target.gz")
    strength = np.linalg.norm(offset, axis=1)
    return float(makehuman.base_mesh()[0][index][strength > 0.75 * strength.max()][:, 1].mean())


def _step(x: Array, low: float, high: float) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _noise(random: np.random.Generator, scale: float) -> Array:
    field = gaussian_filter(random.standard_normal((SIZE, SIZE)), scale, mode="wrap")
    return field / field.std()


def paint(identity: Identity) -> Array:
    """The person's skin texture (SIZE, SIZE, 3), linear RGB in 0..1."""
    random = np.random.default_rng([11, identity.seed])
    position = texel_positions()
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    face = ((y > 6.2) & (z > 0)).astype(float)
    skin = np.array(identity.skin)
    colour = np.ones((SIZE, SIZE, 3)) * skin
    colour *= (1 + 0.035 * _noise(random, 8) + 0.03 * _noise(random, 2) + 0.02 * _noise(random, 0.8))[..., None]
    cheek = np.exp(-(((abs(x) - 0.42) / 0.3) ** 2 + ((y - 7.05) / 0.3) ** 2)) * face
    nose = np.exp(-((x / 0.2) ** 2 + ((y - 7.1) / 0.2) ** 2)) * face
    colour *= 1 - (cheek * 0.22 + nose * 0.18)[..., None] * np.array([0.25, 1, 1])
    lips = region("lips")[..., None] * 0.85
    colour = colour * (1 - lips) + skin * np.array([0.86, 0.55, 0.56]) * random.uniform(0.8, 1.05) * lips
    colour *= 1 - 0.35 * region("inside-mouth")[..., None]
    hair = np.array(identity.hair_colour) * 0.8
    for cover in (_brows(random, x, y, z, face), _beard(random, identity, x, y, z), _stubble(identity, x, y, z)):
        colour = colour * (1 - cover[..., None]) + hair * cover[..., None]
    wrinkles = max(0.0, identity.age - 0.6) * 2.5
    colour *= (1 - 0.06 * abs(_noise(random, 1.5)) * wrinkles * face)[..., None]
    colour *= 1 - (_freckles(random, identity) * face)[..., None]
    for across, up, strength in identity.moles:
        spot = (x - (across - 0.5) * 1.1) ** 2 + (y - 6.5 - up * 1.2) ** 2
        colour *= 1 - ((0.5 + 0.4 * strength) * np.exp(-spot / 0.0016) * face)[..., None]
    colour *= 1 - 0.25 * region("eyelids")[..., None]
    return np.clip(colour, 0.01, 0.98).astype(np.float32)


def _brows(random: np.random.Generator, x: Array, y: Array, z: Array, face: Array) -> Array:
    height = brow_height() + random.uniform(-0.03, 0.05)
    thickness, arch, slope = random.uniform(0.03, 0.085), random.uniform(0.1, 0.6), random.uniform(-0.12, 0.14)
    side = abs(x)
    line = height + slope * (side - 0.4) - arch * (side - 0.42) ** 2
    brow = np.exp(-(((y - line) / thickness) ** 2)) * _step(side, 0.10, 0.2) * (1 - _step(side, 0.62, 0.76))
    grain = FACE_SHARE_OF_BROW + (1 - FACE_SHARE_OF_BROW) * _noise(random, 1)
    return np.clip(brow * face * (z > 0.9) * 1.3 * grain, 0, 1)


def _beard(random: np.random.Generator, identity: Identity, x: Array, y: Array, z: Array) -> Array:
    strength = BEARDS[identity.beard]
    if not strength:
        return np.zeros_like(x)
    side = abs(x)
    jaw = _step(-y, -6.95, -6.75) * _step(y, 6.15, 6.35) * _step(z, 0.15, 0.5) * (side < 0.75)
    moustache = np.exp(-(((y - 6.86) / 0.06) ** 2)) * (side < 0.3)
    grain = 0.85 + 0.25 * _noise(random, 0.6)
    return np.clip(np.maximum(jaw, moustache) * (1 - region("lips")) * (y > 5.9) * strength * grain, 0, 0.95)


def _stubble(identity: Identity, x: Array, y: Array, z: Array) -> Array:
    if identity.hair_style not in ("cropped", "short"):
        return np.zeros_like(x)
    scalp = y > np.maximum(7.80 - 0.85 * np.clip(0.80 - z, 0, 9), 6.9)
    return gaussian_filter(scalp.astype(float), 2) * 0.8


def _freckles(random: np.random.Generator, identity: Identity) -> Array:
    dots = gaussian_filter((random.random((SIZE, SIZE)) > 0.996).astype(float), 0.7)
    return np.clip(dots / max(float(dots.max()), 1e-6), 0, 1) * (0.05 + identity.freckles)
