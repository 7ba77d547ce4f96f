"""One rendered photo: who is in it, how they look today, what stands beside them, light, camera, picture."""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from generators.render import backdrops, body, head, makehuman, meshes, skin, things
from generators.render.body import Pose
from generators.render.identity import Identity
from generators.render.meshes import Mesh

Array = np.ndarray
FIELD_OF_VIEW = 24.0
LOWEST_VISIBLE = 3.2
CLOTHES_COLOURS = {
    "red": (0.55, 0.02, 0.02),
    "green": (0.03, 0.30, 0.05),
    "blue": (0.02, 0.08, 0.50),
    "yellow": (0.80, 0.62, 0.03),
    "purple": (0.22, 0.03, 0.38),
    "white": (0.85, 0.85, 0.85),
    "black": (0.012, 0.012, 0.012),
    "orange": (0.85, 0.22, 0.01),
}


@dataclass(frozen=True)
class Shot:
    """What to photograph. ``shape`` is a thing of ``things.THINGS`` or empty; companions stand beside the person."""

    identity: Identity
    seed: int
    scenario: str = ""
    shape: str = ""
    companions: tuple[Identity, ...] = ()


@dataclass(frozen=True)
class RenderedPhoto:
    """PNG bytes, the person's face box in pixels, what can be seen, and the pose for supervision."""

    image: bytes
    face_box: tuple[int, int, int, int]
    visible: dict[str, str]
    pose: Pose


@dataclass(frozen=True)
class _Layout:
    person_x: float
    distance: tuple[float, float]
    thing_at: tuple[float, float, float]
    thing_scale: float
    turn: float


PORTRAIT = _Layout(0.0, (6.3, 8.6), (0, 0, 0), 0.0, 0.0)
LAYOUTS = {
    "": PORTRAIT,
    "home": _Layout(-0.75, (8.0, 9.2), (2.5, -1.9, -11.0), 3.6, 20),
    "vehicle": _Layout(-0.75, (8.0, 9.2), (2.5, -1.9, -9.0), 2.3, 30),
    "pet": _Layout(-0.65, (7.8, 8.8), (0.95, -1.75, 0.6), 1.25, 25),
    "valuables": _Layout(-0.65, (7.8, 8.8), (0.95, -1.75, 0.6), 1.2, 15),
    "partner": _Layout(-0.85, (8.0, 8.8), (0, 0, 0), 0.0, 0.0),
    "friends": _Layout(-0.2, (8.0, 8.8), (0, 0, 0), 0.0, 0.0),
    "workplace": _Layout(-0.3, (7.6, 8.8), (0.4, -2.2, -4.0), 3.0, 5),
}
COMPANION_PLACES = {"partner": ((1.0, -0.15, -0.9),), "friends": ((1.75, -0.1, -2.6), (-2.05, -0.1, -2.8))}


def take(shot: Shot, size: int = 128, samples: int = 12) -> RenderedPhoto:
    """Render ``shot`` as a ``size`` x ``size`` PNG; equal arguments give equal pixels on one machine."""
    random = np.random.default_rng([17, shot.identity.seed, shot.seed])
    layout = LAYOUTS[shot.scenario]
    pose = body.random_pose(random, 34 if not shot.scenario else 24)
    clothes = list(CLOTHES_COLOURS)[int(random.integers(len(CLOTHES_COLOURS)))]
    surroundings = list(backdrops.SURROUNDINGS)[int(random.integers(len(backdrops.SURROUNDINGS)))]
    vertices = body.posed_shape(shot.identity, pose) + [layout.person_x, 0, 0]
    parts = _person(shot.identity, pose, vertices, np.array(CLOTHES_COLOURS[clothes]) * random.uniform(0.8, 1.2))
    face = makehuman.group_centre(vertices, "joint-head")
    centre = face - [layout.person_x, 0, 0]
    parts += _beside(shot, layout, centre, random)
    camera = _camera(random, centre, layout)
    scene = _lights(random, centre) | _backdrop(surroundings, centre, random) | camera.sensor(size, samples)
    for index, (shape, material) in enumerate(parts):
        scene[f"part{index}"] = _to_mitsuba(f"part{index}", shape, material)
    pixels = _develop(scene, samples, random)
    visible = {
        "hair": shot.identity.hair,
        "glasses": shot.identity.glasses,
        "beard": shot.identity.beard,
        "clothes": clothes,
        "surroundings": surroundings,
    }
    if shot.identity.hair_style == "bald":
        del visible["hair"]
    return RenderedPhoto(_encode(pixels), camera.face_box(vertices, size), visible, pose)


