"""The digest of what computed a record's numbers."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.core.errors import UsageError
from bench.core.registry import Registry
from bench.stages.code import OURS, CodeDigests
from evaluators.base import Evaluator
from leaderboard.evidence import scorer
from leaderboard.evidence.scorer import scorer_digest, scoring_modules

DECIDES_NOTHING = frozenset(
    {
        "bench.core.digests",
        "bench.core.errors",
        "bench.core.models",
        "bench.core.registry",
        "leaderboard.schema",
        "scenarios.scenes",
        "scenarios.yaml_files",
    }
)
"""Modules that scoring imports, and that no number comes from."""

PLUGIN = """
from evaluators.base import Evaluator, Metric

class Foreign(Evaluator):
    subject = "answers"
    metrics = (Metric("foreign", "share", "down", "{meaning}"),)

    def measure(self, rows):
        raise NotImplementedError
"""

Digest = Callable[[str], str]


def is_module(name: str) -> bool:
    """Whether a name is that of a file of code, and not one inside a file or a folder's own."""
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return False
    return found is not None and found.submodule_search_locations is None


def test_it_covers_all_that_scoring_imports() -> None:
    imported = CodeDigests().closure(scoring_modules(), frozenset(OURS))
    beside = {name for name in imported if name not in scoring_modules() and is_module(name)}
    assert beside <= DECIDES_NOTHING


def test_it_covers_every_file_of_the_packages() -> None:
    modules = set(scoring_modules())
    assert {"evaluators.scoring", "evaluators.zero", "leaderboard.measuring"} <= modules
    assert {"bench.core.statistics.intervals", "scenarios.spelling"} <= modules


def test_it_is_the_same_for_all_evaluators_that_come_with_the_project() -> None:
    assert scorer_digest(["leakage"]) == scorer_digest(["utility", "tails"]) == scorer_digest([])
    assert len(scorer_digest([])) == 64


def test_an_unknown_evaluator_has_none() -> None:
    with pytest.raises(UsageError, match="leekage"):
        scorer_digest(["leekage"])


@pytest.fixture
def digest_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Digest]:
    """The digest where an evaluator from elsewhere has such a source."""

    def digest(meaning: str) -> str:
        path = tmp_path / "foreign_evaluator.py"
        path.write_text(PLUGIN.format(meaning=meaning))
        specification = importlib.util.spec_from_file_location("foreign_evaluator", path)
        assert specification is not None and specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        monkeypatch.setitem(sys.modules, "foreign_evaluator", module)
        specification.loader.exec_module(module)
        registry: Registry[type[Evaluator]] = Registry("evaluator", "veilbench.nothing", ())
        registry.register("foreign")(module.Foreign)
        monkeypatch.setattr(scorer, "evaluators", registry)
        scorer._of_module.cache_clear()
        return scorer_digest(["foreign"])

    yield digest
    scorer._of_module.cache_clear()


def test_the_module_of_an_evaluator_from_elsewhere_counts(digest_with: Digest) -> None:
    first = digest_with("one")
    assert first != scorer_digest([])
    assert digest_with("other") != first == digest_with("one")
