"""From meshes, light and backdrop to pixels: everything that is said to Mitsuba and its denoiser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.render import meshes
from generators.render.meshes import Mesh

Array = np.ndarray
Material = dict[str, Any]
"""Roughness and specular strength of a surface, each in 0..1."""
SATIN: Material = {"roughness": 0.5, "specular": 0.35}
CLOTH: Material = {"roughness": 0.9, "specular": 0.1}
GLOSSY: Material = {"roughness": 0.2, "specular": 0.6}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
MIDDLE_SKIN, MIDDLE_LIGHT = 0.36, 0.31
"""A skin that reflects MIDDLE_SKIN of the light comes out at MIDDLE_LIGHT of the picture's scale."""
SHOULDER = 0.5


@dataclass(frozen=True)
class Textured:
    """A mesh with texture coordinates (n, 2) and a texture (size, size, 3), linear RGB in 0..1."""

    vertices: Array
    faces: Array
    coordinates: Array
    texture: Array


Part = tuple[Mesh | Textured, Material]
"""A surface and what it is made of."""


@dataclass(frozen=True)
class Metering:
    """What the exposure is set by.

    Rows and columns (n, 2) of the person's face pixels, the reflectance of that skin in 0..1, and the greatest one of
    all the faces in the photo, which must not burn out.
    """

    pixels: Array
    skin: float
    lightest: float


def scene_of(parts: Sequence[Part]) -> dict[str, Any]:
    """Mitsuba's description of the parts."""
    return {
        f"part{index}": _to_mitsuba(f"part{index}", shape, material) for index, (shape, material) in enumerate(parts)
    }


def _colour(values: Sequence[float] | Array) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(v) for v in values]}


def lights(random: np.random.Generator, centre: Array, outdoors: bool) -> dict[str, Any]:
    """Light from the sky or a room all around, and a key light: the sun, or a large lamp or window near ``centre``."""
    angle = np.radians(random.uniform(-62, 62))
    direction = np.array([np.sin(angle), random.uniform(0.35, 0.95), np.cos(angle)])
    warmth = np.array([1, random.uniform(0.84, 1), random.uniform(0.66, 1.04)])
    # Far enough that the sun lights a house behind the person as it lights the person.
    distance = 6000.0 if outdoors else 15.0
    radius = distance * (random.uniform(0.10, 0.24) if outdoors else random.uniform(0.14, 0.26))
    share = (distance / radius) ** 2
    at = centre + distance * direction
    return {
        "type": "scene",
        "integrator": {"type": "direct", "emitter_samples": 1, "bsdf_samples": 0, "hide_emitters": True},
        "key": {
            "type": "sphere",
            "center": [float(v) for v in at],
            "radius": float(radius),
            "emitter": {"type": "area", "radiance": _colour(random.uniform(0.30, 0.62) * share * warmth)},
        },
        "around": _surrounding_light(random, outdoors),
    }


def _surrounding_light(random: np.random.Generator, outdoors: bool) -> dict[str, Any]:
    import mitsuba

    height = np.linspace(1, -1, 16)[:, None, None]
    above = np.array([0.80, 0.90, 1.05]) if outdoors else np.array([0.95, 0.92, 0.88])
    below = np.array([0.42, 0.40, 0.33]) if outdoors else np.array([0.50, 0.44, 0.38])
    share = 1 / (1 + np.exp(-6 * height))
    sky = (below + (above - below) * share) * np.ones((16, 32, 1))
    bright, column = random.uniform(0.0, 1.2), int(random.integers(32))
    sky[3:8] *= 1 + bright * np.exp(-(((np.arange(32) - column + 16) % 32 - 16) ** 2) / 14.0)[None, :, None]
    sky = sky * random.uniform(0.17, 0.36)
    return {"type": "envmap", "bitmap": mitsuba.Bitmap(np.ascontiguousarray(sky, np.float32))}


def _to_mitsuba(name: str, shape: Mesh | Textured, material: Material) -> Any:
    import mitsuba

    colour: dict[str, Any] = {"type": "mesh_attribute", "name": "vertex_color"}
    if isinstance(shape, Textured):
        colour = {"type": "bitmap", "bitmap": mitsuba.Bitmap(shape.texture), "raw": True, "filter_type": "bilinear"}
    properties = mitsuba.Properties()
    properties["mesh_bsdf"] = mitsuba.load_dict(
        {"type": "twosided", "inner": {"type": "principled", "base_color": colour, **material}}
    )
    textured = isinstance(shape, Textured)
    mesh = mitsuba.Mesh(
        name,
        len(shape.vertices),
        len(shape.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=textured,
        props=properties,
    )
    fields = mitsuba.traverse(mesh)
    fields["vertex_positions"] = np.ascontiguousarray(shape.vertices, np.float32).ravel()
    fields["faces"] = np.ascontiguousarray(shape.faces, np.uint32).ravel()
    normals = meshes.vertex_normals(shape.vertices, shape.faces)
    fields["vertex_normals"] = normals.astype(np.float32).ravel()
    if isinstance(shape, Textured):
        fields["vertex_texcoords"] = np.ascontiguousarray(shape.coordinates, np.float32).ravel()
    else:
        mesh.add_attribute("vertex_color", 3, np.asarray(shape.colours, np.float32).ravel().tolist())
    fields.update()
    return mesh


def develop(
    scene: dict[str, Any], backdrop: Array, metering: Metering, samples: int, random: np.random.Generator
) -> Array:
    """Trace, expose by the face, put the backdrop (k, k, 3) behind, denoise, quantise: pixels (size, size, 3) uint8."""
    import mitsuba
    import pyoidn

    loaded = mitsuba.load_dict(scene)
    traced = np.array(mitsuba.render(loaded, spp=samples, seed=mitsuba.UInt32(int(random.integers(2**31)))))
    light, cover = np.nan_to_num(np.clip(traced[..., :3], 0, 50)), np.clip(traced[..., 3:4], 0, 1)
    gain = MIDDLE_LIGHT / MIDDLE_SKIN * (MIDDLE_SKIN / metering.lightest) ** 0.35 * random.uniform(0.88, 1.15)
    wanted = metering.skin * gain
    rows, columns = metering.pixels.T
    measured = float(np.median(light[rows, columns] @ LUMINANCE)) if len(rows) else float(np.median(light @ LUMINANCE))
    light = light * (wanted / max(measured, 1e-3))
    behind = float(np.clip(gain, 0.75, 1.45)) * random.uniform(0.75, 1.05)
    light = light + (1 - cover) * _resized(backdrop, len(light)) * behind
    light = pyoidn.denoise(np.ascontiguousarray(light.astype(np.float32)), hdr=True)
    pixels = _toned(light) ** (1 / 2.2) + random.standard_normal(light.shape) * 0.008
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def _toned(light: Array) -> Array:
    """Film's answer to light: straight up to the shoulder, then ever less, never more than 1."""
    light = np.clip(light, 0, None)
    over = np.maximum(light - SHOULDER, 0)
    toned: Array = np.minimum(light, SHOULDER) + (1 - SHOULDER) * (1 - np.exp(-over / (1 - SHOULDER)))
    return toned


def _resized(picture: Array, size: int) -> Array:
    from PIL import Image

    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(picture[..., k], np.float32)).resize(
                (size, size), Image.Resampling.BOX if size < len(picture) else Image.Resampling.BICUBIC
            )
        )
        for k in range(3)
    ]
    return np.stack(channels, axis=-1)
