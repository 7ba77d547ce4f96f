"""What runs stages, what it tells while it does, and how it tells that one failed."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from bench.core.errors import VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore
from bench.stages.base import Stage

ALL_STAGES = "expected seconds"
"""Name of the progress line of the whole, which counts the expected seconds of finished stages."""


class StageError(VeilBenchError):
    """A stage failed for a reason that is not the user's input; the message names the stage and the log."""


class WorkerDiedError(VeilBenchError):
    """A worker process ended without a word, most often killed by the system for lack of memory."""


@dataclass(frozen=True)
class StageFailure:
    """A stage that has no artifact: by its own fault, or because of the stage ``rests_on`` that it waits for."""

    stage: str
    reason: str
    rests_on: str = ""


class Watcher(Protocol):
    """Who is told how it goes, from the process that runs the executor."""

    def progress(self, name: str) -> ReportProgress:
        """The progress line of a stage, or of ``ALL_STAGES``."""

    def finished(self, stage: Stage) -> None:
        """A stage's artifact is in the store."""


class Executor(Protocol):
    """Runs stages, each after those it depends on. An executor for many machines needs no more than this."""

    def run(
        self,
        stages: Sequence[Stage],
        store: ArtifactStore,
        seconds: Mapping[str, float],
        watcher: Watcher,
        first: Set[str] = frozenset(),
    ) -> list[StageFailure]:
        """Compute every stage's artifact into the store; return those that failed, where it goes on after a failure.

        ``seconds`` is what each stage is expected to take, by name; only the order of work rests on it. ``first``
        names stages that come before all others.
        """
