"""Compiled templates: kept between processes, never used for another source, and never needed."""

import sys
from pathlib import Path

import jinja2
import pytest

from leaderboard.templating import CompiledTemplates


def rendered(source: str) -> str:
    """A template as a new process would render it."""
    loader = jinja2.DictLoader({"greeting": source})
    return jinja2.Environment(loader=loader, bytecode_cache=CompiledTemplates()).get_template("greeting").render()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled templates are kept, in a process that keeps any."""
    monkeypatch.setattr(CompiledTemplates, "folder", tmp_path / "kept")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "kept"


def test_a_template_is_compiled_once_for_its_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered("good {{ 'day' }}") == "good day"
    (kept,) = folder.iterdir()
    written = kept.read_bytes()

    def compile_nothing(*_: object, **__: object) -> None:
        raise AssertionError("it was compiled before")

    with monkeypatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_nothing)
        assert rendered("good {{ 'day' }}") == "good day"
    assert rendered("good {{ 'night' }}") == "good night", "another source is another template"
    assert kept.read_bytes() != written


def test_damage_and_a_folder_that_cannot_be_written_do_no_harm(folder: Path) -> None:
    rendered("good day")
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:-5])
    assert rendered("good day") == "good day"
    kept.unlink()
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    assert rendered("good day") == "good day"


def test_nothing_is_kept_where_python_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered("good day") == "good day" and not folder.exists()
