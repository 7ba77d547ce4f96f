"""The command that starts vLLM: paths with blanks, arguments, and what is no program."""

from pathlib import Path

import pytest

from bench.core.errors import UsageError
from bench.targets.vllm.command import command_words, configured_command, found_program


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "my env" / "bin" / "vllm"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_path_may_have_blanks(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (str(program), f" {program}\n", f"'{program}'", str(program).replace(" ", "\\ ")):
        monkeypatch.setenv("VEILBENCH_VLLM", text)
        assert configured_command() == (str(program),)
        assert found_program(configured_command()) == str(program)


def test_a_command_may_have_arguments_and_begin_at_home(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command_words(f"'{program}' --port 1", "--vllm") == (str(program), "--port", "1")
    monkeypatch.setenv("HOME", str(program.parents[2]))
    assert command_words("~/my env/bin/vllm", "--vllm") == (str(program),)
    assert command_words("'~/my env/bin/vllm' -x", "--vllm") == (str(program), "-x")
    assert command_words("docker run 'my image'", "--vllm") == ("docker", "run", "my image")


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_without_a_command_it_is_vllm(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VEILBENCH_VLLM", text)
    assert configured_command() == ("vllm",)


@pytest.mark.parametrize("text", ["'vllm", 'a "b', "vllm \\", "x" * 5000 + " '"])
def test_a_quotation_mark_without_its_second_one_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VEILBENCH_VLLM", text)
    with pytest.raises(UsageError, match=r"^VEILBENCH_VLLM has a quotation mark"):
        configured_command()


def test_what_is_no_program_is_said(program: Path) -> None:
    said = "needs quotation marks"
    with pytest.raises(UsageError, match=rf"'{program.parent}' is a folder: .*{said}"):
        found_program((str(program.parent),))
    with pytest.raises(UsageError, match=rf"'{program.parents[2]}/my' was not found: .*{said}"):
        found_program(command_words(f"{program}x --port 1", "--vllm"))
    program.chmod(0o644)
    with pytest.raises(UsageError, match=rf"'{program}' may not be executed: "):
        found_program((str(program),))
