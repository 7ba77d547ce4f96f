"""A dataset as Parquet shards under ``data/``, the form in which it lies on a hub."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.core.errors import DataError, UsageError
from generators.publishing.layout import TABLES
from scenarios.dataset import Dataset
from scenarios.tables import read_table, write_table

SCHEMAS = {table.name: table.schema for table in TABLES}
"""Schema of each table by name; the names are also those of the configurations in a dataset's card."""
SHARD = re.compile(r"data/(?P<table>people|pairs|probes)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")
"""Path of a shard, relative to the dataset's folder."""
BYTES_PER_SHARD = 400_000_000


def write_shards(dataset: Dataset, folder: Path, bytes_per_shard: int = BYTES_PER_SHARD) -> list[Path]:
    """Write ``data/pairs-00000-of-00002.parquet`` and so on into ``folder``; return the paths in order.

    A shard ends before its photos would exceed ``bytes_per_shard``, each photo counted once; one photo is always in
    it. Equal datasets give equal bytes. Shards of an earlier writing that no longer belong are removed.
    """
    if bytes_per_shard < 1:
        raise UsageError(f"A shard needs at least 1 byte, not {bytes_per_shard}.")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    written = []
    for table, schema in SCHEMAS.items():
        frame = getattr(dataset, table)
        parts = list(_parts(frame, bytes_per_shard))
        for number, rows in enumerate(parts):
            path = folder / "data" / f"{table}-{number:05d}-of-{len(parts):05d}.parquet"
            write_table(frame.iloc[rows].reset_index(drop=True), path, schema)
            written.append(path)
    for name in set(_shards_in(folder)) - {path.relative_to(folder).as_posix() for path in written}:
        (folder / name).unlink()
    return written


def find_shards(folder: Path) -> dict[str, list[Path]]:
    """The shards of each table in ``folder``, in order. Raises ``DataError`` naming what is missing."""
    found: dict[str, list[Path]] = {table: [] for table in SCHEMAS}
    for name in _shards_in(folder):
        found[name.removeprefix("data/").partition("-")[0]].append(folder / name)
    for table, paths in found.items():
        # The last one's name says how many there must be.
        count = int(paths[-1].stem[-5:]) if paths else 1
        expected = [folder / "data" / f"{table}-{number:05d}-of-{count:05d}.parquet" for number in range(count)]
        if paths != expected:
            wrong = sorted({path.name for path in {*expected} ^ {*paths}})[0]
            raise DataError(f"{folder / 'data'}: the shards of '{table}' are not complete ({wrong}); write them again.")
    return found


def read_shards(shards: Mapping[str, Sequence[Path]]) -> dict[str, pd.DataFrame]:
    """The tables kept in shards, rows in the order of the shards.

    Raises ``DataError`` naming the file, and the column or row that does not fit.
    """
    return {
        table: pd.concat([read_table(path, SCHEMAS[table]) for path in paths], ignore_index=True)
        for table, paths in shards.items()
    }


def _shards_in(folder: Path) -> list[str]:
    names = sorted(f"data/{path.name}" for path in (folder / "data").glob("*.parquet"))
    return [name for name in names if SHARD.fullmatch(name)]


def _parts(frame: pd.DataFrame, bytes_per_shard: int) -> Iterator[slice]:
    """Runs of rows whose different photos together stay below the limit."""
    if "image" not in frame.columns:
        yield slice(0, len(frame))
        return
    start, size, photos = 0, 0, set[bytes]()
    for row, image in enumerate(frame["image"]):
        added = 0 if image in photos else len(image)
        if row > start and size + added > bytes_per_shard:
            yield slice(start, row)
            start, size, photos = row, 0, set()
            added = len(image)
        size += added
        photos.add(image)
    yield slice(start, len(frame))
