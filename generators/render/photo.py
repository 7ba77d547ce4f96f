"""One rendered photo: who is in it, how they look today, what stands beside them, and how it is composed."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from generators.render import backdrops, body, makehuman, meshes, tracer
from generators.render.body import Pose
from generators.render.camera import FIELD_OF_VIEW, Camera
from generators.render.figure import person_parts
from generators.render.identity import Identity
from generators.render.meshes import Mesh
from generators.render.solids import panel, slab, weathered
from generators.render.things import FAR, mesh_of, thing_of
from generators.render.things.thing import Thing
from generators.render.things.workplaces import badge
from generators.render.tracer import Material, Part
from scenarios.scenes import Layout
from scenarios.schema import load_portrait, load_scenarios

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
TABLES = ((0.30, 0.16, 0.07), (0.45, 0.30, 0.16), (0.60, 0.58, 0.54), (0.12, 0.07, 0.045), (0.30, 0.33, 0.30))
TABLE_FINISH: Material = {"roughness": 0.45, "specular": 0.35}
EYE_HEIGHT = 15.3
ABOVE_HEAD, HALF_HEAD = 2.08, 1.15


@dataclass(frozen=True)
class Shot:
    """What to photograph: a person in a scenario with its thing, or alone where ``scenario`` is empty.

    ``answer`` is one of the scenario's options; ``companions`` are the people beside the person, in the order of the
    layout's places.
    """

    identity: Identity
    seed: int
    scenario: str = ""
    answer: str = ""
    companions: tuple[Identity, ...] = ()


@dataclass(frozen=True)
class RenderedPhoto:
    """PNG bytes, the person's face box in pixels, what can be seen, and the pose for supervision."""

    image: bytes
    face_box: tuple[int, int, int, int]
    visible: dict[str, str]
    pose: Pose


@dataclass(frozen=True)
class Composition:
    """A photo before it is taken: what is in front of the camera, and what will be visible.

    ``person`` are the vertices (n, 3) of the person's body, ``people`` of everybody with the person first; ``thing``
    is the placed mesh of the affiliated thing, or None.
    """

    parts: list[Part]
    camera: Camera
    backdrop: Array
    outdoors: bool
    centre: Array
    pose: Pose
    visible: dict[str, str]
    people: tuple[Array, ...]
    thing: Mesh | None

    @property
    def person(self) -> Array:
        """The person's vertices (n, 3)."""
        return self.people[0]


def take(shot: Shot, size: int = 128, samples: int = 12) -> RenderedPhoto:
    """Render ``shot`` as a ``size`` x ``size`` PNG; equal arguments give equal pixels on one machine.

    Raises UsageError for a scenario, an answer or a shape that nobody knows.
    """
    random = np.random.default_rng([17, shot.identity.seed, shot.seed])
    photo = compose(shot, random)
    scene = tracer.lights(random, photo.centre, photo.outdoors) | photo.camera.sensor(size, samples)
    skins = [float(tracer.LUMINANCE @ np.array(who.skin)) for who in (shot.identity, *shot.companions)]
    metering = tracer.Metering(photo.camera.face_pixels(photo.person, size), skins[0], max(skins))
    pixels = tracer.develop(scene | tracer.scene_of(photo.parts), photo.backdrop, metering, samples, random)
    return RenderedPhoto(_encode(pixels), photo.camera.face_box(photo.person, size), photo.visible, photo.pose)


