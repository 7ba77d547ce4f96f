"""What a shape of the renderer's library is, besides its mesh."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from generators.render.meshes import Colour, Mesh

Setting = Literal["ground", "table", "room"]

DARK: Colour = (0.02, 0.02, 0.02)
GLASS: Colour = (0.05, 0.08, 0.11)
WHITE: Colour = (0.82, 0.82, 0.79)
WOOD: Colour = (0.28, 0.14, 0.06)
METAL: Colour = (0.55, 0.55, 0.56)
GOLD: Colour = (0.80, 0.52, 0.10)
LEAF: Colour = (0.06, 0.17, 0.035)


@dataclass(frozen=True)
class Thing:
    """A builder of a mesh, where such a thing stands, and its surface.

    ``ground``: outdoors, behind the person · ``table``: on a table in front of the person · ``room``: furniture around
    the person, built in tenths of the layout's scale around the person's chest.
    """

    build: Callable[[], Mesh]
    setting: Setting
    finish: dict[str, Any] = field(default_factory=lambda: {"roughness": 0.6, "specular": 0.3}, hash=False)
