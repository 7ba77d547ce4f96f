"""Stage: how far the protected photos are from the originals."""

from dataclasses import dataclass

from bench.stages.base import StageSpec, Workspace
from bench.stages.datasets import dataset_of
from bench.stages.photos import read_protected, training_pairs
from bench.stages.references import ArtifactReference, DatasetReference, PinnedPlugin
from evaluators.registry import measure_all

VALUES_FILE = "values.parquet"


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
        """Write values.parquet: one row a metric and photo, columns of ``evaluators.base.VALUE_COLUMNS``."""
        pairs = training_pairs(dataset_of(self.dataset))
        protected = read_protected(workspace.artifact(self.protected))
        rows = pairs[["person_id", "scenario"]].assign(
            photo_id=pairs["pair_id"], original=pairs["image"], protected=pairs["pair_id"].map(protected)
        )
        names = [one.name for one in self.evaluators]
        measure_all(rows, "photos", names).to_parquet(workspace.folder / VALUES_FILE, index=False)
