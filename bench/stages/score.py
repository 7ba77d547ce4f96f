"""Stage: right or wrong, for each answer."""

import pandas as pd

from bench.stages.datasets import dataset_of
from bench.stages.questions import requests_of
from bench.stages.base import ScoreSpec, Workspace
from bench.stages.answer import ANSWERS_FILE
from bench.stages.quality import VALUES_FILE
from evaluators.registry import measure_all
from evaluators.scoring import score_answers

ROWS_FILE = "rows.parquet"


def score(spec: ScoreSpec, workspace: Workspace) -> None:
    """Write rows.parquet (one scored row a request) and values.parquet (one row a metric and request)."""
    requests = requests_of(spec.questions, workspace)
    answers = pd.read_parquet(workspace.artifact(spec.answers) / ANSWERS_FILE)
    rows = score_answers(requests, answers, dataset_of(spec.questions.dataset).people)
    rows.to_parquet(workspace.folder / ROWS_FILE, index=False)
    measure_all(rows, "answers").to_parquet(workspace.folder / VALUES_FILE, index=False)
