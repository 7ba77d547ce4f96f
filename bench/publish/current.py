"""Whether a page set is still what a plan gives: then nothing needs to be written."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from bench.core.digests import digest_json, digest_tree
from bench.core.files import write_whole
from bench.plan.plan import Plan
from leaderboard.missing import MissingRun
from leaderboard.site import is_intact

MARKER = ".published"

CODE_BEHIND_A_PAGE = ("leaderboard", "evaluators", "bench.core.statistics", "bench.publish")
"""What headlines and pages are made by; the code behind the runs themselves is in the keys of their stages."""


def publication_key(plan: Plan, said: Sequence[str], missing: Sequence[MissingRun]) -> str:
    """Digest of all that records and page rest on: stages, how the suite was asked for, the code behind the page."""
    suite = plan.suite
    return digest_json(
        {
            "stages": {name: plan.stages[name].key for name in sorted(plan.goals)},
            "labels": [run.label for run in plan.runs],
            "asked": [suite.name, suite.title, suite.source, suite.seed_given, list(suite.changes)],
            "said": list(said),
            "missing": [asdict(one) for one in missing],
            "code": [_code(package) for package in CODE_BEHIND_A_PAGE],
        }
    )


def is_current(output: Path, key: str) -> bool:
    """Whether ``output`` was written for that key and every file of it is as it was written."""
    try:
        return (output / MARKER).read_text(encoding="utf-8") == key and is_intact(output)
    except (OSError, ValueError):
        return False


def mark_current(output: Path, key: str) -> None:
    """Note what ``output`` was written for; the last step."""
    write_whole(output / MARKER, key.encode())


def _code(package: str) -> str:
    specification = find_spec(package)
    assert specification is not None and specification.submodule_search_locations is not None
    return digest_tree(Path(next(iter(specification.submodule_search_locations))))
