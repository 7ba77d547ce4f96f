"""Stage: a run's numbers with their intervals, measured against its controls."""

import pandas as pd

from bench.stages.metrics import measured_metrics
from bench.stages.base import ArtifactReference, RecordSpec, Workspace
from bench.stages.quality import VALUES_FILE
from leaderboard.schema import Record, RunSpec

RECORD_FILE = "record.json"


def record(spec: RecordSpec, workspace: Workspace) -> None:
    """Write record.json: a ``leaderboard.schema.Record`` whose rows file is named when it is published."""

    def values(reference: ArtifactReference | None) -> pd.DataFrame | None:
        return None if reference is None else pd.read_parquet(workspace.artifact(reference) / VALUES_FILE)

    answered, base = values(spec.scores), values(spec.base)
    assert answered is not None and base is not None
    quality = values(spec.quality)
    run = RunSpec.model_validate(spec.content["spec"])
    metrics = measured_metrics(
        values=answered if quality is None else pd.concat([answered, quality], ignore_index=True),
        base=base,
        undefended=values(spec.undefended),
        attack=run.attack,
        seed=run.seed,
        bootstrap=run.bootstrap,
    )
    content = Record.model_validate({**spec.content, "metrics": metrics})
    (workspace.folder / RECORD_FILE).write_text(content.model_dump_json(indent=1) + "\n", encoding="utf-8")
