"""The three tables of a dataset as frames, and the Parquet files they are kept in."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.digests import digest_bytes, digest_frame
from bench.core.errors import DataError
from bench.core.files import whole_file

_TEXTS = pa.list_(pa.string())
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""An encoded picture on disk; in a frame it is the plain bytes."""

_PROVENANCE = [(name, pa.string()) for name in ("source", "generator", "licence", "consent")]

PEOPLE = pa.schema([(name, pa.string()) for name in ("person_id", "name", "facts", "role", "appearance", "cohort")])
PAIRS = pa.schema(
    [
        ("pair_id", pa.string()),
        ("person_id", pa.string()),
        ("scenario", pa.string()),
        ("image", IMAGE),
        ("description", pa.string()),
        *_PROVENANCE,
        ("face_box", pa.list_(pa.int32())),
        ("shows", _TEXTS),
    ]
)
PROBES = pa.schema(
    [
        ("probe_id", pa.string()),
        ("person_id", pa.string()),
        ("scenario", pa.string()),
        ("image", IMAGE),
        ("question", pa.string()),
        ("paraphrases", _TEXTS),
        ("answer", pa.string()),
        ("aliases", _TEXTS),
        ("options", _TEXTS),
        ("kind", pa.string()),
        *_PROVENANCE,
        ("shows", _TEXTS),
    ]
)
LATER_COLUMNS: Mapping[str, Any] = {"cohort": ""}
"""Columns that older files lack -> the value that every row then has."""

_MAY_BE_MISSING = ("face_box", "shows")
# One dictionary holds each distinct photo once, however many probes show it; the default of 1 MiB would give up.
_DICTIONARY_BYTES = 1 << 30
BYTES_PER_GROUP = 100_000_000
"""A row group closes before the photos of its rows would take more, each counted in every row that shows it.

So much is decoded at once by whoever reads it, such as the hub's viewer, and Arrow's arrays end at 2 GiB.
"""
_ROWS_PER_GROUP = 8192
_ROWS_PER_BATCH = (256, 16, 1)
"""Fewer at a time where photos are so large that Arrow cannot hold a batch of them."""