def compose(shot: Shot, random: np.random.Generator) -> Composition:
    """Put everything of ``shot`` in its place; raises UsageError as `take` does."""
    layout, thing = _specified(shot)
    pose = body.random_pose(random, 24 if shot.scenario else 34)
    clothes = _pick(random, list(CLOTHES_COLOURS))
    surroundings = _pick(random, _surroundings(thing))
    vertices = body.posed_shape(shot.identity, pose) + [layout.person_x, 0, 0]
    colour = np.array(CLOTHES_COLOURS[clothes]) * random.uniform(0.8, 1.2)
    parts = person_parts(shot.identity, pose, vertices, colour)
    centre = makehuman.group_centre(vertices, "joint-head") - [layout.person_x, 0, 0]
    people, beside = _companions(shot, layout, centre, random)
    camera = _camera(random, centre, layout, (vertices, *people))
    ground, footprints, placed = centre[1] - EYE_HEIGHT, [], None
    if thing is not None:
        placed, footprint = _placed(thing, layout, centre, random)
        parts.append((placed, thing.finish))
        parts += _setting(thing, layout, centre, vertices, random)
        if thing.setting == "ground":
            ground, footprints = centre[1] + layout.thing_at[1], [footprint]
    if len(people) > 1:
        parts += _counter_before(camera, centre, random)
    blur = random.uniform(0.5, 1.0) if shot.scenario else random.uniform(0.7, 2.4)
    backdrop = backdrops.paint(surroundings, random, backdrops.View(camera, float(ground), footprints, blur))
    return Composition(
        parts=parts + beside,
        camera=camera,
        backdrop=backdrop,
        outdoors=surroundings in backdrops.OUTDOORS,
        centre=centre,
        pose=pose,
        visible=_visible(shot.identity, clothes, surroundings, thing),
        people=(vertices, *people),
        thing=placed,
    )


def _specified(shot: Shot) -> tuple[Layout, Thing | None]:
    if not shot.scenario:
        return load_portrait().layout, None
    scenarios = load_scenarios()
    if shot.scenario not in scenarios:
        raise unknown_name("scenario", shot.scenario, scenarios)
    scenario = scenarios[shot.scenario]
    if shot.answer not in scenario.answers:
        raise UsageError(f"scenario '{shot.scenario}': {unknown_name('answer', shot.answer, scenario.answers)}")
    layout, scene = scenario.scene.layout, scenario.option(shot.answer).scene
    if len(shot.companions) > len(layout.companions):
        places = len(layout.companions)
        raise UsageError(
            f"scenario '{shot.scenario}': {len(shot.companions)} companions, its layout has {places} places"
        )
    return layout, thing_of(scene, shot.scenario, shot.answer, layout.thing_at[2])


def _pick(random: np.random.Generator, names: list[str]) -> str:
    return names[int(random.integers(len(names)))]


def _surroundings(thing: Thing | None) -> list[str]:
    if thing is None or thing.setting == "table":
        return list(backdrops.SURROUNDINGS)
    outdoors = thing.setting == "ground"
    return [name for name in backdrops.SURROUNDINGS if (name in backdrops.OUTDOORS) == outdoors]


def _visible(identity: Identity, clothes: str, surroundings: str, thing: Thing | None) -> dict[str, str]:
    visible = {
        "hair": identity.hair,
        "glasses": identity.glasses,
        "beard": identity.beard,
        "clothes": clothes,
        "surroundings": surroundings,
    }
    if identity.hair_style == "bald":
        del visible["hair"]
    if thing is not None and thing.setting == "room":
        del visible["surroundings"]
    return visible


def _placed(
    thing: Thing, layout: Layout, centre: Array, random: np.random.Generator
) -> tuple[Mesh, backdrops.Footprint]:
    angle = float(random.uniform(-layout.turn, layout.turn))
    scale = layout.thing_scale * (1.0 if thing.setting == "room" else random.uniform(0.94, 1.06))
    shake = random.uniform(-0.03, 0.03, 3) * layout.thing_scale * [1, 0, 1]
    mesh = mesh_of(thing)
    at = centre + layout.thing_at + (0 if thing.setting == "room" else shake)
    low, high = mesh.vertices.min(0) * scale, mesh.vertices.max(0) * scale
    footprint = backdrops.Footprint(at[[0, 2]], 0.42 * (high - low)[[0, 2]], np.radians(angle))
    return meshes.placed(mesh, at, makehuman.rotation("y", angle), scale), footprint


def _setting(thing: Thing, layout: Layout, centre: Array, vertices: Array, random: np.random.Generator) -> list[Part]:
    """What comes with a thing: the table that it stands on, or the badge that is worn where it is."""
    if thing.setting == "table":
        height, depth = centre[1] + layout.thing_at[1], centre[2] + layout.thing_at[2]
        return [(_table(height, depth, random), TABLE_FINISH)]
    if thing.setting == "room":
        x, y = centre[0] + layout.person_x, centre[1] - 1.75
        near = vertices[(abs(vertices[:, 0] - x) < 0.35) & (abs(vertices[:, 1] - y) < 0.45)]
        front = float(near[:, 2].max()) if len(near) else float(centre[2]) + 1.0
        stripe = _pick(random, list(CLOTHES_COLOURS))
        return [(badge(np.array([x, y, front + 0.12]), CLOTHES_COLOURS[stripe]), {"roughness": 0.4, "specular": 0.4})]
    return []


