"""What a photo of a scenario looks like, for a renderer and for a diffusion model alike."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bench.core.models import Strict
from scenarios.yaml_files import Text, require_placeholders


def _check_colour(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    if not all(0.0 <= channel <= 1.0 for channel in colour):
        raise ValueError("must be three numbers from 0 to 1 (linear red, green, blue)")
    return colour


def _check_range(distance: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 < distance[0] <= distance[1]:
        raise ValueError("must be the nearest and the farthest distance, both above 0")
    return distance


Point = tuple[float, float, float]
Extent = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
Colour = Annotated[Point, AfterValidator(_check_colour)]
Companion = Literal["man", "woman"]
ScenePrompt = Annotated[str, require_placeholders("person", "thing")]
PortraitPrompt = Annotated[str, require_placeholders("person", optional=("clothes", "surroundings"))]


class Layout(Strict):
    """Where everything stands, in decimetres; x to the right in the picture, y up, z towards the camera.

    ``person_x`` moves the person sideways, ``distance`` is the camera's nearest and farthest distance. ``thing_at``
    and ``companions`` are counted from the middle of a head that is not moved sideways; the thing is scaled by
    ``thing_scale`` (0: there is none) and turned by at most ``turn`` degrees either way. ``companions`` are the
    places of other people's heads, the first ones taken first.
    """

    person_x: float
    distance: Annotated[tuple[float, float], AfterValidator(_check_range)]
    thing_at: Point = (0.0, 0.0, 0.0)
    thing_scale: float = Field(default=0.0, ge=0)
    turn: float = Field(default=0.0, ge=0, le=180)
    companions: tuple[Point, ...] = ()


class Box(Strict):
    """An upright box: its centre and its half extents."""

    kind: Literal["box"]
    centre: Point
    half: Extent
    colour: Colour


class Ellipsoid(Strict):
    """An upright ellipsoid: its centre and its half axes."""

    kind: Literal["ellipsoid"]
    centre: Point
    half: Extent
    colour: Colour


class Roof(Strict):
    """A gabled roof whose ridge runs along x: the centre and half extents of the box around it."""

    kind: Literal["roof"]
    centre: Point
    half: Extent
    colour: Colour


class Rod(Strict):
    """A round rod between two points; with ``end_radius`` it tapers."""

    kind: Literal["rod"]
    start: Point
    end: Point
    radius: float = Field(gt=0)
    end_radius: float | None = Field(default=None, ge=0)
    colour: Colour

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end of a rod must differ")
        return self


class Ring(Strict):
    """A ring that stands upright and looks along z: its radius, and the radius of its tube."""

    kind: Literal["ring"]
    centre: Point
    radius: float = Field(gt=0)
    thickness: float = Field(gt=0)
    colour: Colour


Solid = Annotated[Box | Ellipsoid | Roof | Rod | Ring, Field(discriminator="kind")]
"""One solid of a thing whose base stands at the origin and which is about one unit tall; colours are linear RGB."""


class OptionScene(Strict):
    """What stands beside the person in a photo of this answer.

    ``phrase`` says it in words, for a prompt. A renderer takes the one of the three others that is given: ``shape``,
    the name of a thing that it knows; ``solids``, a thing put together here; or ``companions``, other people.
    """

    phrase: Text
    shape: str = ""
    solids: tuple[Solid, ...] = ()
    companions: tuple[Companion, ...] = ()

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if sum(map(bool, (self.shape, self.solids, self.companions))) != 1:
            raise ValueError("must have exactly one of shape, solids and companions")
        return self


class SceneSpecification(Strict):
    """How a photo of a scenario is composed: for a renderer the layout, for a diffusion model the prompts."""

    layout: Layout
    prompts: tuple[ScenePrompt, ...] = Field(min_length=2)

    def check_option(self, scene: OptionScene) -> None:
        """Raise ``ValueError`` where the layout has no place for what the option shows."""
        places = len(self.layout.companions)
        if len(scene.companions) > places:
            raise ValueError(f"has {len(scene.companions)} companions, and scene.layout.companions has {places} places")
        if not scene.companions and not self.layout.thing_scale:
            raise ValueError("shows a thing, so scene.layout.thing_scale must be above 0")


class Portrait(Strict):
    """How a photo that shows only the person is composed."""

    version: int = Field(ge=1)
    layout: Layout
    prompts: tuple[PortraitPrompt, ...] = Field(min_length=4)

    @model_validator(mode="after")
    def _check_alone(self) -> Self:
        if self.layout.companions or self.layout.thing_scale:
            raise ValueError("a portrait's layout must have neither companions nor a thing_scale")
        return self