def make_frame(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pd.DataFrame:
    """A frame with the schema's columns in order: text columns as ``str``, all others as objects."""
    listed = list(rows)
    columns = {field.name: _series([row[field.name] for row in listed], field) for field in schema}
    return pd.DataFrame(columns)


def write_table(frame: pd.DataFrame, path: Path, schema: pa.Schema, bytes_per_group: int = BYTES_PER_GROUP) -> None:
    """Write a frame as Parquet that ``datasets`` reads with its image column as pictures; replaces ``path`` at once."""
    described = schema.with_metadata(_hub_metadata(schema))
    with (
        whole_file(path) as partial,
        pq.ParquetWriter(
            partial,
            described,
            compression="zstd",
            use_dictionary=True,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            write_page_index=True,
        ) as writer,
    ):
        for rows in _row_groups(frame, bytes_per_group):
            part = frame.iloc[rows]
            arrays = [pa.array(_stored_values(part[field.name], field), field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=described), row_group_size=_ROWS_PER_GROUP)


def _row_groups(frame: pd.DataFrame, most: int) -> Iterator[slice]:
    """Runs of rows whose photos take at most so many bytes; a larger photo stands alone."""
    sizes = [len(image) for image in frame["image"]] if "image" in frame else [0] * len(frame)
    start, taken = 0, 0
    for row, size in enumerate(sizes):
        if row > start and (taken + size > most or row - start == _ROWS_PER_GROUP):
            yield slice(start, row)
            start, taken = row, 0
        taken += size
    if start < len(sizes):
        yield slice(start, len(sizes))


def read_table(path: Path, schema: pa.Schema) -> pd.DataFrame:
    """The frame kept in ``path``; columns outside the schema are left out, and one of ``LATER_COLUMNS`` may be missing.

    Raises ``DataError`` naming the file and the column, or the first row (counted from 0) that lacks a value.
    """
    try:
        # ParquetFile reads this one file; read_table would take folder names such as "split=train" for columns.
        with pq.ParquetFile(path) as file:
            stored = set(file.schema_arrow.names)
            needed = [name for name in schema.names if name not in LATER_COLUMNS]
            missing = [name for name in needed if name not in stored]
            if missing:
                raise DataError(f"{path}: column '{missing[0]}' is missing; needed are {', '.join(needed)}.")
            columns = _read_columns(file, [field for field in schema if field.name in stored], path)
            rows = file.metadata.num_rows
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {' '.join(str(error).split())}") from error
    for field in schema:
        values = columns.setdefault(field.name, [LATER_COLUMNS.get(field.name)] * rows)
        if field.name not in _MAY_BE_MISSING and None in values:
            raise DataError(f"{path}: column '{field.name}' has no value in row {values.index(None)} (counted from 0).")
    return pd.DataFrame({field.name: _series(columns[field.name], field) for field in schema})


def _read_columns(file: pq.ParquetFile, fields: list[pa.Field], path: Path) -> dict[str, list[Any]]:
    """The values of each column, a few rows at a time: all at once, photos could take more than an array holds."""
    for field in fields:
        _read_values(pa.array([], file.schema_arrow.field(field.name).type), field, path, {})
    for rows in _ROWS_PER_BATCH:
        columns: dict[str, list[Any]] = {field.name: [] for field in fields}
        kept: dict[bytes, bytes] = {}
        try:
            for batch in file.iter_batches(rows, columns=list(columns)):
                for field in fields:
                    columns[field.name] += _read_values(batch.column(field.name), field, path, kept)
        except pa.ArrowNotImplementedError:
            if rows == _ROWS_PER_BATCH[-1]:
                raise
        else:
            break
    return columns


def table_digest(frame: pd.DataFrame) -> str:
    """The digest of a table's content. A later column that says nothing new does not count.

    So a dataset has the digest that it had before the column was known.
    """
    silent = [
        name for name, value in LATER_COLUMNS.items() if name in frame and all(cell == value for cell in frame[name])
    ]
    return digest_frame(frame.drop(columns=silent))


def _series(values: list[Any], field: pa.Field) -> "pd.Series[Any]":
    return pd.Series(values, dtype="str" if pa.types.is_string(field.type) else "object")


def _stored_values(series: "pd.Series[Any]", field: pa.Field) -> list[Any]:
    # Text columns hold NaN where a value is missing, which Arrow would take for a number.
    values: list[Any] = series.astype("object").where(series.notna(), None).tolist()
    if field.type != IMAGE:
        return values
    names = {image: f"{digest_bytes(image)}.png" for image in set(values)}
    return [{"bytes": image, "path": names[image]} for image in values]


def _read_values(column: pa.Array, field: pa.Field, path: Path, kept: dict[bytes, bytes]) -> list[Any]:
    """The plain values of a column; ``kept`` holds each photo that was read, so that rows share one object."""
    try:
        if field.type != IMAGE:
            return column.cast(field.type).to_pylist()
        stored = column.field("bytes") if pa.types.is_struct(column.type) else column
        images = stored.cast(pa.binary()).to_pylist()
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"{path}: column '{field.name}' has type {column.type}, it must be {field.type}.") from error
    return [None if image is None else kept.setdefault(image, image) for image in images]


def _hub_metadata(schema: pa.Schema) -> dict[str, str]:
    """What ``datasets`` reads the columns' features from, above all that the image column holds pictures."""
    features: dict[str, Any] = {}
    for field in schema:
        if field.type == IMAGE:
            features[field.name] = {"_type": "Image"}
        elif pa.types.is_list(field.type):
            value = {"dtype": str(field.type.value_type), "_type": "Value"}
            # What 3.x calls a list, and later versions still read; they call it List.
            features[field.name] = {"feature": value, "_type": "Sequence"}
        else:
            features[field.name] = {"dtype": str(field.type), "_type": "Value"}
    return {"huggingface": json.dumps({"info": {"features": features}}, sort_keys=True)}
