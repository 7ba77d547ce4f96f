"""Stage: every training photo through a defense."""

import time
from collections.abc import Mapping, Sequence

import pandas as pd

from bench.defenses.base import Budget, DefenseContext, Surrogate
from bench.defenses.photo import decode_photo
from bench.defenses.registry import build_defense
from bench.stages.datasets import dataset_of
from bench.core.device import detect_device
from bench.stages.photos import PROTECTED_FILE, training_pairs
from bench.stages.base import ProtectSpec, Workspace
from bench.targets.registry import targets


def protect(spec: ProtectSpec, workspace: Workspace) -> Mapping[str, float]:
    """Write photos.parquet: pair_id, image (the saved PNG), largest_change (grey levels). Costs: seconds_per_photo."""
    pairs = training_pairs(dataset_of(spec.dataset))
    photos = [
        decode_photo(row["pair_id"], row["image"], row["face_box"])
        for row in pairs[["pair_id", "image", "face_box"]].to_dict("records")
    ]
    defense = build_defense(spec.defense, spec.options)
    surrogates = [targets.get(one.spec.family)(one.spec) for one in spec.surrogates]
    _warm_up(surrogates)
    context = DefenseContext(
        budget=Budget(spec.budget_norm, spec.budget_eps),
        seed=spec.seed,
        surrogates=surrogates,
        device=detect_device(),
        report=workspace.report,
    )
    start = time.perf_counter()
    protected = defense.protect(photos, context)
    seconds = time.perf_counter() - start
    frame = pd.DataFrame(
        {
            "pair_id": [photo.photo_id for photo in protected],
            "image": [photo.image for photo in protected],
            "largest_change": [photo.largest_change for photo in protected],
        }
    )
    frame.to_parquet(workspace.folder / PROTECTED_FILE, index=False)
    return {"seconds_per_photo": seconds / max(1, len(photos))}


def _warm_up(surrogates: Sequence[Surrogate]) -> None:
    """Import torch and load weights now, so that neither counts as the cost of a photo."""
    import torch

    for surrogate in surrogates:
        surrogate.encode(torch.zeros(1, 3, 64, 64))
