"""Stage: how far the protected photos are from the originals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.core.digests import digest_bytes
from bench.core.errors import DataError, VeilBenchError
from bench.stages.base import StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import read_protected, training_pairs
from bench.stages.references import ArtifactReference, DatasetReference, PinnedPlugin
from evaluators.registry import measure_all
from scenarios.pixels import decode_pixels

PHOTOS_FILE = "photos.parquet"


@dataclass(frozen=True)
class QualitySpec(StageSpec):
    """Compare protected photos with the originals."""

    name = "quality"
    seconds_per_unit = 0.01

    dataset: DatasetReference
    protected: ArtifactReference
    evaluators: tuple[PinnedPlugin, ...]

    @property
    def units(self) -> float:
        """Photos."""
        return self.dataset.n_photos

    @property
    def modules(self) -> tuple[str, ...]:
        """The evaluators of photos."""
        return tuple(one.module for one in self.evaluators)

    def compute(self, workspace: Workspace) -> None:
        """Write photos.parquet: one row a pair, columns of ``leaderboard.evidence.tables`` and one a metric."""
        pairs = training_pairs(dataset_of(self.dataset))
        protected = read_protected(workspace.artifact(self.protected))
        names = [one.name for one in self.evaluators]
        compare_photos(pairs, protected, names).to_parquet(workspace.folder / PHOTOS_FILE, index=False)


def compare_photos(pairs: pd.DataFrame, protected: dict[str, bytes], evaluators: list[str]) -> pd.DataFrame:
    """One row a pair: both digests, the largest change in grey levels, and a column for each metric of photos.

    Raises ``DataError`` naming a photo that is broken or resized, and ``VeilBenchError`` for an evaluator that gives a
    value for no single photo.
    """
    shown = pairs[["person_id", "scenario"]].assign(
        photo_id=pairs["pair_id"], original=pairs["image"], protected=pairs["pair_id"].map(protected)
    )
    columns = (shown[name].tolist() for name in ("photo_id", "original", "protected"))
    table = shown[["person_id", "scenario"]].assign(
        pair_id=shown["photo_id"],
        original_digest=[digest_bytes(image) for image in shown["original"]],
        protected_digest=[digest_bytes(image) for image in shown["protected"]],
        largest_change=[_largest_change(*photo) for photo in zip(*columns, strict=True)],
    )
    values = measure_all(shown, "photos", evaluators)
    strays = values[~values["item_id"].isin(table["pair_id"])]
    if len(strays):
        metric, item = strays["metric"].iloc[0], strays["item_id"].iloc[0]
        raise VeilBenchError(
            f"'{metric}' has a value for '{item}', which is no photo; a metric has one for each photo."
        )
    for metric, own in values.groupby("metric", sort=True):
        table[str(metric)] = table["pair_id"].map(dict(zip(own["item_id"], own["value"], strict=True))).astype(float)
    return table


def _largest_change(photo_id: str, original: bytes, protected: bytes) -> float:
    first, second = (decode_pixels(photo_id, image).astype(np.int16) for image in (original, protected))
    if first.shape != second.shape:
        raise DataError(f"photo '{photo_id}': the original is {first.shape}, the protected one {second.shape}.")
    return float(np.abs(first - second).max())
