"""The environment part of a record."""

import json
import platform
import subprocess
from pathlib import Path

import numpy
import pytest

from bench.core.environment import describe_checkout, describe_environment

NO_CHECKOUT = {"git_commit": None, "git_dirty": None}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "code.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "First")
    return folder


def test_versions_and_device_are_told_and_nothing_of_time_or_host() -> None:
    environment = describe_environment("cpu")
    assert environment["python"] == platform.python_version()
    assert environment["numpy"] == numpy.__version__
    assert environment["device"] == "cpu"
    assert environment == describe_environment("cpu")
    assert platform.node() not in json.dumps(environment)
    assert set(environment) == {
        *("python", "torch", "transformers", "peft", "numpy", "pandas"),
        *("device", "git_commit", "git_dirty"),
    }


def test_a_clean_checkout_has_its_commit(checkout: Path) -> None:
    assert describe_checkout(checkout) == {"git_commit": git(checkout, "rev-parse", "HEAD"), "git_dirty": False}


def test_a_changed_tracked_file_makes_it_dirty(checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    assert describe_checkout(checkout)["git_dirty"] is True


def test_a_new_file_that_git_does_not_track_does_not(checkout: Path) -> None:
    (checkout / "suite.yaml").write_text("name: mine\n")
    assert describe_checkout(checkout)["git_dirty"] is False


def test_a_folder_inside_somebody_elses_checkout_is_none(checkout: Path) -> None:
    (checkout / "site-packages").mkdir()
    assert describe_checkout(checkout / "site-packages") == NO_CHECKOUT


def test_a_folder_whose_name_is_no_text_has_its_commit_too(checkout: Path) -> None:
    named_in_bytes = checkout.rename(checkout.with_name("caf\udce9"))
    assert describe_checkout(named_in_bytes)["git_dirty"] is False


def test_no_git_no_commit_and_no_program_are_no_checkout(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert describe_checkout(empty) == NO_CHECKOUT
    git(empty, "init", "--quiet")
    assert describe_checkout(empty) == NO_CHECKOUT
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_checkout(checkout) == NO_CHECKOUT


def test_variables_of_a_git_hook_do_not_mislead(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = describe_checkout(checkout)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert describe_checkout(checkout) == expected
