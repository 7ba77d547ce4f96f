"""Content digests: SHA-256 of bytes, files, folders, plain values, source code and tables."""

import dataclasses
import hashlib
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SHORT_LENGTH = 12
CODE_SUFFIXES = (".py", ".yaml")
_PLAIN = frozenset({str, int, float, bool, type(None)})


def digest_bytes(data: bytes) -> str:
    """Return the SHA-256 of ``data``, 64 hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def short(digest: str) -> str:
    """Return the first 12 characters of a digest, as shown to people and used in file names."""
    return digest[:SHORT_LENGTH]


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes. Raises ``OSError`` where it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of a plain value, the same for equal values whatever the order of their keys.

    A plain value is built from None, bool, int, finite float, str, lists, tuples (equal to lists), mappings with
    str keys, and dataclasses (equal to the mapping of their fields). Raises ``TypeError`` for anything else and
    ``ValueError`` for NaN and infinities.
    """
    return digest_plain(to_plain(value))


def digest_plain(value: Any) -> str:
    """Return ``digest_json`` of a value made of dicts with str keys and lists already; that is not checked."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return digest_bytes(text.encode())


def to_plain(value: Any) -> Any:
    """Return ``value`` with dataclasses and mappings as dicts and tuples as lists. Raises as ``digest_json`` does."""
    if type(value) in _PLAIN:  # most of what a plan digests, and the checks below are slow
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        # JSON would write the keys 1 and "1" alike, and two different values would share a digest.
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"only mappings with str keys have a digest, not {value!r}")
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def digest_tree(folder: Path) -> str:
    """Return the digest of every file below ``folder``, by relative name and bytes; ``__pycache__`` is left out.

    Raises ``NotADirectoryError`` where there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder {folder}")
    return digest_json({path.relative_to(folder).as_posix(): digest_file(path) for path in _files_below(folder)})


def digest_code(packages: Sequence[str]) -> str:
    """Return the digest of the Python and YAML files of import packages or modules, such as ``("bench.core",)``.

    Nothing but the parent packages is imported. Raises ``ModuleNotFoundError`` for a name that does not exist.
    """
    files: dict[str, str] = {}
    for package in packages:
        for name, path in _code_files(package):
            files[name] = digest_file(path)
    return digest_json(files)


def digest_frame(frame: "pd.DataFrame") -> str:
    """Return the digest of a table's content: column names, and every cell in row order, image bytes included.

    Equal tables have equal digests before and after Parquet: the index, the order of columns, and whether a cell
    is a list, tuple or array do not count, and every missing value (None, NaN, NA) is the same one.
    Raises ``ValueError`` for repeated column names and ``TypeError`` for cells of other kinds, such as dates.
    """
    if not frame.columns.is_unique:
        raise ValueError(f"a table with repeated column names has no digest: {list(frame.columns)}")
    columns = {str(name): digest_json([_plain_cell(cell) for cell in frame[name]]) for name in frame.columns}
    return digest_json({"rows": len(frame), "columns": columns})


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _code_files(package: str) -> list[tuple[str, Path]]:
    """Every source file of a package or module as (name relative to the import path, file)."""
    specification = importlib.util.find_spec(package)
    if specification is None:
        raise ModuleNotFoundError(f"no module named {package!r}", name=package)
    base = package.replace(".", "/")
    if specification.submodule_search_locations is None:
        return [(f"{base}.py", Path(str(specification.origin)))]
    return [
        (f"{base}/{path.relative_to(folder).as_posix()}", path)
        for folder in map(Path, specification.submodule_search_locations)
        for path in _files_below(folder)
        if path.suffix in CODE_SUFFIXES
    ]


def _plain_cell(cell: Any) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(cell, bytes):
        return {"sha256": digest_bytes(cell)}
    if isinstance(cell, np.ndarray | np.generic):
        return _plain_cell(cell.tolist())
    if isinstance(cell, Mapping):
        return {key: _plain_cell(item) for key, item in cell.items()}
    if isinstance(cell, list | tuple):
        return [_plain_cell(item) for item in cell]
    if cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, float) and math.isinf(cell):
        return {"infinite": math.copysign(1, cell)}  # the logarithm of an impossible option's likelihood
    return cell
