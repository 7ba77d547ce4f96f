"""The stage that asks: what the target is told of right answers, and what becomes of answers that are no numbers."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from miniature_world import Miniature
from safetensors.torch import load_file, save_file

from bench.core.progress import quiet
from bench.core.store import ArtifactStore
from bench.stages.answer import ANSWERS_FILE, AnswerSpec
from bench.stages.base import EngineAccess, Workspace
from bench.stages.questions import QuestionsSpec, build_requests
from bench.stages.references import DatasetReference, PinnedTarget
from bench.targets.base import TargetSpec
from evaluators.scoring import score_answers
from leaderboard.measuring import run_metrics
from scenarios.dataset import Dataset, load_dataset

SILENT = {"text": "", "choice": -1, "status": "invalid"}


class Listener:
    """Keeps what it is asked, and says nothing."""

    def answer(self, requests: pd.DataFrame, adapter: Any, report: Any, accepted: Sequence[str] = ()) -> pd.DataFrame:
        self.requests, self.accepted = requests, accepted
        return requests[["request_id"]].assign(**SILENT, option_logprobs=[[] for _ in range(len(requests))])


def asked(miniature: Miniature, checkpoint: str, backend: str = "transformers") -> AnswerSpec:
    """Every probe of the miniature dataset, put to a base model."""
    location = str(miniature.dataset)
    dataset = DatasetReference(location, None, load_dataset(location).digest)
    target = PinnedTarget(TargetSpec(checkpoint), "digest", "bench.targets.llava")
    return AnswerSpec(QuestionsSpec(dataset, None, 1.0, 0), target, None, backend)


def all_that_counts(dataset: Dataset) -> list[str]:
    """Every answer and alias of every probe, once."""
    return sorted({*dataset.probes["answer"], *(alias for row in dataset.probes["aliases"] for alias in row)})


def test_a_target_is_told_all_that_counts_and_of_no_question_what(
    miniature: Miniature, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    monkeypatch.setattr("bench.stages.answer.build_target", lambda spec, features: listener)
    asked(miniature, "any").compute(Workspace(ArtifactStore(tmp_path), tmp_path, quiet()))
    assert list(listener.accepted) == all_that_counts(dataset)
    assert list(listener.requests.columns) == ["request_id", "image", "question", "options"]


def test_an_engine_is_asked_with_the_same_answers_in_mind(
    miniature: Miniature, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()

    def through_engine(
        target: Listener, digest: str, questions: pd.DataFrame, adapter: Any, address: str, settings: Any, logs: Any,
        report: Any, accepted: Sequence[str] = (), resume: Any = None,
    ) -> pd.DataFrame:  # fmt: skip
        return target.answer(questions, adapter, report, accepted)

    monkeypatch.setattr("bench.stages.answer.build_target", lambda spec, features: listener)
    monkeypatch.setattr("bench.targets.vllm.serving.answer_through_engine", through_engine)
    engine: Any = EngineAccess(settings=None, address="http://127.0.0.1:9")  # type: ignore[arg-type]
    workspace = Workspace(ArtifactStore(tmp_path), tmp_path, quiet(), "key", engine)
    asked(miniature, "any", "vllm").compute(workspace)
    assert list(listener.accepted) == all_that_counts(dataset)


def test_answers_out_of_weights_that_are_not_finite_are_unscored_in_every_metric(
    miniature: Miniature, dataset: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(miniature.checkpoint, folder)
    state = load_file(folder / "model.safetensors")
    name = next(name for name in state if name.endswith("lm_head.weight"))
    state[name] = torch.full_like(state[name], float("nan"))
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    asked(miniature, str(folder)).compute(Workspace(ArtifactStore(tmp_path), tmp_path, quiet()))
    answers = pd.read_parquet(tmp_path / ANSWERS_FILE)
    assert set(answers["status"]) == {"error"}
    rows = score_answers(build_requests(dataset, None), answers, dataset.people)
    metrics = {one.name: one for one in run_metrics(rows, None, ["leakage"], "base", 0) if one.scenario is None}
    leakage = metrics["leakage"]
    held_out = dataset.probes[(dataset.probes["kind"] == "held_out") & (dataset.probes["scenario"] != "name")]
    assert (leakage.value, leakage.n_probes, leakage.n_unscored) == (None, 0, len(held_out))
    assert leakage.refusal == "no answer could be scored"
