"""Targets whose questions share one image prefix: the way from a checkpoint to answers, the same for every family."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.core.progress import ReportProgress
from bench.targets.base import Recipe, Target, TrainingExample
from bench.targets.checkpoints import checkpoint_digest, resolve_checkpoint
from bench.targets.packed.features import FeatureCache
from bench.targets.packed.model import PackedModel

if TYPE_CHECKING:
    import pandas as pd
    import torch


class PackedTarget(Target):
    """A target whose questions share one image prefix. A family says how its checkpoint is loaded; the rest is here."""

    loads: ClassVar[type[PackedModel]]
    """What a checkpoint of the family is loaded as."""

    @property
    def served_with_tower(self) -> bool:
        """Whether an engine must load the vision tower, though it is shown embeddings of photos only."""
        return False

    def served_folder(self, scratch: Path) -> Path:
        """The checkpoint that an engine serves; ``scratch`` is for one that must be made out of this target's own."""
        return resolve_checkpoint(self.spec.checkpoint)

    @cached_property
    def model(self) -> PackedModel:
        """The loaded model; the first use reads the weights."""
        return self.loads(self.spec)

    @cached_property
    def kept_features(self) -> FeatureCache:
        """Frozen vision features, by the tower that they come from."""
        if self.cache is None:
            return FeatureCache(None, "")
        return FeatureCache(self.cache, f"{checkpoint_digest(self.spec.checkpoint)[:16]}-{self.spec.dtype}")

    def finetune(
        self,
        examples: Sequence[TrainingExample],
        recipe: Recipe,
        seed: int,
        output: Path,
        report: ReportProgress,
        resume: Path | None = None,
    ) -> None:
        """See the base class."""
        if self.spec.processes > 1:
            from bench.targets.training.launching import finetune_in_processes

            finetune_in_processes(self, examples, recipe, seed, output, report, resume)
            return
        from bench.targets.training.finetuning import finetune_packed

        finetune_packed(self.model, self.kept_features, examples, recipe, seed, output, report, resume)

    def answer(
        self,
        requests: "pd.DataFrame",
        adapter: Path | None,
        report: ReportProgress,
        accepted: Sequence[str] = (),
    ) -> "pd.DataFrame":
        """See the base class."""
        from bench.targets.packed.answering import answer_packed

        if adapter is not None and is_checkpoint(adapter):
            return self.loaded_from(adapter).answer(requests, None, report, accepted)
        size = self.spec.batch_size
        return answer_packed(self.model, self.kept_features, requests, adapter, size, report, accepted)

    def loaded_from(self, checkpoint: Path) -> "PackedTarget":
        """The same target with the weights that full fine-tuning wrote."""
        return type(self)(replace(self.spec, checkpoint=str(checkpoint)), self.cache)

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        return self.model.encode(images)


def is_checkpoint(folder: Path) -> bool:
    """Whether fine-tuning wrote a whole checkpoint there, not an adapter."""
    return (folder / "config.json").exists()
