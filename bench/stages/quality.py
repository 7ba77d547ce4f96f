"""Stage: how far the protected photos are from the originals."""

from bench.stages.datasets import dataset_of
from bench.stages.photos import read_protected, training_pairs
from bench.stages.base import QualitySpec, Workspace
from evaluators.registry import measure_all

VALUES_FILE = "values.parquet"


def quality(spec: QualitySpec, workspace: Workspace) -> None:
    """Write values.parquet: one row a metric and photo, columns of ``evaluators.base.VALUE_COLUMNS``."""
    pairs = training_pairs(dataset_of(spec.dataset))
    protected = read_protected(workspace.artifact(spec.protected))
    rows = pairs[["person_id", "scenario"]].assign(
        photo_id=pairs["pair_id"], original=pairs["image"], protected=pairs["pair_id"].map(protected)
    )
    measure_all(rows, "photos").to_parquet(workspace.folder / VALUES_FILE, index=False)
