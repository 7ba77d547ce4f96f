"""Writing records byte for byte the same, and reading them back with errors that name the file and the field."""

import hashlib
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from pydantic import BaseModel, JsonValue, ValidationError

from bench.core.errors import DataError
from leaderboard.missing import MISSING_FILE
from leaderboard.schema import (
    Bootstrap,
    Controls,
    Invocation,
    Measurement,
    Record,
    RecordedSurrogate,
    RowsFile,
    RunSpec,
    finite,
)

ROW_COLUMNS = (
    "request_id", "probe_id", "person_id", "scenario", "kind", "view", "question", "answer", "options", "text",
    "choice", "option_logprobs", "status", "choice_correct", "open_correct", "image_digest", "named_person",
)  # fmt: skip


def file_stem(record: Record) -> str:
    """The name that a record's files share: first 12 characters of the run digest, the defense's title, attack."""
    parts = (record.run_digest[:12], record.title, record.spec.attack)
    return "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", part) for part in parts)


def write_record(record: Record, scored_rows: pd.DataFrame, costs: Mapping[str, JsonValue], folder: Path) -> Path:
    """Write ``<stem>.json`` with ``<stem>.rows.parquet`` and ``<stem>.costs.json`` beside it; return the first path.

    ``record.rows`` is filled in here. Equal records and rows give equal bytes, whatever the order of the metrics.
    Raises DataError where ``scored_rows`` lacks a column.
    """
    missing = [column for column in ROW_COLUMNS if column not in scored_rows.columns]
    if missing:
        raise DataError(f"the scored rows of run {record.run_digest[:12]} lack the column {missing[0]!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    stem = file_stem(record)
    buffer = io.BytesIO()
    scored_rows.loc[:, list(ROW_COLUMNS)].reset_index(drop=True).to_parquet(buffer, index=False, compression="zstd")
    rows = RowsFile(file=f"{stem}.rows.parquet", digest=hashlib.sha256(buffer.getvalue()).hexdigest())
    metrics = sorted(record.metrics, key=lambda metric: (metric.name, metric.scenario or "", metric.attack))
    complete = record.model_copy(update={"rows": rows, "metrics": metrics})
    (folder / rows.file).write_bytes(buffer.getvalue())
    (folder / f"{stem}.costs.json").write_text(_json(dict(costs)), encoding="utf-8")
    path = folder / f"{stem}.json"
    # The record is written last: a folder never shows one whose answers are not there yet.
    path.write_text(_json(complete.model_dump(mode="json")), encoding="utf-8")
    return path


def load_records(folder: Path) -> list[Record]:
    """Every record of a folder, in the order of file names.

    Raises DataError, naming the file and the field, for a record that breaks the schema, for one whose answers are
    missing or changed, for two files with one run, and for a folder without records.
    """
    others = (".costs.json", MISSING_FILE)
    paths = [path for path in sorted(folder.glob("*.json")) if not path.name.endswith(others)]
    if not paths:
        raise DataError(f"{folder} has no records (*.json).")
    origins: dict[str, Path] = {}
    records = []
    for path in paths:
        record = _load(path)
        if record.run_digest in origins:
            raise DataError(f"{path}: field run_digest: {origins[record.run_digest].name} has the same run.")
        origins[record.run_digest] = path
        records.append(record)
    return records


def load_rows(record: Record, folder: Path, columns: Sequence[str] = ROW_COLUMNS) -> pd.DataFrame:
    """The answers behind a record, one row a request. Raises DataError where the file lacks a column."""
    import pyarrow.parquet

    if record.rows is None:
        raise DataError(f"run {record.run_digest[:12]}: field rows: the record names no file of answers.")
    path = folder / record.rows.file
    try:
        answers = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{path}: no Parquet file: {error}") from error
    missing = [column for column in columns if column not in answers.schema_arrow.names]
    if missing:
        raise DataError(f"{path}: the answers lack the column {missing[0]!r}.")
    rows: pd.DataFrame = answers.read(list(columns)).to_pandas()
    return rows


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


def _load(path: Path) -> Record:
    content = path.read_bytes()
    try:
        record = Record.model_validate_json(content, strict=True)
    except ValidationError as error:
        _raise_for_field(path, error)
    if record.rows is None:
        raise DataError(f"{path}: field rows: the record names no file of answers.")
    rows = path.parent / record.rows.file
    if not rows.is_file():
        raise DataError(f"{path}: field rows.file: {record.rows.file} does not stand beside the record.")
    if hashlib.sha256(rows.read_bytes()).hexdigest() != record.rows.digest:
        raise DataError(f"{path}: field rows.digest: {record.rows.file} has other bytes than were recorded.")
    return record


def _raise_for_field(path: Path, error: ValidationError) -> NoReturn:
    first, *others = error.errors(include_url=False)
    if first["type"] == "json_invalid":
        raise DataError(f"{path}: not valid JSON: {first['ctx']['error']}.") from error
    field = ".".join(str(part) for part in first["loc"]) or "record"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
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
        "rows": RowsFile,
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
