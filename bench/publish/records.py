"""From the store to what people read: record files, and the page."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.locks import file_lock
from bench.core.store import ArtifactStore
from bench.stages.photos import read_protected, training_pairs
from bench.plan.plan import Plan, Run
from bench.stages.record import RECORD_FILE
from bench.stages.score import ROWS_FILE
from leaderboard.pictures import Picture
from leaderboard.records import write_record
from leaderboard.schema import Invocation, Record
from leaderboard.site import build_site
from scenarios.dataset import Dataset

RECORDS_FOLDER = "records"


@dataclass(frozen=True)
class PublishedRun:
    """A run with its record, the file that the record stands in, and what it cost."""

    run: Run
    record: Record
    path: Path
    costs: dict[str, Any]


@dataclass(frozen=True)
class Publication:
    """The page's index and every run's record beside it."""

    page: Path
    runs: tuple[PublishedRun, ...]


def publish(plan: Plan, store: ArtifactStore, dataset: Dataset, output: Path) -> Publication:
    """Write records and page of a computed plan into ``output``; a second process that does so waits."""
    output.mkdir(parents=True, exist_ok=True)
    with file_lock(output / ".publish.lock"):
        for left_over in output.glob(".records-*"):
            shutil.rmtree(left_over)
        with tempfile.TemporaryDirectory(dir=output, prefix=".records-") as fresh:
            written = [_write_run(run, plan, store, Path(fresh)) for run in plan.runs]
            page = build_site(plan.suite.title, Path(fresh), _pictures(plan, store, dataset), output)
    folder = output / RECORDS_FOLDER
    runs = tuple(PublishedRun(one.run, one.record, folder / one.path.name, one.costs) for one in written)
    return Publication(page, runs)


def _write_run(run: Run, plan: Plan, store: ArtifactStore, folder: Path) -> PublishedRun:
    computed = Record.model_validate_json((_artifact(plan, store, run.stages["record"]) / RECORD_FILE).read_bytes())
    asked = Invocation(suite=plan.suite.source, seed=plan.suite.seed_given)
    record = computed.model_copy(update={"invocation": asked})
    rows = pd.read_parquet(_artifact(plan, store, run.stages["score"]) / ROWS_FILE)
    costs = _costs(run, plan, store)
    return PublishedRun(run, record, write_record(record, rows, costs, folder), costs)


def _costs(run: Run, plan: Plan, store: ArtifactStore) -> dict[str, Any]:
    """Seconds to protect one photo, and what each stage took."""
    stages: dict[str, dict[str, float]] = {}
    for what, name in run.stages.items():
        stage = plan.stages[name]
        stages[what] = store.costs(stage.kind, stage.key)
    seconds = stages.get("protect", {}).get("seconds_per_photo")
    return {"stages": stages, **({} if seconds is None else {"seconds_per_photo": seconds})}


def _pictures(plan: Plan, store: ArtifactStore, dataset: Dataset) -> Sequence[Picture]:
    """The first person's first photo under each defense."""
    first = training_pairs(dataset).iloc[0]
    pictures = []
    for defense, name in plan.protections.items():
        protected = read_protected(_artifact(plan, store, name))
        pictures.append(Picture(defense, first["image"], protected[first["pair_id"]]))
    return pictures


def _artifact(plan: Plan, store: ArtifactStore, name: str) -> Path:
    stage = plan.stages[name]
    path = store.find(stage.kind, stage.key)
    assert path is not None, f"{name} is a goal of the plan or rests on one"
    return path
