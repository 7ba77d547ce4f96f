"""From the store to what people read: record files, and the page."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import VeilBenchError
from bench.core.locks import file_lock
from bench.core.store import ArtifactStore
from bench.execute.base import StageFailure
from bench.plan.plan import Plan, PlannedRun
from bench.publish.current import is_current, mark_current, publication_key
from bench.publish.disclosures import run_disclosures, suite_disclosures
from bench.publish.missing import missing_runs
from bench.stages.datasets import open_dataset
from bench.stages.photos import read_protected, training_pairs
from bench.stages.quality import PHOTOS_FILE
from bench.stages.record import RECORD_FILE
from bench.stages.score import ROWS_FILE
from bench.targets.checkpoints import shipped_checkpoints
from leaderboard.boards.board import Board
from leaderboard.boards.building import build_boards
from leaderboard.evidence.verdicts import verdicts_folder
from leaderboard.missing import MissingRun
from leaderboard.pictures import Picture
from leaderboard.records import write_record
from leaderboard.runs import RecordedRun, load_runs
from leaderboard.schema import Invocation, Record
from leaderboard.site import PAGE, build_site, page_folder
from scenarios.dataset import Dataset

RECORDS_FOLDER = "records"


@dataclass(frozen=True)
class PublishedRun:
    """A run with its record, the file that the record stands in, and what it cost."""

    run: PlannedRun
    record: Record
    path: Path
    costs: dict[str, Any]


@dataclass(frozen=True)
class Publication:
    """The page's index, every run's record beside it, what they say together, and the runs that have none."""

    page: Path
    runs: tuple[PublishedRun, ...]
    boards: tuple[Board, ...]
    missing: tuple[MissingRun, ...] = ()


def publish(
    plan: Plan, store: ArtifactStore, dataset: Dataset, output: Path, failures: Sequence[StageFailure] = ()
) -> Publication:
    """Write records and page of a computed plan into ``output``, unless they are there; a second process waits.

    Runs that rest on a failed stage are left out and named on the page. Raises VeilBenchError where none is left, and
    UsageError where something must be written and cannot be.
    """
    missing = missing_runs(plan, failures)
    left = [run for run in plan.runs if run.digest not in missing]
    if not left:
        first = f": {failures[0].stage}: {failures[0].reason}" if failures else "."
        raise VeilBenchError(f"no run of suite {plan.suite.name} has a result, so there is no page{first}")
    told = tuple(missing.values())
    said = _suite_disclosures(plan, dataset)
    key = publication_key(plan, said, told)
    if not is_current(output, key):
        page_folder(output)
    with file_lock(output / ".publish.lock", needed=False):
        if not is_current(output, key):
            _write(left, plan, store, dataset, said, told, output)
            mark_current(output, key)
        recorded = load_runs(output / RECORDS_FOLDER, verdicts_folder(store))
    return Publication(output / PAGE, _published(left, recorded), build_boards(recorded, told), told)


def _write(
    runs: Sequence[PlannedRun],
    plan: Plan,
    store: ArtifactStore,
    dataset: Dataset,
    said: Sequence[str],
    missing: Sequence[MissingRun],
    output: Path,
) -> None:
    for left_over in output.glob(".records-*"):
        shutil.rmtree(left_over)
    # Those of all cohorts, whichever the suite trains on: the records' dataset digest covers them, too.
    people = open_dataset(plan.suite.dataset, plan.limit).people
    with tempfile.TemporaryDirectory(dir=output, prefix=".records-") as fresh:
        for run in runs:
            _write_run(run, plan, store, said, people, Path(fresh))
        pictures = _pictures(plan, store, dataset)
        build_site(plan.suite.title, Path(fresh), pictures, output, missing, verdicts_folder(store))


def _published(runs: Sequence[PlannedRun], recorded: Sequence[RecordedRun]) -> tuple[PublishedRun, ...]:
    by_digest = {one.record.run_digest: one for one in recorded}
    found = [(run, by_digest[run.digest]) for run in runs]
    return tuple(PublishedRun(run, one.record, one.folder / f"{one.stem}.json", dict(one.costs)) for run, one in found)


def _suite_disclosures(plan: Plan, dataset: Dataset) -> tuple[str, ...]:
    shipped = shipped_checkpoints()
    embedded = [entry.checkpoint for entry in plan.suite.targets if entry.checkpoint in shipped]
    sources = sorted(set(training_pairs(dataset)["source"]))
    return suite_disclosures(embedded, sources, len(plan.suite.seeds), plan.limit)


def _write_run(
    run: PlannedRun, plan: Plan, store: ArtifactStore, said: Sequence[str], people: pd.DataFrame, folder: Path
) -> None:
    rows = pd.read_parquet(_artifact(plan, store, run.stages["score"]) / ROWS_FILE)
    compared = run.stages.get("quality")
    photos = None if compared is None else pd.read_parquet(_artifact(plan, store, compared) / PHOTOS_FILE)
    write_record(_published_record(run, plan, store, said), rows, people, photos, _costs(run, plan, store), folder)


def _published_record(run: PlannedRun, plan: Plan, store: ArtifactStore, said: Sequence[str]) -> Record:
    """The computed record with all that decides no number: how it was asked for, its label, and disclosures."""
    computed = Record.model_validate_json((_artifact(plan, store, run.stages["record"]) / RECORD_FILE).read_bytes())
    suite = plan.suite
    return computed.model_copy(
        update={
            "invocation": Invocation(suite=suite.source, seed=suite.seed_given, changes=list(suite.changes)),
            "label": "" if run.label == run.defense else run.label,
            "disclosures": run_disclosures(said, computed),
        }
    )


def _costs(run: PlannedRun, plan: Plan, store: ArtifactStore) -> dict[str, Any]:
    """Seconds to protect one photo, and what each stage took."""
    stages: dict[str, dict[str, float]] = {}
    for what, name in run.stages.items():
        stage = plan.stages[name]
        stages[what] = store.costs(stage.kind, stage.key)
    seconds = stages.get("protect", {}).get("seconds_per_photo")
    return {"stages": stages, **({} if seconds is None else {"seconds_per_photo": seconds})}


def _pictures(plan: Plan, store: ArtifactStore, dataset: Dataset) -> Sequence[Picture]:
    """The first photo of the first cohort's first person, under each defense that has protected photos."""
    cohort = plan.cohorts[0]
    first = training_pairs(dataset.of_cohort(cohort)).iloc[0]
    names = {run.label: run.defense for run in plan.runs}
    pictures = []
    for label, protect in plan.protections.items():
        stage = plan.stages[protect[cohort]]
        folder = store.find(stage.kind, stage.key)
        if folder is not None:
            protected = read_protected(folder)
            pictures.append(Picture(label, first["image"], protected[first["pair_id"]], names[label]))
    return pictures


def _artifact(plan: Plan, store: ArtifactStore, name: str) -> Path:
    stage = plan.stages[name]
    path = store.find(stage.kind, stage.key)
    assert path is not None, f"{name} is a goal of the plan or rests on one"
    return path
