"""Stage: a run's numbers with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.stages.base import StageSpec, Workspace
from bench.stages.quality import PHOTOS_FILE
from bench.stages.references import ArtifactReference, PinnedPlugin
from bench.stages.score import ROWS_FILE
from leaderboard.evidence.scorer import scorer_digest, scoring_modules
from leaderboard.measuring import run_metrics
from leaderboard.schema import Record, RunSpec

RECORD_FILE = "record.json"


@dataclass(frozen=True)
class RecordSpec(StageSpec):
    """Measure one run.

    ``content`` is the record without its metrics and what computed them, as ``leaderboard.schema.Record`` takes it; how
    the run was asked for, its tables and what a reader must know are added when it is published. ``scores`` are the
    run's scored answers, ``quality`` its compared photos, None for the base control.
    """

    name = "record"
    units = 1.0
    seconds_per_unit = 1.0

    content: Mapping[str, Any]
    scores: ArtifactReference
    quality: ArtifactReference | None
    evaluators: tuple[PinnedPlugin, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        """The evaluators, and all code that the record says has scored it."""
        return (*(one.module for one in self.evaluators), *scoring_modules())

    def compute(self, workspace: Workspace) -> None:
        """Write record.json: a ``leaderboard.schema.Record`` whose tables are named when it is published."""
        rows = pd.read_parquet(workspace.artifact(self.scores) / ROWS_FILE)
        photos = None if self.quality is None else pd.read_parquet(workspace.artifact(self.quality) / PHOTOS_FILE)
        run = RunSpec.model_validate(self.content["spec"])
        names = sorted(one.name for one in self.evaluators)
        computed = {
            "metrics": run_metrics(rows, photos, names, run.attack, run.seed),
            "evaluators": names,
            "scorer": scorer_digest(names),
        }
        record = Record.model_validate({**self.content, **computed})
        (workspace.folder / RECORD_FILE).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