Material = dict[str, Any]
SATIN: Material = {"roughness": 0.5, "specular": 0.35}
CLOTH: Material = {"roughness": 0.9, "specular": 0.1}
GLOSSY: Material = {"roughness": 0.2, "specular": 0.6}


@dataclass(frozen=True)
class _Textured:
    vertices: Array
    faces: Array
    coordinates: Array
    texture: Array


def _person(identity: Identity, pose: Pose, vertices: Array, clothes: Array) -> list[tuple[Mesh | _Textured, Material]]:
    parts: list[tuple[Mesh | _Textured, Material]] = [
        (_skin_mesh(identity, vertices), SATIN),
        (head.eyes(identity, pose, vertices), GLOSSY),
        (head.teeth(vertices), GLOSSY),
        (head.top(vertices, np.clip(clothes, 0, 0.95), LOWEST_VISIBLE), CLOTH),
    ]
    hair, glasses = head.hair(identity, pose, vertices), head.glasses(identity, pose, vertices)
    if hair is not None:
        parts.append((hair, SATIN))
    if glasses is not None:
        parts.append((glasses, GLOSSY))
    return parts


@functools.lru_cache(maxsize=8)
def _painted(identity: Identity) -> Array:
    return skin.paint(identity)


@functools.cache
def _skin_topology() -> tuple[Array, Array, Array]:
    base, texture, groups = makehuman.base_mesh()
    faces = groups["body"]
    faces = faces[(base[faces[..., 0]][..., 1] > 5.2).all(1)]
    pairs, index = np.unique(faces.reshape(-1, 2), axis=0, return_inverse=True)
    coordinates = texture[pairs[:, 1]]
    return pairs[:, 0], index.reshape(-1, 3), coordinates * [1, -1] + [0, 1]


def _skin_mesh(identity: Identity, vertices: Array) -> _Textured:
    index, faces, coordinates = _skin_topology()
    return _Textured(vertices[index], faces, coordinates, _painted(identity))


def _beside(
    shot: Shot, layout: _Layout, centre: Array, random: np.random.Generator
) -> list[tuple[Mesh | _Textured, Material]]:
    parts: list[tuple[Mesh | _Textured, Material]] = []
    if shot.shape in things.THINGS:
        turn = makehuman.rotation("y", float(random.uniform(-layout.turn, layout.turn)))
        at = centre + layout.thing_at + random.uniform(-0.12, 0.12, 3)
        mesh = meshes.placed(things.THINGS[shot.shape](), at, turn, layout.thing_scale * random.uniform(0.92, 1.08))
        parts.append((mesh, {"roughness": 0.45, "specular": 0.4}))
    for companion, place in zip(shot.companions, COMPANION_PLACES.get(shot.scenario, ()), strict=True):
        pose = body.random_pose(random, 18)
        vertices = body.posed_shape(companion, pose)
        vertices = vertices + (centre + place - makehuman.group_centre(vertices, "joint-head"))
        colour = list(CLOTHES_COLOURS.values())[int(random.integers(len(CLOTHES_COLOURS)))]
        parts += _person(companion, pose, vertices, np.array(colour))
    return parts


