"""The affiliated things of the scenarios: a library of shapes by name, and things that a scenario file spells out.

Names are the ``scene.shape`` values of the scenario files. Every builder returns one mesh whose base stands at the
origin, about one unit tall, looking towards +z; ``photo.py`` scales and places it.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from generators.render import meshes
from generators.render.meshes import Mesh
from generators.render.things import homes, pets, valuables, vehicles, workplaces
from generators.render.things.thing import Setting, Thing
from generators.render.tracer import Material
from scenarios.scenes import OptionScene, Solid

FAR = -30.0
"""A thing that a scenario file spells out stands on the ground where its layout puts it farther back than this."""


@functools.cache
def library() -> Mapping[str, Thing]:
    """All shapes that the renderer knows, by name."""
    matte = {"roughness": 0.75, "specular": 0.2}
    panes = {"roughness": 0.15, "specular": 0.7}
    paint = {"roughness": 0.22, "specular": 0.6, "clearcoat": 0.6}
    varnish = {"roughness": 0.28, "specular": 0.5}
    gold = {"roughness": 0.22, "metallic": 0.75, "specular": 0.6}
    kinds: tuple[tuple[Setting, Material, tuple[Callable[[], Mesh], ...]], ...] = (
        ("ground", matte, (homes.brick_house, homes.villa, homes.log_cabin, homes.cottage)),
        ("ground", panes, (homes.glass_tower,)),
        ("ground", paint, (vehicles.hatchback, vehicles.van, vehicles.pickup, vehicles.taxi, vehicles.limousine)),
        ("table", matte, (pets.dog, pets.cat, pets.parrot, pets.rabbit, pets.tortoise)),
        ("table", varnish, (valuables.guitar, valuables.violin, valuables.camera, valuables.painting)),
        ("table", gold, (valuables.trophy,)),
        ("room", matte, (workplaces.bakery, workplaces.hospital, workplaces.library)),
        ("room", matte, (workplaces.garage, workplaces.school)),
    )
    known = {build.__name__: Thing(build, setting, finish) for setting, finish, builders in kinds for build in builders}
    return MappingProxyType(known)


def thing_of(scene: OptionScene, scenario: str, answer: str, depth: float) -> Thing | None:
    """The thing of an option, or None where it shows companions; ``depth`` is the z of its layout.

    Raises UsageError naming the scenario, the answer and near names for a shape that the library does not know.
    """
    if scene.solids:
        return Thing(functools.partial(_built, scene.solids), "ground" if depth < FAR else "table")
    if not scene.shape:
        return None
    if scene.shape not in library():
        raise UsageError(f"scenario '{scenario}', answer '{answer}': {unknown_name('shape', scene.shape, library())}")
    return library()[scene.shape]


@functools.lru_cache(maxsize=64)
def mesh_of(thing: Thing) -> Mesh:
    """The thing's mesh, built once."""
    return thing.build()


def _built(solids: tuple[Solid, ...]) -> Mesh:
    return meshes.merge([_solid(solid) for solid in solids])


def _solid(solid: Solid) -> Mesh:
    if solid.kind == "rod":
        return meshes.rod(solid.start, solid.end, solid.radius, solid.colour, solid.end_radius)
    if solid.kind == "ring":
        return meshes.ring(solid.centre, solid.radius, solid.thickness, solid.colour)
    shapes = {"box": meshes.box, "ellipsoid": meshes.ellipsoid, "roof": meshes.roof}
    return shapes[solid.kind](solid.centre, solid.half, solid.colour)
