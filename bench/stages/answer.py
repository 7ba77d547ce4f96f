"""Stage: the querier asks a model every probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.core.errors import VeilBenchError
from bench.stages.base import Needs, StageSpec, Workspace
from bench.stages.questions import QuestionsSpec, requests_of, spread_answers, unique_questions
from bench.stages.references import ArtifactReference, PinnedTarget
from bench.targets.base import Target
from bench.targets.registry import build_target

ANSWERS_FILE = "answers.parquet"


@dataclass(frozen=True)
class AnswerSpec(StageSpec):
    """Ask a model: the base model where ``adapter`` is None, else one fine-tuned with LoRA of rank ``lora_rank``."""

    name = "answer"
    seconds_per_unit = 0.015

    questions: QuestionsSpec
    target: PinnedTarget
    adapter: ArtifactReference | None
    backend: str = "transformers"
    lora_rank: int = 0

    @property
    def units(self) -> float:
        """Probes."""
        return self.questions.dataset.n_probes

    @property
    def needs(self) -> Needs:
        """Weights and the cache of a batch of questions."""
        return Needs(memory_bytes=800_000_000 + 2 * self.target.weight_bytes, accelerator=True)

    @property
    def modules(self) -> tuple[str, ...]:
        """The target's family."""
        return (self.target.module,)

    def compute(self, workspace: Workspace) -> None:
        """Write answers.parquet: one row a request, as ``Target.answer`` returns them."""
        requests = requests_of(self.questions, workspace)
        adapter = workspace.artifact(self.adapter) if self.adapter is not None else None
        target = build_target(self.target.spec, workspace.features)
        questions = unique_questions(requests)
        # All that counts anywhere, so that nothing tells which answer is whose.
        accepted = sorted({*requests["answer"], *requests["aliases"].explode().dropna()})
        if self.backend == "transformers":
            answers = target.answer(questions, adapter, workspace.report, accepted)
        else:
            answers = self._served(target, questions, adapter, workspace, accepted)
        spread_answers(requests, answers).to_parquet(workspace.folder / ANSWERS_FILE, index=False)

    def _served(
        self,
        target: Target,
        questions: pd.DataFrame,
        adapter: Path | None,
        workspace: Workspace,
        accepted: Sequence[str],
    ) -> pd.DataFrame:
        from bench.targets.vllm.serving import answer_through_engine

        if workspace.engine is None:
            raise VeilBenchError("the stage is to be answered by vLLM, but no engine was started for it.")
        return answer_through_engine(
            target, self.target.digest, questions, adapter, workspace.engine.address, workspace.engine.settings,
            workspace.store.root / "logs", workspace.report, accepted, workspace.resume,
        )  # fmt: skip
