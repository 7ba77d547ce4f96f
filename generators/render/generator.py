"""The renderer as a photo source: fictitious people, path traced."""

from typing import ClassVar

from bench.core.registry import unknown_name
from generators.base import BuildOrder, Generator
from generators.registry import generators
from scenarios.dataset import Dataset


@generators.register("render")
class Render(Generator):
    """MakeHuman people in scenes, rendered with Mitsuba; needs the ``render`` parts."""

    source: ClassVar[str] = "rendered"

    def names(self) -> tuple[str, ...]:
        """See the base class."""
        from generators.render.dataset import PLANS

        return tuple(PLANS)

    def build(self, order: BuildOrder) -> Dataset:
        """See the base class."""
        from generators.render.dataset import PLANS, render_dataset

        if order.name not in PLANS:
            raise unknown_name("rendered dataset", order.name, PLANS)
        return render_dataset(PLANS[order.name], order)
