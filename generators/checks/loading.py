"""What keeps a dataset from loading, as findings: every fault of its columns, or else of its rows."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.core.errors import DataError
from generators.checks.finding import Finding
from scenarios.dataset import Dataset, load_dataset, read_tables, row_problems
from scenarios.tables import PAIRS, PEOPLE, PROBES, read_table

CHECK = "schema"


def open_for_check(
    name_or_folder: str, load: Callable[[str], Dataset] = load_dataset
) -> tuple[Dataset | None, tuple[Finding, ...]]:
    """The dataset that ``load`` finds, or None and what is wrong with it. Raises ``UsageError`` for an unknown name."""
    try:
        return load(name_or_folder), ()
    except DataError as error:
        # Loading stops at the first fault; the tables are read once more, so that all are named at once.
        folder = Path(name_or_folder)
        findings = (tuple(_column_findings(folder)) or tuple(_row_findings(folder))) if folder.is_dir() else ()
        return None, findings or (Finding("error", CHECK, "", str(error)),)


def _row_findings(folder: Path) -> Iterator[Finding]:
    for table, row, problem in row_problems(read_tables(folder)):
        yield Finding("error", CHECK, table, f"{row}{problem}.")


def _column_findings(folder: Path) -> Iterator[Finding]:
    import pyarrow as pa

    for table, schema in (("people", PEOPLE), ("pairs", PAIRS), ("probes", PROBES)):
        path = folder / f"{table}.parquet"
        told = set()
        for field in schema:
            try:
                read_table(path, pa.schema([field]))
            except DataError as error:
                if str(error) not in told:  # a file that cannot be read says so for each column
                    told.add(str(error))
                    yield Finding("error", CHECK, f"{table} {field.name}", str(error))
