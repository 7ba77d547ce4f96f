"""Small stages for the executor's tests; a spawned worker imports them from here."""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import DataError
from bench.core.progress import ReportProgress, quiet
from bench.stages.base import ArtifactReference, Stage, StageSpec, Workspace, stage_key


@dataclass(frozen=True)
class SampleSpec(StageSpec):
    """A spec that hands its value to a function of this module."""

    name = "sample"
    units = 1.0
    seconds_per_unit = 1.0

    function: Callable[[Any, Workspace], Mapping[str, float] | None]
    value: Any

    def compute(self, workspace: Workspace) -> Mapping[str, float] | None:
        """Call the function."""
        return self.function(self.value, workspace)


def make_stage(name: str, function: Any, value: Any, after: Sequence[Stage] = ()) -> Stage:
    """A stage of kind ``sample`` whose key covers its name, its value and the keys before it."""
    inputs = {"name": name, "value": str(value), "before": [stage.key for stage in after]}
    names = tuple(stage.name for stage in after)
    return Stage(name, stage_key("sample", inputs), inputs, SampleSpec(function, value), names)


class Silent:
    """A watcher that says nothing and remembers which stages were finished, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def progress(self, name: str) -> ReportProgress:
        """No progress."""
        return quiet()

    def finished(self, stage: Stage) -> None:
        """Remember the stage."""
        self.names.append(stage.name)


def write_text(spec: str, workspace: Workspace) -> None:
    """Write the spec, and print, as some libraries do."""
    print("a library prints")
    (workspace.folder / "text").write_text(spec)


def join_texts(spec: Sequence[ArtifactReference], workspace: Workspace) -> Mapping[str, float]:
    """Write what earlier stages wrote, joined."""
    texts = [(workspace.artifact(one) / "text").read_text() for one in spec]
    workspace.report(len(texts), len(texts), "joined")
    (workspace.folder / "text").write_text("+".join(texts))
    return {"texts": float(len(texts))}


def refuse(spec: str, workspace: Workspace) -> None:
    """Fail as on bad input."""
    (workspace.folder / "half").write_text("half")
    raise DataError(f"photo {spec} cannot be decoded.")


def stumble(spec: str, workspace: Workspace) -> None:
    """Fail as on a fault in the code."""
    raise ZeroDivisionError(spec)


def vanish(spec: str, workspace: Workspace) -> None:
    """End as a process that the system kills for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave(spec: int, workspace: Workspace) -> None:
    """End with an exit code of one's own."""
    os._exit(spec)


def write_threads(spec: str, workspace: Workspace) -> None:
    """Write what number of threads the environment asks for, and whether torch was imported."""
    (workspace.folder / "text").write_text(f"{os.environ['OMP_NUM_THREADS']} {'torch' in sys.modules}")


def sleep(spec: str, workspace: Workspace) -> None:
    """Write half of a file, say so, and go on for longer than any test waits."""
    (workspace.folder / "half").write_text(str(os.getpid()))
    workspace.report(0, 1, "asleep")
    for _ in range(1200):
        time.sleep(0.05)


def touch_and_wait(spec: tuple[str, str], workspace: Workspace) -> None:
    """Make one file and wait for another, which a stage beside this one makes."""
    own, other = (Path(name) for name in spec)
    own.touch()
    deadline = time.monotonic() + 30
    while not other.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(str(other))
        time.sleep(0.01)


def fill_disk(spec: str, workspace: Workspace) -> None:
    """Fail as on a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
