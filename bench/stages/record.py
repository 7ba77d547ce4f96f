"""Stage: a run's numbers with their intervals, measured against its controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.stages.base import StageSpec, Workspace
from bench.stages.metrics import measured_metrics
from bench.stages.quality import VALUES_FILE
from bench.stages.references import ArtifactReference, PinnedPlugin
from evaluators.registry import metric_definitions
from leaderboard.schema import Record, RunSpec

RECORD_FILE = "record.json"


@dataclass(frozen=True)
class RecordSpec(StageSpec):
    """Measure one run against its controls.

    ``content`` is the record without its metrics, as ``leaderboard.schema.Record`` takes it; how the run was asked
    for and what a reader must know is added when it is published. ``scores``, ``base`` and ``undefended`` are scored
    answers of the run and of its controls; ``undefended`` and ``quality`` are None for the base control. How intervals
    are drawn stands in the content's own spec.
    """

    name = "record"
    units = 1.0
    seconds_per_unit = 1.0

    content: Mapping[str, Any]
    scores: ArtifactReference
    base: ArtifactReference
    undefended: ArtifactReference | None
    quality: ArtifactReference | None
    evaluators: tuple[PinnedPlugin, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        """The evaluators, who declare the metrics."""
        return tuple(one.module for one in self.evaluators)

    def compute(self, workspace: Workspace) -> None:
        """Write record.json: a ``leaderboard.schema.Record`` whose rows file is named when it is published."""

        def values(reference: ArtifactReference | None) -> pd.DataFrame | None:
            return None if reference is None else pd.read_parquet(workspace.artifact(reference) / VALUES_FILE)

        answered, base = values(self.scores), values(self.base)
        assert answered is not None and base is not None
        quality = values(self.quality)
        run = RunSpec.model_validate(self.content["spec"])
        metrics = measured_metrics(
            values=answered if quality is None else pd.concat([answered, quality], ignore_index=True),
            base=base,
            undefended=values(self.undefended),
            definitions=metric_definitions([one.name for one in self.evaluators]),
            attack=run.attack,
            seed=run.seed,
            bootstrap=run.bootstrap,
        )
        content = Record.model_validate({**self.content, "metrics": metrics})
        (workspace.folder / RECORD_FILE).write_text(content.model_dump_json(indent=1) + "\n", encoding="utf-8")
