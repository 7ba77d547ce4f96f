"""From meshes, light and backdrop to pixels: everything that is said to Mitsuba and its denoiser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.render import backdrops, meshes
from generators.render.meshes import Mesh

Array = np.ndarray
Material = dict[str, Any]
"""Roughness and specular strength of a surface, each in 0..1."""
SATIN: Material = {"roughness": 0.5, "specular": 0.35}
CLOTH: Material = {"roughness": 0.9, "specular": 0.1}
GLOSSY: Material = {"roughness": 0.2, "specular": 0.6}


@dataclass(frozen=True)
class Textured:
    """A mesh with texture coordinates (n, 2) and a texture (size, size, 3), linear RGB in 0..1."""

    vertices: Array
    faces: Array
    coordinates: Array
    texture: Array


Part = tuple[Mesh | Textured, Material]
"""A surface and what it is made of."""


def scene_of(parts: Sequence[Part]) -> dict[str, Any]:
    """Mitsuba's description of the parts."""
    return {
        f"part{index}": _to_mitsuba(f"part{index}", shape, material) for index, (shape, material) in enumerate(parts)
    }


def _colour(values: Sequence[float] | Array) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(v) for v in values]}


def lights(random: np.random.Generator, centre: Array) -> dict[str, Any]:
    """A random key light and fill light around ``centre``."""
    angle = np.radians(random.uniform(-75, 75))
    at = centre + 12 * np.array([np.sin(angle), random.uniform(0.3, 0.9), np.cos(angle)])
    warmth = np.array([1, random.uniform(0.82, 1), random.uniform(0.62, 1.05)])
    tint = np.array([random.uniform(0.85, 1), 0.95, random.uniform(0.88, 1.12)])
    return {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 3},
        "key": {
            "type": "sphere",
            "center": [float(v) for v in at],
            "radius": float(random.uniform(1.4, 3)),
            "emitter": {"type": "area", "radiance": _colour(random.uniform(9, 22) * warmth)},
        },
        "fill": {"type": "constant", "radiance": _colour(random.uniform(0.2, 0.6) * tint)},
    }


def backdrop(name: str, centre: Array, random: np.random.Generator) -> dict[str, Any]:
    """The painted surface behind everything."""
    import mitsuba

    picture = np.ascontiguousarray(backdrops.paint(name, random)[::-1])
    view = mitsuba.ScalarTransform4f().translate([0, float(centre[1]), -15]).scale([8.5, 8.5, 1])
    surface = {"type": "bitmap", "bitmap": mitsuba.Bitmap(picture), "raw": True}
    return {"backdrop": {"type": "rectangle", "to_world": view, "bsdf": {"type": "diffuse", "reflectance": surface}}}


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


def develop(scene: dict[str, Any], samples: int, random: np.random.Generator) -> Array:
    """Trace, denoise, expose and quantise: pixels (size, size, 3) uint8."""
    import mitsuba
    import pyoidn

    loaded = mitsuba.load_dict(scene)
    light = np.array(mitsuba.render(loaded, spp=samples, seed=mitsuba.UInt32(int(random.integers(2**31)))))[..., :3]
    light = np.ascontiguousarray(np.nan_to_num(np.clip(light, 0, 50)).astype(np.float32))
    light = pyoidn.denoise(light, hdr=True)
    light = light / max(float(np.percentile(light.mean(-1), 92)), 0.05) * random.uniform(0.45, 0.75)
    pixels = np.clip(light / (1 + 0.15 * light), 0, 1) ** (1 / 2.2) + random.standard_normal(light.shape) * 0.008
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
