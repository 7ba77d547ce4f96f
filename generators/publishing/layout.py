"""Where the tables of a published dataset lie, and what its readers call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import DataError
from generators.publishing.licences import Licence
from scenarios.tables import PAIRS, PEOPLE, PROBES

Layout = Literal["folder", "hub"]
"""folder: one file a table, as ``save_dataset`` writes it; hub: shards below ``data/``."""


@dataclass(frozen=True)
class Table:
    """One table: its columns, the split that the hub's readers find it under, and what a row is."""

    name: str
    schema: pa.Schema
    split: str
    about: str

    @property
    def key(self) -> str:
        """The column that identifies a row."""
        return self.schema.names[0]

    def pattern(self, layout: Layout) -> str:
        """Path of its files relative to the dataset's folder, with a star for the shards."""
        return f"{self.name}.parquet" if layout == "folder" else f"data/{self.name}-*.parquet"


# Nothing is trained on probes, and the split's name says so to whoever takes "train" for granted.
TABLES = (
    Table("people", PEOPLE, "train", "one person: name, facts, role, appearance"),
    Table("pairs", PAIRS, "train", "one photo with its description: what is trained on"),
    Table("probes", PROBES, "test", "one question on one photo, with its accepted answers: what is asked"),
)


@dataclass(frozen=True)
class Publication:
    """How a dataset is published: what it is called, under which licence, and where its tables lie.

    ``repo`` is ``owner/name`` on the hub, None for a folder; ``tables`` is the folder that holds the tables now.
    """

    title: str
    description: str
    licence: Licence
    repo: str | None
    layout: Layout
    tables: Path

    def columns(self, table: Table) -> list[pa.Field]:
        """The columns that the files of a table have: those of an older dataset lack what came later.

        Raises ``DataError`` where a table is missing.
        """
        stored = pq.read_schema(table_files(self.tables, self.layout)[table.name][0]).names
        return [field for field in table.schema if field.name in stored]


def table_files(folder: Path, layout: Layout) -> Mapping[str, list[Path]]:
    """The files of each table in ``folder``, in order. Raises ``DataError`` naming the table that has none."""
    found = {table.name: sorted(folder.glob(table.pattern(layout))) for table in TABLES}
    for table in TABLES:
        if not found[table.name]:
            raise DataError(f"{folder}: there is no {table.pattern(layout)}; write the tables before their card.")
    return found
