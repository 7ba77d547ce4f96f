"""The tables beside a record: scored answers, people and protected photos. Equal tables give equal bytes."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.digests import short
from bench.core.errors import DataError
from evaluators.base import ANSWER_COLUMNS, plain_cells
from leaderboard.schema import Record, RecordedFile

ROW_COLUMNS = ANSWER_COLUMNS
"""One row a request: the question, what was answered, and what of it is right."""

PEOPLE_COLUMNS = ("person_id", "name", "cohort", "role", "facts")
"""One row a person of the dataset, those of other cohorts too; ``facts`` is JSON, scenario -> answer."""

PHOTO_COLUMNS = ("pair_id", "person_id", "scenario", "original_digest", "protected_digest", "largest_change")
"""One row a protected pair, with a column more for each metric of photos. Digests are sha256 of encoded bytes,
``largest_change`` is the largest absolute difference of a pixel's channel in grey levels."""

_TEXTS, _NUMBERS = pa.list_(pa.string()), pa.list_(pa.float64())
_TYPES = {
    "aliases": _TEXTS,
    "options": _TEXTS,
    "choice": pa.int64(),
    "option_logprobs": _NUMBERS,
    "option_margin": pa.float64(),
    "choice_correct": pa.bool_(),
    "open_correct": pa.bool_(),
    "largest_change": pa.float64(),
}
"""Types of columns that are no plain text."""


class Table(NamedTuple):
    """A table as it is written: the bytes, and how the record names them."""

    content: bytes
    named: RecordedFile


def rows_table(rows: pd.DataFrame, stem: str) -> Table:
    """The answers of one run, in their order. Raises DataError for a missing column."""
    content = _parquet(rows, ROW_COLUMNS, "scored answers")
    return Table(content, RecordedFile(file=f"{stem}.rows.parquet", digest=hashlib.sha256(content).hexdigest()))


def people_table(people: pd.DataFrame) -> Table:
    """The people of a dataset, ordered by id. Raises DataError for a missing column."""
    return _shared("people", _parquet(people.sort_values("person_id"), PEOPLE_COLUMNS, "people"))


def photos_table(photos: pd.DataFrame) -> Table:
    """The photos of a defense with all columns that are numbers, ordered by id. Raises DataError as ``rows_table``."""
    metrics = sorted(str(name) for name in photos.columns if name not in PHOTO_COLUMNS)
    return _shared("photos", _parquet(photos.sort_values("pair_id"), (*PHOTO_COLUMNS, *metrics), "photos"))


def load_rows(record: Record, folder: Path, columns: Sequence[str] = ROW_COLUMNS) -> pd.DataFrame:
    """The answers behind a record, one row a request. Raises DataError where the file lacks a column."""
    return _read(_named(record, record.rows, "rows", "answers"), folder, "answers", lambda _: columns)


def load_people(record: Record, folder: Path) -> pd.DataFrame:
    """The people of a record's dataset (``PEOPLE_COLUMNS``). Raises as ``load_rows``."""
    return _read(_named(record, record.people, "people", "people"), folder, "people", lambda _: PEOPLE_COLUMNS)


def load_photos(record: Record, folder: Path) -> pd.DataFrame | None:
    """The protected photos behind a record (``PHOTO_COLUMNS`` and metrics); None for the base control.

    Raises as ``load_rows``.
    """
    if record.is_base and record.photos is None:
        return None
    return read_photos(_named(record, record.photos, "photos", "photos"), folder)


def read_photos(named: RecordedFile, folder: Path) -> pd.DataFrame:
    """The photos of a file. Raises as ``load_rows``."""
    return _read(named, folder, "photos", _photo_columns)


def named_files(record: Record) -> dict[str, RecordedFile]:
    """Field -> file of every table that the record names. Raises DataError where it lacks one that it must have."""
    named = {
        "rows": _named(record, record.rows, "rows", "answers"),
        "people": _named(record, record.people, "people", "people"),
    }
    if not record.is_base or record.photos is not None:
        named["photos"] = _named(record, record.photos, "photos", "photos")
    return named


def _named(record: Record, file: RecordedFile | None, field: str, what: str) -> RecordedFile:
    if file is None:
        raise DataError(f"run {short(record.run_digest)}: field {field}: the record names no file of {what}.")
    return file


def _photo_columns(stored: Sequence[str]) -> Sequence[str]:
    return (*PHOTO_COLUMNS, *(name for name in stored if name not in PHOTO_COLUMNS))


def _shared(what: str, content: bytes) -> Table:
    """A table that several records name: by its content, so that each is there once."""
    digest = hashlib.sha256(content).hexdigest()
    return Table(content, RecordedFile(file=f"{what}-{short(digest)}.parquet", digest=digest))


def _parquet(frame: pd.DataFrame, columns: Sequence[str], what: str) -> bytes:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"the {what} lack the column {missing[0]!r}.")
    # Types are given, and pandas' own notes on a frame left out: both hang on its version and on how it was made.
    schema = _schema(columns)
    arrays = [pa.array(frame[field.name].to_numpy(dtype=object), field.type, from_pandas=True) for field in schema]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _schema(columns: Sequence[str]) -> pa.Schema:
    """Columns with their types; what is not known is a metric of photos."""
    texts = {*ROW_COLUMNS, *PEOPLE_COLUMNS, *PHOTO_COLUMNS}
    return pa.schema([(name, _TYPES.get(name, pa.string() if name in texts else pa.float64())) for name in columns])


def _read(
    named: RecordedFile, folder: Path, what: str, wanted: Callable[[Sequence[str]], Sequence[str]]
) -> pd.DataFrame:
    path = folder / named.file
    try:
        with pq.ParquetFile(path) as file:
            stored = file.schema_arrow.names
            columns = list(wanted(stored))
            missing = [column for column in columns if column not in stored]
            if missing:
                raise DataError(f"{path}: the {what} lack the column {missing[0]!r}.")
            table = file.read(columns).select(columns).cast(_schema(columns))
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file of {what}.") from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{path}: no Parquet file of {what}: {error}") from error
    empty = [field.name for field in table.schema if field.type != pa.float64() and table[field.name].null_count]
    if empty:
        raise DataError(f"{path}: the {what} have an empty cell in the column {empty[0]!r}.")
    return plain_cells(table.to_pandas())
