"""Changes of a suite on the command line: ``budget.eps=4``, ``defenses.dp2vl.options.steps=5``."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bench.core.errors import UsageError
from bench.core.registry import unknown_name

NAMING_FIELDS = ("label", "name", "checkpoint")
"""Fields by which a part of the command line's path finds an entry of a list, in this order."""


def changed(content: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """What a suite file says with these fields replaced; values are read as YAML, and checked with the suite.

    A path's parts are separated by dots: names of fields, and for a list the place or the label, name or checkpoint of
    an entry. Raises UsageError for a change that is no ``FIELD=VALUE`` and for a path that leads nowhere.
    """
    result = copy.deepcopy(dict(content))
    for change in changes:
        path, equals, text = change.partition("=")
        parts = path.split(".")
        if not equals or not all(parts):
            raise UsageError(f"--set {change!r} must be FIELD=VALUE, for example budget.eps=4.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(
                f"--set {change!r}: the value is not valid YAML: {' '.join(str(error).split())}"
            ) from error
        _put(result, parts, value, change)
    return result


def _put(content: dict[str, Any], parts: Sequence[str], value: Any, change: str) -> None:
    container: Any = content
    for place, part in enumerate(parts[:-1]):
        key = _key(container, part, change)
        inner = container.get(key) if isinstance(container, dict) else container[key]
        if isinstance(inner, str) and parts[: place + 1] == ["recipe"]:
            inner = {"name": inner}
        elif inner is None:
            inner = {}
        elif not isinstance(inner, (dict, list)):
            raise UsageError(f"--set {change!r}: {'.'.join(parts[: place + 1])} is {inner!r}, which has no fields.")
        container[key] = inner
        container = inner
    container[_key(container, parts[-1], change)] = value


def _key(container: dict[str, Any] | list[Any], part: str, change: str) -> str | int:
    """A field's name, or the place of a list's entry."""
    if isinstance(container, dict):
        return part
    if part.isdecimal() and int(part) < len(container):
        return int(part)
    names = [_name(entry) for entry in container]
    if part not in names:
        error = unknown_name("entry", part, [name for name in names if name] or map(str, range(len(names))))
        raise UsageError(f"--set {change!r}: {error}.")
    return names.index(part)


def _name(entry: Any) -> str:
    known = entry if isinstance(entry, Mapping) else {}
    return next((str(known[field]) for field in NAMING_FIELDS if known.get(field)), "")
