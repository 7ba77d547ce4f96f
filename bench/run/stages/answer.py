"""Stage: the querier asks a model every probe."""

from bench.run.questions import requests_of, spread_answers, unique_questions
from bench.run.specs import AnswerSpec, Workspace
from bench.targets.registry import targets

ANSWERS_FILE = "answers.parquet"


def answer(spec: AnswerSpec, workspace: Workspace) -> None:
    """Write answers.parquet: one row a request, as ``Target.answer`` returns them."""
    requests = requests_of(spec.questions, workspace)
    adapter = workspace.artifact(spec.adapter) if spec.adapter is not None else None
    target = targets.get(spec.target.spec.family)(spec.target.spec)
    answers = target.answer(unique_questions(requests), adapter, workspace.report)
    spread_answers(requests, answers).to_parquet(workspace.folder / ANSWERS_FILE, index=False)
