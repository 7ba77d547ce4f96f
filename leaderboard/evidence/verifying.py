"""Does a record say what its tables say? Every reader computes it anew, once for the same bytes and code."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd

from bench.core.digests import digest_file, short
from bench.core.errors import DataError, VeilBenchError
from evaluators.registry import evaluators
from leaderboard.evidence.answers import answers_fault
from leaderboard.evidence.faults import Fault, first_fault
from leaderboard.evidence.metrics import metrics_fault
from leaderboard.evidence.people import of_cohort, people_fault
from leaderboard.evidence.photos import photos_fault
from leaderboard.evidence.scorer import scorer_digest
from leaderboard.evidence.tables import load_people, load_photos, load_rows, named_files
from leaderboard.evidence.verdicts import Verdicts, verdict_name
from leaderboard.measuring import run_metrics
from leaderboard.schema import Record


class Verifier:
    """Checks records of one folder against the tables beside them. What several records name is read once.

    ``verdicts`` is a folder that remembers what was checked already; None checks everything.
    """

    def __init__(self, folder: Path, verdicts: Path | None = None) -> None:
        self._folder = folder
        self._verdicts = Verdicts(verdicts)
        self._digest: Callable[[Path], str] = cache(digest_file)
        self._people: dict[str, pd.DataFrame] = {}
        self._photos: dict[str, pd.DataFrame | None] = {}

    def __call__(self, record: Record, path: Path) -> None:
        """Raise DataError, naming the record's file and the field, where anything in it is not so."""
        self._check_files(record, path)
        _check_evaluators(record, path)
        name = verdict_name(record, digest_file(path))
        if self._verdicts.has(name):
            return
        try:
            fault = self._fault(record)
        except VeilBenchError as error:  # a table that cannot be read, or one of which nothing can be measured
            raise DataError(f"{path}: {error}") from error
        if fault is not None:
            raise DataError(f"{path}: field {fault.field}: {fault.sentence}.{_about_version(record)}")
        self._verdicts.keep(name)

    def people(self, record: Record) -> pd.DataFrame:
        """The people of a record's dataset."""
        key = record.people.digest if record.people else ""
        if key not in self._people:
            self._people[key] = load_people(record, self._folder)
        return self._people[key]

    def photos(self, record: Record) -> pd.DataFrame | None:
        """The protected photos behind a record; None for the base control."""
        key = record.photos.digest if record.photos else ""
        if key not in self._photos:
            self._photos[key] = load_photos(record, self._folder)
        return self._photos[key]

    def _check_files(self, record: Record, path: Path) -> None:
        """The tables stand beside the record, with the bytes that it was made from."""
        try:
            named = named_files(record)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        for field, file in named.items():
            place = self._folder / file.file
            if not place.is_file():
                raise DataError(f"{path}: field {field}.file: {file.file} does not stand beside the record.")
            if self._digest(place) != file.digest:
                raise DataError(f"{path}: field {field}.digest: {file.file} has other bytes than were recorded.")

    def _fault(self, record: Record) -> Fault | None:
        rows, people, photos = load_rows(record, self._folder), self.people(record), self.photos(record)
        return first_fault(_faults(record, rows, people, photos))


def _faults(
    record: Record, rows: pd.DataFrame, people: pd.DataFrame, photos: pd.DataFrame | None
) -> Iterator[Fault | None]:
    """What is wrong, from what is cheap to see to what is not."""
    spec = record.spec
    yield people_fault(rows, people, spec.cohort)
    if photos is not None:
        yield photos_fault(record, rows, photos, people)
    yield answers_fault(rows, of_cohort(people, spec.cohort))
    yield metrics_fault(record.metrics, run_metrics(rows, photos, record.evaluators, spec.attack, spec.seed))


def _check_evaluators(record: Record, path: Path) -> None:
    """What measured a record must be here to measure it again."""
    known, broken = evaluators.names(), evaluators.broken()
    for name in record.evaluators:
        if name not in known:
            reason = f"is not installed here ({broken[name]})" if name in broken else "is not installed here"
            raise DataError(
                f"{path}: field evaluators: '{name}' {reason}, so that its numbers cannot be checked: install the "
                "package that brings it."
            )


def _about_version(record: Record) -> str:
    """That the difference may come from another version of the scoring code, where it was one."""
    ours = scorer_digest(record.evaluators)
    if record.scorer == ours:
        return ""
    return f" The record was scored by another version of the code: {short(record.scorer)}, and this is {short(ours)}."
