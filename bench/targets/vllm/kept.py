"""What an engine has answered of a stage, on disk, so that another attempt at the stage asks only for the rest."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from bench.targets.vllm.results import CompletionResult


class KeptResults:
    """Results by the number of their request, one a line of ``file``, which belongs to one stage with all its inputs.

    A line that was cut off, or could not be written because the disk is full, is asked again, no more. Without a file
    nothing is kept.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def read(self, count: int) -> dict[int, CompletionResult]:
        """What there is of ``count`` requests."""
        if self._file is None or not self._file.exists():
            return {}
        results = {}
        for line in self._file.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                number, result = _parsed(line)
                results[number] = result
        return {number: result for number, result in results.items() if number < count}

    def add(self, number: int, result: CompletionResult) -> None:
        """Keep one more."""
        if self._file is None:
            return
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # The line end stands first: what a killed process has left of a line ends there.
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"\n{json.dumps({'number': number, **asdict(result)})}")

    def forget(self) -> None:
        """Remove the file: the stage has all that it asked for."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()


def _parsed(line: str) -> tuple[int, CompletionResult]:
    content = json.loads(line)
    result = CompletionResult(
        tokens=tuple(content["tokens"]),
        prompt=tuple(content["prompt"]),
        next={int(token): float(value) for token, value in content["next"].items()},
        scores=tuple(content["scores"]),
    )
    return int(content["number"]), result
