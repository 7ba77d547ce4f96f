"""The metadata file of a folder of photos: found, read as UTF-8 and cut into rows that know their line."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import DataError
from bench.core.registry import nearest
from scenarios.writing import invisible, plain

NAMES = ("metadata.csv", "metadata.jsonl")
FILE_NAME = "file_name"
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_SEPARATOR = re.compile(r"\s*\"?sep=([,;\t])\"?[ ,;\t]*(?:\r\n|\r|\n)")
"""The first line in which spreadsheets say what parts the columns."""

Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One row: the file, the line in it (counted from 1, the first of several), and column -> cell."""

    path: Path
    line: int
    cells: Cells

    def text(self, column: str) -> str:
        """The cell in one form (``scenarios.writing.plain``), '' where it is empty, null or missing.

        Raises DataError for another type, and naming a character that cannot be seen.
        """
        raw = self.raw(column)
        hidden = invisible(raw)
        if hidden is not None:
            raise self.error(column, f"'{plain(raw)}' holds {hidden}, which nobody sees: take it out")
        return plain(raw)

    def raw(self, column: str) -> str:
        """The cell as it is, without blanks around it. Raises DataError for another type."""
        value = self.cells.get(column)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(column, f"must be text, not {json.dumps(value)}")
        return value.strip()

    def error(self, column: str, problem: str) -> DataError:
        """The error that says where the problem is and what it is."""
        return DataError(f"{self.path}, row {self.line}, {column}: {problem}.")


def find_metadata(folder: Path) -> Path:
    """The folder's metadata file. Raises DataError where there is none, or one of each form."""
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if not found:
        state = "holds no" if any(folder.iterdir()) else "is empty and holds no"
        raise DataError(f"{folder} {state} {' or '.join(NAMES)}: write one with a row for each photo.")
    if len(found) > 1:
        raise DataError(f"{folder} holds both {' and '.join(NAMES)}: keep one of them.")
    return found[0]


def read_rows(path: Path, required: Collection[str], optional: Collection[str]) -> list[Row]:
    """Every row of a metadata file that is not blank.

    Raises DataError naming file, row and column: not UTF-8, malformed, a column that is missing, unknown or there
    twice, or no row at all.
    """
    read: Callable[[Path, str], Iterator[Row]] = _read_csv if path.suffix == ".csv" else _read_jsonl
    rows = list(read(path, _read_text(path)))
    if not rows:
        raise DataError(f"{path} has no row: it needs one for each photo.")
    present = {column: row for row in reversed(rows) for column in row.cells}
    missing = [column for column in required if column not in present]
    if missing:
        raise DataError(f"{path}: column '{missing[0]}' is missing; needed are {', '.join(required)}.")
    allowed = [*required, *optional]
    for column, row in present.items():
        if column not in allowed:
            near = " or ".join(f"'{name}'" for name in nearest(column, allowed))
            hint = f"did you mean {near}?" if near else f"allowed are {', '.join(allowed)}"
            raise row.error(column, f"unknown column; {hint}")
    return rows


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
        # What spreadsheets call Unicode text.
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, row {line}: byte {error.start} of the file is not UTF-8: save it as UTF-8, for example with"
            f" `iconv -f LATIN1 -t UTF-8 {path.name} > utf8{path.suffix}` where it is Latin-1."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _read_csv(path: Path, text: str) -> Iterator[Row]:
    header: list[str] | None = None
    stated = _SEPARATOR.match(text)
    # The first line keeps its number.
    text = text[stated.end() :] if stated else text
    before = 1 if stated else 0
    separator = stated[1] if stated else _separator(text)
    for number, cells in _csv_records(path, text, separator, before):
        line = number + before
        if header is None:
            header = _checked_header(path, line, cells)
        elif any(cell.strip() for cell in cells):
            # Spreadsheets end every line with the empty cells of columns that once held something.
            named, beyond = cells[: len(header)], cells[len(header) :]
            if len(named) < len(header) or any(cell.strip() for cell in beyond):
                raise DataError(
                    f"{path}, row {line}: has {len(cells)} cells, and the header has {len(header)} columns;"
                    f" a cell with {_SEPARATORS[separator]} in it needs double quotes around it."
                )
            yield Row(path, line, dict(zip(header, named, strict=True)))


def _separator(text: str) -> str:
    """What parts the header's columns: the first sign that makes ``file_name`` one of them, else a comma."""
    header = text.lstrip().partition("\n")[0].partition("\r")[0]
    for separator in _SEPARATORS:
        if FILE_NAME in (cell.strip(' "\t\r') for cell in header.split(separator)):
            return separator
    return ","


def _csv_records(path: Path, text: str, separator: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """(line where the record starts, its cells), blank lines left out; ``before`` lines stand before the text."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{path}, row {line + before}: not well-formed CSV: {error}.") from error
        if cells is None:
            return
        if cells:
            yield line, cells


def _checked_header(path: Path, line: int, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    repeated = [column for number, column in enumerate(header) if column in header[:number]]
    if repeated:
        raise DataError(f"{path}, row {line}: column '{repeated[0]}' stands there twice.")
    return header


def _read_jsonl(path: Path, text: str) -> Iterator[Row]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            cells = json.loads(content)
            json.dumps(cells, ensure_ascii=False).encode()  # half a character, which JSON can escape, is no text
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, row {line}: not well-formed JSON: {error}.") from error
        if not isinstance(cells, dict):
            raise DataError(f"{path}, row {line}: must be a JSON object of column and cell.")
        yield Row(path, line, cells)
