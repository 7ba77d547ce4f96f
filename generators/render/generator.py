"""The renderer as a photo source: fictitious people, path traced."""

from typing import ClassVar

from bench.core.registry import unknown_name
from generators.base import Generator, ReportProgress
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

    def build(self, name: str, limit: int | None, workers: int, report: ReportProgress) -> Dataset:
        """See the base class."""
        from generators.render.dataset import PLANS, render_dataset

        if name not in PLANS:
            raise unknown_name("rendered dataset", name, PLANS)
        return render_dataset(PLANS[name], limit, workers, report)