def _counter_before(camera: Camera, centre: Array, random: np.random.Generator) -> list[Part]:
    """A counter along the lower edge of the picture, as high as it takes to hide where the clothes end."""
    depth = float(centre[2]) + 2.4
    slope = np.tan(np.radians(FIELD_OF_VIEW / 2))
    height = float(camera.aim[1]) - 0.80 * (float(camera.origin[2]) - depth) * slope
    front = slab((-7, height - 6, depth - 0.5), (7, height - 0.2, depth + 0.8), np.array(TABLES[-1]) * 0.7)
    return [(_table(height, depth, random), TABLE_FINISH), (front, TABLE_FINISH)]


def _table(height: float, depth: float, random: np.random.Generator) -> Mesh:
    colour = np.array(TABLES[int(random.integers(len(TABLES)))]) * random.uniform(0.8, 1.2)
    planks = random.uniform(0.7, 1.3, 5)

    def wood(u: Array, v: Array) -> Array:
        grain = 1 + 0.10 * np.sin(v * 60 + 3 * np.sin(u * 7)) + 0.05 * np.sin(u * 90)
        seam = np.where(v * 4 % 1 < 0.04, 0.5, 1.0)
        return (planks[(v * 4).astype(int)] * grain * seam)[..., None] * colour

    low, high = depth - 0.95, depth + 1.0
    top = panel((-6, height, high), (12, 0, 0), (0, 0, low - high), wood, 90)
    edge = weathered(slab((-6, height - 0.22, low), (6, height - 0.005, high - 0.01), colour * 0.8), 0.15, 2)
    return meshes.merge([top, edge])


def _companions(
    shot: Shot, layout: Layout, centre: Array, random: np.random.Generator
) -> tuple[tuple[Array, ...], list[Part]]:
    people, parts = [], []
    for companion, place in zip(shot.companions, layout.companions, strict=False):
        pose = body.random_pose(random, 18)
        vertices = body.posed_shape(companion, pose)
        vertices = vertices + (centre + place - makehuman.group_centre(vertices, "joint-head"))
        colour = np.array(CLOTHES_COLOURS[_pick(random, list(CLOTHES_COLOURS))]) * random.uniform(0.8, 1.2)
        people.append(vertices)
        parts += person_parts(companion, pose, vertices, colour)
    return tuple(people), parts


def _camera(random: np.random.Generator, centre: Array, layout: Layout, people: tuple[Array, ...]) -> Camera:
    distance = random.uniform(*layout.distance)
    # What stands far behind would leave the picture if the camera went round the person by more.
    far = layout.thing_at[2] < FAR
    swing = 13 if _alone(layout) else 1.5 if far else 5
    azimuth = np.radians(random.uniform(-swing, swing))
    direction = np.array([np.sin(azimuth), random.uniform(*((0.0, 0.06) if far else (-0.05, 0.11))), np.cos(azimuth)])
    if _alone(layout):
        aim = centre + [0, 0.36, 0.4]
        return Camera(aim + distance * direction, aim + [random.uniform(-0.18, 0.18), random.uniform(-0.30, 0.02), 0])
    heads = np.array([makehuman.group_centre(vertices, "joint-head") for vertices in people])
    left, right = heads[:, 0].min() - HALF_HEAD, heads[:, 0].max() + HALF_HEAD
    slope = np.tan(np.radians(FIELD_OF_VIEW / 2))
    if len(people) > 1:
        distance = max(distance, (right - left) / 2 / slope)
    middle = (left + right) / 2 if len(people) > 1 else centre[0]
    aim = np.array(
        [middle, heads[:, 1].max() + ABOVE_HEAD + random.uniform(0.0, 0.15) - distance * slope, centre[2] + 0.4]
    )
    return Camera(aim + distance * direction, aim + [random.uniform(-0.06, 0.06), 0, 0])


def _alone(layout: Layout) -> bool:
    return not layout.thing_scale and not layout.companions


def _encode(pixels: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
