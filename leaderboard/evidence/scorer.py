"""Which code computed a record's metrics from its answers: another version may give other numbers."""

import importlib.util
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bench.core.digests import digest_code, digest_file, digest_json
from evaluators.registry import evaluators

SCORING_CODE = (
    "evaluators",
    "bench.core.statistics",
    "leaderboard.measuring",
    "scenarios.schema",
    "scenarios.spelling",
    "scenarios.photo_files",
    "scenarios.pixels",
)
"""Packages and modules that answers go through on their way to a number. A test holds this to what they import."""


def scorer_digest(evaluator_names: Iterable[str]) -> str:
    """The digest of that code, and of the modules of those of the named evaluators that come from elsewhere.

    Each file is read once a process. Raises ``UsageError`` for an evaluator that is not installed.
    """
    built_in = set(evaluators.built_in())
    outside = {name: evaluators.get(name).__module__ for name in evaluator_names if name not in built_in}
    return digest_json({"own": _own_digest(), "outside": {name: _of_module(outside[name]) for name in sorted(outside)}})


@cache
def scoring_modules() -> tuple[str, ...]:
    """The names of all modules of ``SCORING_CODE``."""
    found = []
    for name in SCORING_CODE:
        specification = importlib.util.find_spec(name)
        assert specification is not None, f"{name} is one of ours"
        found.append(name)
        for folder in map(Path, specification.submodule_search_locations or ()):
            parts = [path.relative_to(folder).with_suffix("").parts for path in sorted(folder.rglob("*.py"))]
            found += [".".join((name, *own)) for own in parts if own[-1] != "__init__"]
    return tuple(found)


@cache
def _own_digest() -> str:
    return digest_code(SCORING_CODE)


@cache
def _of_module(name: str) -> str:
    """The digest of a plugin's module; its name alone where it stands in no file."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return digest_file(Path(file)) if file else name