@dataclass(frozen=True)
class _Camera:
    origin: Array
    aim: Array

    def sensor(self, size: int, samples: int) -> dict[str, Any]:
        import mitsuba

        view = mitsuba.ScalarTransform4f().look_at(
            origin=[float(v) for v in self.origin], target=[float(v) for v in self.aim], up=[0, 1, 0]
        )
        return {
            "sensor": {
                "type": "perspective",
                "fov": FIELD_OF_VIEW,
                "to_world": view,
                "film": {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}},
                "sampler": {"type": "independent", "sample_count": samples},
            }
        }

    def face_box(self, vertices: Array, size: int) -> tuple[int, int, int, int]:
        """The face's box x0, y0, x1, y1 in pixels, cut to the photo."""
        base = makehuman.base_mesh()[0]
        face = vertices[: head.BODY_VERTICES][(base[: head.BODY_VERTICES, 1] > 6.35)]
        forward = (self.aim - self.origin) / np.linalg.norm(self.aim - self.origin)
        right = np.cross(forward, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        offset = face - self.origin
        reach = (offset @ forward) * np.tan(np.radians(FIELD_OF_VIEW / 2))
        x, y = (1 + offset @ right / reach) * size / 2, (1 - offset @ up / reach) * size / 2
        low, high = np.clip([x.min(), y.min()], 0, size), np.clip([x.max(), y.max()], 0, size)
        return int(low[0]), int(low[1]), int(np.ceil(high[0])), int(np.ceil(high[1]))


def _camera(random: np.random.Generator, centre: Array, layout: _Layout) -> _Camera:
    aim = centre + [0, 0.30, 0.4]
    azimuth = np.radians(random.uniform(-13, 13) if not layout.thing_scale else random.uniform(-6, 6))
    direction = np.array([np.sin(azimuth), random.uniform(-0.05, 0.11), np.cos(azimuth)])
    origin = aim + random.uniform(*layout.distance) * direction
    return _Camera(origin, aim + [random.uniform(-0.18, 0.18), random.uniform(-0.30, 0.02), 0])


def _colour(values: Sequence[float] | Array) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(v) for v in values]}


def _lights(random: np.random.Generator, centre: Array) -> dict[str, Any]:
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


def _backdrop(name: str, centre: Array, random: np.random.Generator) -> dict[str, Any]:
    import mitsuba

    picture = np.ascontiguousarray(backdrops.paint(name, random)[::-1])
    view = mitsuba.ScalarTransform4f().translate([0, float(centre[1]), -15]).scale([8.5, 8.5, 1])
    surface = {"type": "bitmap", "bitmap": mitsuba.Bitmap(picture), "raw": True}
    return {"backdrop": {"type": "rectangle", "to_world": view, "bsdf": {"type": "diffuse", "reflectance": surface}}}


def _to_mitsuba(name: str, shape: Mesh | _Textured, material: Material) -> Any:
    import mitsuba

    colour: dict[str, Any] = {"type": "mesh_attribute", "name": "vertex_color"}
    if isinstance(shape, _Textured):
        colour = {"type": "bitmap", "bitmap": mitsuba.Bitmap(shape.texture), "raw": True, "filter_type": "bilinear"}
    properties = mitsuba.Properties()
    properties["mesh_bsdf"] = mitsuba.load_dict(
        {"type": "twosided", "inner": {"type": "principled", "base_color": colour, **material}}
    )
    textured = isinstance(shape, _Textured)
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
    if isinstance(shape, _Textured):
        fields["vertex_texcoords"] = np.ascontiguousarray(shape.coordinates, np.float32).ravel()
    else:
        mesh.add_attribute("vertex_color", 3, np.asarray(shape.colours, np.float32).ravel().tolist())
    fields.update()
    return mesh


def _develop(scene: dict[str, Any], samples: int, random: np.random.Generator) -> Array:
    import mitsuba
    import pyoidn

    loaded = mitsuba.load_dict(scene)
    light = np.array(mitsuba.render(loaded, spp=samples, seed=mitsuba.UInt32(int(random.integers(2**31)))))[..., :3]
    light = np.ascontiguousarray(np.nan_to_num(np.clip(light, 0, 50)).astype(np.float32))
    light = pyoidn.denoise(light, hdr=True)
    light = light / max(float(np.percentile(light.mean(-1), 92)), 0.05) * random.uniform(0.45, 0.75)
    pixels = np.clip(light / (1 + 0.15 * light), 0, 1) ** (1 / 2.2) + random.standard_normal(light.shape) * 0.008
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def _encode(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
