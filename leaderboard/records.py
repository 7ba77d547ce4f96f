"""Writing records byte for byte the same, and reading them back with errors that name the file and the field."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from pydantic import BaseModel, JsonValue, ValidationError

from bench.core.digests import short
from bench.core.errors import DataError
from leaderboard.evidence.tables import (
    ROW_COLUMNS,
    load_people,
    load_photos,
    load_rows,
    people_table,
    photos_table,
    rows_table,
)
from leaderboard.evidence.verifying import Verifier
from leaderboard.missing import MISSING_FILE
from leaderboard.schema import (
    SCHEMA_VERSION,
    Bootstrap,
    Controls,
    Invocation,
    Measurement,
    Record,
    RecordedFile,
    RecordedSurrogate,
    RunSpec,
    finite,
)

__all__ = [
    "ROW_COLUMNS",
    "file_stem",
    "load_people",
    "load_photos",
    "load_records",
    "load_rows",
    "read_costs",
    "write_record",
]


def file_stem(record: Record) -> str:
    """The name that a record's files share: first 12 characters of the run digest, the defense's title, attack."""
    parts = (record.run_digest[:12], record.title, record.spec.attack)
    return "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", part) for part in parts)


def write_record(
    record: Record,
    rows: pd.DataFrame,
    people: pd.DataFrame,
    photos: pd.DataFrame | None,
    costs: Mapping[str, JsonValue],
    folder: Path,
) -> Path:
    """Write ``<stem>.json`` with its tables and ``<stem>.costs.json`` beside it; return the first path.

    ``rows`` holds the scored answers (``ROW_COLUMNS``), ``people`` all people of the dataset, ``photos`` the protected
    photos, None for the base control (columns: ``leaderboard.evidence.tables``). People and photos are named by their
    content, so that runs which share them share a file. The record's own names of these files are filled in here.
    Equal records and tables give equal bytes, whatever the order of the metrics, people and photos. Raises DataError
    where a table lacks a column, and for a run other than the base control without photos.
    """
    if photos is None and not record.is_base:
        raise DataError(f"run {short(record.run_digest)} has protected photos, and none are given.")
    stem = file_stem(record)
    tables = {"rows": rows_table(rows, stem), "people": people_table(people)}
    if photos is not None:
        tables["photos"] = photos_table(photos)
    metrics = sorted(record.metrics, key=lambda metric: (metric.name, metric.scenario or "", metric.attack))
    named = {field: table.named for field, table in tables.items()}
    complete = record.model_copy(update={"photos": None, **named, "metrics": metrics})
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables.values():
        (folder / table.named.file).write_bytes(table.content)
    (folder / f"{stem}.costs.json").write_text(_json(dict(costs)), encoding="utf-8")
    path = folder / f"{stem}.json"
    # The record is written last: a folder never shows one whose answers are not there yet.
    path.write_text(_json(complete.model_dump(mode="json")), encoding="utf-8")
    return path


def load_records(folder: Path, verdicts: Path | None = None) -> list[Record]:
    """Every record of a folder, in the order of file names, each checked against the tables beside it.

    Raises DataError, naming the file and the field, for a record that breaks the schema, for one whose tables are
    missing, changed, or give other numbers than it has, for two files with one run, and for a folder without records.
    ``verdicts`` is a folder that remembers what was checked, so that equal bytes are scored anew only once.
    """
    others = (".costs.json", MISSING_FILE)
    paths = [path for path in sorted(folder.glob("*.json")) if not path.name.endswith(others)]
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder.")
    if not paths:
        raise DataError(f"{folder} has no records (*.json).")
    verify = Verifier(folder, verdicts)
    origins: dict[str, Path] = {}
    records = []
    for path in paths:
        record = _parse(path)
        if record.run_digest in origins:
            raise DataError(f"{path}: field run_digest: {origins[record.run_digest].name} has the same run.")
        origins[record.run_digest] = path
        verify(record, path)
        records.append(record)
    return records


def read_costs(record: Record, folder: Path) -> dict[str, Any]:
    """What the run cost (``seconds_per_photo``, ``peak_memory_bytes``, …); empty where nobody measured it."""
    path = folder / f"{file_stem(record)}.costs.json"
    if not path.is_file():
        return {}
    try:
        costs = finite(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON: {error}.") from error
    if not isinstance(costs, dict):
        raise DataError(f"{path}: a costs file is one JSON object.")
    return costs


def _parse(path: Path) -> Record:
    try:
        return Record.model_validate_json(path.read_bytes(), strict=True)
    except ValidationError as error:
        _raise_for_field(path, error)


def _raise_for_field(path: Path, error: ValidationError) -> NoReturn:
    first, *others = error.errors(include_url=False)
    if first["type"] == "json_invalid":
        raise DataError(f"{path}: not valid JSON: {first['ctx']['error']}.") from error
    field = ".".join(str(part) for part in first["loc"]) or "record"
    message = first["msg"].removeprefix("Value error, ")
    if field == "schema_version":
        message = f"{first['input']!r} is another version's; this one reads {SCHEMA_VERSION}: run its suite again"
    elif first["type"] == "extra_forbidden":
        message = f"not a known field; allowed here: {', '.join(_allowed(first['loc'][:-1]))}"
    elif first["type"] == "finite_number":
        message += ", no NaN and no infinity; write null and a refusal instead"
    more = f" ({len(others)} more)" if others else ""
    raise DataError(f"{path}: field {field}: {message}{more}.") from error


def _allowed(location: tuple[int | str, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "invocation": Invocation,
        "spec": RunSpec,
        "surrogates": RecordedSurrogate,
        "bootstrap": Bootstrap,
        "controls": Controls,
        "metrics": Measurement,
        **dict.fromkeys(("rows", "people", "photos"), RecordedFile),
    }
    inner = [models[part] for part in location if isinstance(part, str) and part in models]
    return sorted((inner[-1] if inner else Record).model_fields)


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Costs come from clocks and may be NaN where nothing was measured; JSON has null for that."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
