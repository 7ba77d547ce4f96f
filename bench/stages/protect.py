"""Stage: every training photo through a defense."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.core.device import detect_device
from bench.core.errors import DataError
from bench.defenses.base import Budget, DefenseContext, Surrogate
from bench.defenses.photo import decode_photo
from bench.defenses.registry import build_defense
from bench.stages.base import Needs, StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import PROTECTED_FILE, photo_of_each, training_pairs
from bench.stages.references import DatasetReference, PinnedPlugin, PinnedTarget
from bench.targets.registry import build_target
from scenarios.pixels import content_problem


@dataclass(frozen=True)
class ProtectSpec(StageSpec):
    """Protect every photo of the dataset, once however many facts it tells. ``budget_eps`` is in 8-bit grey levels."""

    name = "protect"

    dataset: DatasetReference
    defense: PinnedPlugin
    options: Mapping[str, Any]
    budget_norm: str
    budget_eps: float
    surrogates: tuple[PinnedTarget, ...]
    seed: int

    @property
    def kind(self) -> str:
        """Defenses take from milliseconds to minutes a photo."""
        return f"{self.name}-{self.defense.name}"

    @property
    def units(self) -> float:
        """Photos."""
        return self.dataset.n_photos

    @property
    def seconds_per_unit(self) -> float:
        """Optimising against an encoder is what takes time."""
        return 0.6 * len(self.surrogates) or 0.01

    @property
    def needs(self) -> Needs:
        """The surrogates' weights and the activations of a batch, where there are surrogates."""
        weights = sum(one.weight_bytes for one in self.surrogates)
        return Needs(memory_bytes=600_000_000 + 3 * weights, accelerator=bool(self.surrogates))

    @property
    def modules(self) -> tuple[str, ...]:
        """The defense and the families of the surrogates."""
        return (self.defense.module, *(one.module for one in self.surrogates))

    def compute(self, workspace: Workspace) -> Mapping[str, float]:
        """Write photos.parquet: pair_id, image (the saved PNG), largest_change (grey levels).

        Costs: seconds_per_photo.
        """
        pairs = training_pairs(dataset_of(self.dataset))
        photo = photo_of_each(pairs)
        photos = [
            decode_photo(row["pair_id"], row["image"], row["face_box"])
            for row in pairs.loc[photo == pairs["pair_id"], ["pair_id", "image", "face_box"]].to_dict("records")
        ]
        for one in photos:
            problem = content_problem(one.pixels)
            if problem:
                raise DataError(
                    f"training photo '{one.photo_id}' {problem}: take it out (`veilbench data check` names all)."
                )
        defense = build_defense(self.defense.name, self.options)
        surrogates = [build_target(one.spec) for one in self.surrogates]
        _warm_up(surrogates)
        context = DefenseContext(
            budget=Budget(self.budget_norm, self.budget_eps),
            seed=self.seed,
            surrogates=surrogates,
            device=detect_device(),
            report=workspace.report,
        )
        start = time.perf_counter()
        protected = {one.photo_id: one for one in defense.protect(photos, context)}
        seconds = time.perf_counter() - start
        frame = pd.DataFrame(
            {
                "pair_id": pairs["pair_id"],
                "image": [protected[photo_id].image for photo_id in photo],
                "largest_change": [protected[photo_id].largest_change for photo_id in photo],
            }
        )
        frame.to_parquet(workspace.folder / PROTECTED_FILE, index=False)
        return {"seconds_per_photo": seconds / max(1, len(photos))}


def _warm_up(surrogates: Sequence[Surrogate]) -> None:
    """Import torch and load weights now, so that neither counts as the cost of a photo."""
    import torch

    for surrogate in surrogates:
        surrogate.encode(torch.zeros(1, 3, 64, 64))
