"""A run with its answers and costs, read once for all pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.core.digests import short
from bench.core.errors import DataError
from evaluators.base import Metric, count_unscored
from evaluators.registry import metric_definitions
from evaluators.zero import fact_choices
from leaderboard.evidence.cells import control_fault, doubled_runs
from leaderboard.evidence.tables import read_photos
from leaderboard.measuring import run_values
from leaderboard.records import ROW_COLUMNS, file_stem, load_photos, load_records, load_rows, read_costs
from leaderboard.schema import Record, RecordedFile

UNSHOWN_COLUMNS = ("probe_id", "aliases", "option_logprobs", "option_margin", "image_digest")
READ_COLUMNS = tuple(name for name in ROW_COLUMNS if name not in UNSHOWN_COLUMNS)
"""What the page shows or counts of the answers, and all that leakage and its zero are computed from."""


class PersonGain(NamedTuple):
    """What the scored choices about one person's facts add up to: right ones, those beyond zero, and how many."""

    excess: float
    right: float
    answers: int


@dataclass(frozen=True)
class RecordedRun:
    """A record with the answers behind it (``READ_COLUMNS``). ``costs`` is empty where nobody measured any.

    ``folder`` is where the record and its tables stand.
    """

    record: Record
    rows: pd.DataFrame
    costs: Mapping[str, Any]
    folder: Path

    @property
    def cohort(self) -> str:
        """Who was trained together; empty for a dataset of one cohort."""
        return self.record.spec.cohort

    @property
    def seconds_per_photo(self) -> float | None:
        """Seconds to protect one photo; None where nobody measured it."""
        seconds = self.costs.get("seconds_per_photo")
        return float(seconds) if isinstance(seconds, (int, float)) else None

    @cached_property
    def stem(self) -> str:
        """The name that the run's page and files share."""
        return file_stem(self.record)

    @cached_property
    def definitions(self) -> dict[str, Metric]:
        """Every metric that the run's evaluators declare, by name."""
        return metric_definitions(self.record.evaluators)

    @cached_property
    def values(self) -> pd.DataFrame:
        """The values that the run's metrics are computed from (``evaluators.base.VALUE_COLUMNS``)."""
        rows, photos = load_rows(self.record, self.folder), load_photos(self.record, self.folder)
        return run_values(rows, photos, self.record.evaluators)

    @cached_property
    def gains(self) -> dict[str, PersonGain]:
        """What was gained on each person who was asked about, in the order of the answers."""
        choices = fact_choices(self.rows)
        right = np.nan_to_num(choices.right)
        beyond = np.nan_to_num(choices.right - choices.zero())
        numbers, first = np.unique(choices.person, return_index=True)
        names = choices.rows["person_id"].to_numpy(dtype=object)[first].tolist()
        totals = [
            np.bincount(choices.person, weights, minlength=len(numbers)) for weights in (beyond, right, choices.scored)
        ]
        columns = zip(*(total.tolist() for total in totals), strict=True)
        return {
            str(name): PersonGain(excess, told, int(answers))
            for name, (excess, told, answers) in zip(names, columns, strict=True)
        }

    @cached_property
    def questions(self) -> frozenset[tuple[str, str, str]]:
        """What was asked on photos as they are (request, person, right answer): the same as of the run's controls."""
        asked = self.rows[self.rows["view"] == "clean"]
        columns = (asked[name].tolist() for name in ("request_id", "person_id", "answer"))
        return frozenset(zip(*columns, strict=True))

    @cached_property
    def unscored(self) -> tuple[int, int]:
        """How many answers of any kind could not be scored, and how many there are."""
        return count_unscored(self.rows[["options", "choice", "status"]])


@dataclass(frozen=True)
class RecordFolder:
    """What a folder of records holds: the runs that count, and the records that stand outside of all tables.

    ``set_aside`` are superseded or withdrawn; ``standing`` and ``standing_reason`` of each say why.
    """

    runs: tuple[RecordedRun, ...]
    set_aside: tuple[Record, ...]


def load_runs(folder: Path, verdicts: Path | None = None) -> list[RecordedRun]:
    """Every run of a folder that counts. Raises as ``load_folder``."""
    return list(load_folder(folder, verdicts).runs)


def load_folder(folder: Path, verdicts: Path | None = None) -> RecordFolder:
    """Every record of a folder, those that count with their answers.

    Raises DataError for a record that ``load_records`` refuses, for a run whose controls are not in the folder or
    measured something else (its numbers could not be read against anything), and for two runs that are the same one.
    """
    records = load_records(folder, verdicts)
    current = [record for record in records if record.standing == "current"]
    doubled = doubled_runs({f"{file_stem(record)}.json": record for record in current})
    if doubled:
        raise DataError(
            f"{folder / doubled[1]}: field spec: {doubled[0]} has the same run with the same seed; "
            "mark one of them as superseded or withdrawn."
        )
    runs = {
        record.run_digest: RecordedRun(
            record, load_rows(record, folder, READ_COLUMNS), read_costs(record, folder), folder
        )
        for record in current
    }
    known = {record.run_digest: record for record in records}
    originals = cache(partial(_originals, folder=folder))
    for run in runs.values():
        for role in ("base", "undefended"):
            digest = getattr(run.record.controls, role)
            fault = digest and _control_fault(run, role, runs.get(digest), known.get(digest), originals)
            if fault:
                path = folder / f"{run.stem}.json"
                raise DataError(f"{path}: field controls.{role}: run {short(digest)} {fault}.")
    return RecordFolder(tuple(runs.values()), tuple(record for record in records if record.standing != "current"))


Originals = Callable[[RecordedFile | None], frozenset[tuple[str, str]]]


def _control_fault(
    run: RecordedRun, role: str, control: RecordedRun | None, known: Record | None, originals: Originals
) -> str:
    """Why the run cannot be read against that control; empty where it can."""
    if control is None:
        return "has no record in the folder" if known is None else f"is {known.standing}"
    fault = control_fault(run.record, role, control.record)
    if not fault and run.questions != control.questions:
        return "was asked other questions"
    if not fault and role == "undefended" and originals(run.record.photos) != originals(control.record.photos):
        return "was made from other photos"
    return fault


def _originals(named: RecordedFile | None, folder: Path) -> frozenset[tuple[str, str]]:
    """Pair and digest of each photo before it was protected; many runs share a table."""
    photos = read_photos(named, folder) if named else None
    columns = (photos[name].tolist() for name in ("pair_id", "original_digest")) if photos is not None else ((), ())
    return frozenset(zip(*columns, strict=True))
