"""``import veilbench``: everything public, looked up late."""

import ast
import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

import veilbench

ROOT = Path(__file__).parents[2]
PROMISED = {
    "Defense", "DefenseContext", "Photo", "Budget", "Surrogate", "Target", "Attack", "Evaluator", "Metric",
    "value_rows", "Generator", "BuildOrder", "UsageError", "DataError", "load_suite", "run", "protect",
    "load_records", "__version__",
}  # fmt: skip


def test_everything_that_was_promised_is_there() -> None:
    assert set(veilbench.__all__) >= PROMISED
    assert set(veilbench.__all__) == {*veilbench.PLACES, "__version__"}
    for name in veilbench.__all__:
        assert getattr(veilbench, name) is not None
    assert dir(veilbench) == sorted(veilbench.__all__)


@pytest.mark.parametrize("name", sorted(veilbench.PLACES))
def test_a_name_is_the_very_thing_of_its_module(name: str) -> None:
    found = getattr(veilbench, name)
    assert found is getattr(importlib.import_module(veilbench.PLACES[name]), name)
    assert getattr(found, "__module__", veilbench.PLACES[name]) in (veilbench.PLACES[name], "collections.abc", "typing")


def test_type_checkers_are_told_the_same_places() -> None:
    source = ast.parse((ROOT / "veilbench" / "__init__.py").read_text())
    told = {
        alias.asname: node.module
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.module != "importlib.metadata"
        for alias in node.names
    }
    assert told == veilbench.PLACES
    assert (ROOT / "veilbench" / "py.typed").is_file()


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Nonsense': it has Attack, "):
        getattr(veilbench, "Nonsense")  # noqa: B009


def test_importing_it_takes_no_time_and_loads_nothing() -> None:
    program = (
        "import sys, time; start = time.perf_counter(); import veilbench; took = time.perf_counter() - start; "
        "print(took, [name for name in ('torch', 'pandas', 'numpy', 'pydantic', 'typer') if name in sys.modules])"
    )
    took, loaded = [], ""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
        seconds, loaded = done.stdout.split(" ", 1)
        took.append(float(seconds))
        assert loaded.strip() == "[]"
    assert min(took) < 0.1


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    start = time.perf_counter()
    assert veilbench.__version__ == version("veilbench")
    assert time.perf_counter() - start < 5
