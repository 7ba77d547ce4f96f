"""The digest of the code behind a stage: what changes it, and what does not."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.stages.code import CodeDigests, code_digest, interface_places

Package = Callable[[dict[str, str]], Callable[[], str]]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Write files of a package ``plug`` and get the digest of its module ``plug.method``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(files: dict[str, str]) -> Callable[[], str]:
        for name, text in files.items():
            path = tmp_path / "plug" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return lambda: code_digest(["plug.method"])

    return write


FILES = {
    "__init__.py": "",
    "method.py": "raise RuntimeError('a digest runs nothing')\nfrom plug.inner import help\n",
    "inner.py": "def help():\n    from . import late\n",
    "late.py": "import plug.sub.deep\n",
    "sub/__init__.py": "",
    "sub/deep.py": "A = 1\n",
    "unrelated.py": "B = 1\n",
}


def test_equal_code_gives_equal_digests(package: Package) -> None:
    digest = package(FILES)
    assert digest() == digest()
    assert "plug.method" not in sys.modules


@pytest.mark.parametrize("name", ["method.py", "inner.py", "late.py", "sub/deep.py", "sub/__init__.py", "__init__.py"])
def test_a_change_in_anything_that_is_imported_counts(package: Package, name: str) -> None:
    before = package(FILES)()
    assert package(FILES | {name: FILES[name] + "# changed\n"})() != before


def test_a_change_elsewhere_does_not_count(package: Package) -> None:
    before = package(FILES)()
    assert package(FILES | {"unrelated.py": "B = 2\n"})() == before


def test_a_yaml_file_beside_an_imported_module_counts(package: Package) -> None:
    before = package(FILES)()
    assert package(FILES | {"sub/words.yaml": "a: 1\n"})() != before


def test_stages_of_ours_cover_the_contracts_they_rest_on_and_not_the_page() -> None:
    ours = frozenset({"bench", "scenarios", "evaluators", "leaderboard"})
    found = CodeDigests().closure(["bench.stages.finetune"], ours)
    assert {"bench.targets.base", "scenarios.language", "bench.core.digests"} <= set(found)
    assert not {name for name in found if name.startswith("leaderboard") or name == "bench.cli"}


def test_a_plugin_rests_on_what_it_takes_from_the_interface_and_not_on_all_of_it(package: Package) -> None:
    package({"__init__.py": "", "method.py": "from veilbench import Defense, Photo\n"})
    ours = frozenset({"plug", "veilbench", "bench", "scenarios", "evaluators", "leaderboard"})
    found = set(CodeDigests().closure(["plug.method"], ours))
    assert {interface_places()["Defense"], interface_places()["Photo"], "bench.core.errors"} <= found
    assert not {name for name in found if name.startswith(("leaderboard", "bench.commands", "bench.plan", "veilbench"))}


@pytest.mark.parametrize("source", ["import veilbench\nveilbench.Evaluator\n", "import veilbench as v\nv.Evaluator\n"])
def test_looking_a_name_up_on_the_interface_is_taking_it_from_there(package: Package, source: str) -> None:
    package({"__init__.py": "", "method.py": source})
    found = CodeDigests().closure(["plug.method"], frozenset({"plug", "veilbench", "evaluators", "bench"}))
    assert "evaluators.base" in found and "bench.defenses.base" not in found


def test_each_digest_tells_what_stands_behind_it(package: Package) -> None:
    package(FILES)
    digests = CodeDigests()
    sources = digests.sources[digests(["plug.method"])]
    assert {"plug.method", "plug.inner", "plug.late", "plug.sub.deep"} <= set(sources)
    assert digests(["plug.method"]) == code_digest(["plug.method"])
