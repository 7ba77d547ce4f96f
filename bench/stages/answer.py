"""Stage: the querier asks a model every probe."""

from pathlib import Path

import pandas as pd

from bench.core.errors import VeilBenchError
from bench.stages.questions import requests_of, spread_answers, unique_questions
from bench.stages.base import AnswerSpec, Workspace
from bench.targets.base import Target
from bench.targets.registry import targets

ANSWERS_FILE = "answers.parquet"


def answer(spec: AnswerSpec, workspace: Workspace) -> None:
    """Write answers.parquet: one row a request, as ``Target.answer`` returns them."""
    requests = requests_of(spec.questions, workspace)
    adapter = workspace.artifact(spec.adapter) if spec.adapter is not None else None
    target = targets.get(spec.target.spec.family)(spec.target.spec, workspace.features)
    questions = unique_questions(requests)
    if spec.backend == "transformers":
        answers = target.answer(questions, adapter, workspace.report)
    else:
        answers = _served(target, spec, questions, adapter, workspace)
    spread_answers(requests, answers).to_parquet(workspace.folder / ANSWERS_FILE, index=False)


def _served(
    target: Target, spec: AnswerSpec, questions: pd.DataFrame, adapter: Path | None, workspace: Workspace
) -> pd.DataFrame:
    from bench.targets.vllm.serving import answer_through_engine

    if workspace.engine is None:
        raise VeilBenchError("the stage is to be answered by vLLM, but no engine was started for it.")
    return answer_through_engine(
        target, spec.target.digest, questions, adapter, workspace.engine.address, workspace.engine.settings,
        workspace.store.root / "logs", workspace.report,
    )  # fmt: skip
