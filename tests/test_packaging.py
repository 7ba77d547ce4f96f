"""What is installed is what is used: our packages with all their data, and extras under the names that texts use."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# torch needs setuptools, so that it is there wherever the tests run; `pip freeze` leaves it out of the lock.
from setuptools import find_namespace_packages

ROOT = Path(__file__).parents[1]
PACKAGES = {"bench", "scenarios", "generators", "evaluators", "leaderboard", "veilbench"}
APART = {"all", "dev", "vllm"}
"""Extras that "all" leaves out: itself, what only developers need, and the engine, which brings a torch of its own."""

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = CONFIGURATION["project"]
EXTRAS = PROJECT["optional-dependencies"]


def _packages() -> list[str]:
    find = CONFIGURATION["tool"]["setuptools"]["packages"]["find"]
    return find_namespace_packages(str(ROOT), include=find["include"])


def _shipped_data() -> set[Path]:
    """The files that the patterns of package-data find, as setuptools does: from the folder of each package."""
    patterns = CONFIGURATION["tool"]["setuptools"]["package-data"]
    return {
        file
        for package in _packages()
        for pattern in [*patterns["*"], *patterns.get(package, [])]
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }


def _data_files() -> set[Path]:
    """All that lies under our packages, but for code, what Python keeps beside it, and hidden files."""
    found = (file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file())
    return {file for file in found if file.suffix not in (".py", ".pyc") and not file.name.startswith(".")}


def test_only_our_packages_are_found() -> None:
    assert {package.partition(".")[0] for package in _packages()} == PACKAGES


def test_every_folder_with_code_is_found() -> None:
    folders = {file.parent for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    assert {".".join(folder.relative_to(ROOT).parts) for folder in folders} <= set(_packages())


def test_every_data_file_is_shipped() -> None:
    files = _data_files()
    assert len(files) > len(PACKAGES)
    assert sorted(str(file.relative_to(ROOT)) for file in files - _shipped_data()) == []


def test_the_interface_is_typed() -> None:
    assert ROOT / "veilbench" / "py.typed" in _shipped_data()


def test_mypy_looks_at_every_package() -> None:
    assert set(CONFIGURATION["tool"]["mypy"]["files"]) == PACKAGES


def test_extras_named_in_texts_exist() -> None:
    texts = [ROOT / "README.md", ROOT / "Makefile", *(ROOT / "docs").glob("*.md")]
    texts += [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    named = {
        extra.strip()
        for text in texts
        for extras in re.findall(r"(?:veilbench|\.)\[([a-z, ]+)\][\"']", text.read_text(encoding="utf-8"))
        for extra in extras.split(",")
    }
    assert {"heic", "render", "all", "vllm"} <= named <= set(EXTRAS)


def test_all_is_what_can_stand_in_one_environment() -> None:
    (everything,) = (Requirement(text) for text in EXTRAS["all"])
    assert (everything.name, everything.extras) == (PROJECT["name"], set(EXTRAS) - APART)


@pytest.mark.parametrize("text", [*PROJECT["dependencies"], *EXTRAS["dev"]])
def test_the_lock_pins_what_is_asked_for(text: str) -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    asked = Requirement(text)
    assert pins[canonicalize_name(asked.name)] in asked.specifier


def test_one_oldest_python_everywhere() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert CONFIGURATION["tool"]["mypy"]["python_version"] == oldest
    assert CONFIGURATION["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]
