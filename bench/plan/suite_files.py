"""Suites by name or from files, one built on another, with fields changed on the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from bench.plan.suite import Suite
from bench.plan.suite_changes import changed
from bench.plan.suite_errors import describe_first_error

SHIPPED = Path(__file__).parent / "suites"
EXTENDS = "extends"


def shipped_suites() -> dict[str, Path]:
    """Name -> file of the suites that come with the package."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load_suite(name_or_file: str, changes: Sequence[str] = ()) -> Suite:
    """A shipped suite by name, or a suite file by path, with ``changes`` such as ``budget.eps=4``.

    A suite with ``extends`` has all fields of the suite named there but those that it states itself. Raises UsageError
    for an unknown name (with the nearest ones), for a file or change that breaks the schema (with the file, the field
    and what is allowed), and for a suite that extends itself or one that extends another.
    """
    path = _suite_file(name_or_file)
    content = changed(_extended(path), changes)
    place = " ".join([str(path), *(f"with --set {change}" for change in changes)])
    try:
        suite = Suite.model_validate(content)
    except ValidationError as error:
        raise UsageError(describe_first_error(place, error)) from error
    except UsageError as error:
        raise UsageError(f"{place}: field recipe: {error}") from error
    # A folder is a place on one machine, and what is read as a name must not be taken for a shipped suite.
    source = path.name if path.suffix else f"./{path.name}"
    return suite.asked_for(source if _looks_like_file(name_or_file) else name_or_file, changes)


def _suite_file(name_or_file: str) -> Path:
    shipped = shipped_suites()
    path = Path(name_or_file) if _looks_like_file(name_or_file) else shipped.get(name_or_file)
    if path is None:
        raise unknown_name("suite", name_or_file, shipped)
    if not path.is_file():
        raise UsageError(f"there is no suite file {path}.")
    return path


def _looks_like_file(name_or_file: str) -> bool:
    return name_or_file.endswith((".yaml", ".yml")) or "/" in name_or_file


def _extended(path: Path) -> dict[str, Any]:
    """The fields of a suite file on top of those of the suite that it extends, if any."""
    own = _read(path)
    if EXTENDS not in own:
        return own
    named = own.pop(EXTENDS)
    if not isinstance(named, str):
        raise UsageError(f"{path}: field {EXTENDS}: the name of a shipped suite or a suite file, not {named!r}.")
    if "name" not in own:
        raise UsageError(f"{path}: field name: a suite that extends another needs a name of its own.")
    # A file that is named stands beside the one that names it, wherever the command is given.
    below = _suite_file(str(path.parent / named) if _looks_like_file(named) else named)
    if below.resolve() == path.resolve():
        raise UsageError(f"{path}: field {EXTENDS}: a suite cannot extend itself.")
    inherited = _read(below)
    if EXTENDS in inherited:
        raise UsageError(
            f"{path}: field {EXTENDS}: {named} itself extends {inherited[EXTENDS]}; one level is allowed: "
            f"extend {inherited[EXTENDS]} and state the other fields here."
        )
    return {**inherited, **own}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping):
        raise UsageError(f"{path}: a suite is a mapping with the fields {', '.join(Suite.model_fields)}.")
    return dict(content)
