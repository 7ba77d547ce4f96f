"""Stage: right or wrong, for each answer."""

from dataclasses import dataclass

import pandas as pd

from bench.stages.answer import ANSWERS_FILE
from bench.stages.base import StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.questions import QuestionsSpec, requests_of
from bench.stages.references import ArtifactReference, PinnedPlugin
from evaluators.registry import measure_all
from evaluators.scoring import score_answers

ROWS_FILE = "rows.parquet"
VALUES_FILE = "values.parquet"


@dataclass(frozen=True)
class ScoreSpec(StageSpec):
    """Score a model's answers."""

    name = "score"
    seconds_per_unit = 0.001

    questions: QuestionsSpec
    answers: ArtifactReference
    evaluators: tuple[PinnedPlugin, ...]

    @property
    def units(self) -> float:
        """Probes."""
        return self.questions.dataset.n_probes

    @property
    def modules(self) -> tuple[str, ...]:
        """The evaluators of answers."""
        return tuple(one.module for one in self.evaluators)

    def compute(self, workspace: Workspace) -> None:
        """Write rows.parquet (one scored row a request) and values.parquet (one row a metric and request)."""
        requests = requests_of(self.questions, workspace)
        answers = pd.read_parquet(workspace.artifact(self.answers) / ANSWERS_FILE)
        rows = score_answers(requests, answers, dataset_of(self.questions.dataset).people)
        rows.to_parquet(workspace.folder / ROWS_FILE, index=False)
        names = [one.name for one in self.evaluators]
        measure_all(rows, "answers", names).to_parquet(workspace.folder / VALUES_FILE, index=False)
