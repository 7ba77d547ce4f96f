"""One rendered photo: who is in it, how they look today, what stands beside them, and how it is composed."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from generators.render import backdrops, body, makehuman, meshes, things, tracer
from generators.render.body import Pose
from generators.render.camera import Camera
from generators.render.figure import person_parts
from generators.render.identity import Identity
from generators.render.tracer import Part

Array = np.ndarray
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


def companions_in(scenario: str) -> int:
    """How many people stand beside the person in a photo of ``scenario``."""
    return len(COMPANION_PLACES.get(scenario, ()))


def take(shot: Shot, size: int = 128, samples: int = 12) -> RenderedPhoto:
    """Render ``shot`` as a ``size`` x ``size`` PNG; equal arguments give equal pixels on one machine."""
    random = np.random.default_rng([17, shot.identity.seed, shot.seed])
    layout = LAYOUTS[shot.scenario]
    pose = body.random_pose(random, 34 if not shot.scenario else 24)
    clothes = list(CLOTHES_COLOURS)[int(random.integers(len(CLOTHES_COLOURS)))]
    surroundings = list(backdrops.SURROUNDINGS)[int(random.integers(len(backdrops.SURROUNDINGS)))]
    vertices = body.posed_shape(shot.identity, pose) + [layout.person_x, 0, 0]
    parts = person_parts(shot.identity, pose, vertices, np.array(CLOTHES_COLOURS[clothes]) * random.uniform(0.8, 1.2))
    face = makehuman.group_centre(vertices, "joint-head")
    centre = face - [layout.person_x, 0, 0]
    parts += _beside(shot, layout, centre, random)
    camera = _camera(random, centre, layout)
    scene = tracer.lights(random, centre) | tracer.backdrop(surroundings, centre, random) | camera.sensor(size, samples)
    pixels = tracer.develop(scene | tracer.scene_of(parts), samples, random)
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


def _beside(shot: Shot, layout: _Layout, centre: Array, random: np.random.Generator) -> list[Part]:
    parts: list[Part] = []
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
        parts += person_parts(companion, pose, vertices, np.array(colour))
    return parts


def _camera(random: np.random.Generator, centre: Array, layout: _Layout) -> Camera:
    aim = centre + [0, 0.30, 0.4]
    azimuth = np.radians(random.uniform(-13, 13) if not layout.thing_scale else random.uniform(-6, 6))
    direction = np.array([np.sin(azimuth), random.uniform(-0.05, 0.11), np.cos(azimuth)])
    origin = aim + random.uniform(*layout.distance) * direction
    return Camera(origin, aim + [random.uniform(-0.18, 0.18), random.uniform(-0.30, 0.02), 0])


def _encode(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
