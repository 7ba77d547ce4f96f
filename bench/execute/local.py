"""Running the stages of a plan in worker processes of this machine, as their dependencies finish."""

import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from bench.core.errors import VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore
from bench.stages.base import EngineAccess, Stage
from bench.execute.workers import Failed, Finished, Progressed, work

GRACE_SECONDS = 10.0
"""How long a worker may take to leave its step and clear its half-written artifact before it is killed."""

WORKER_ENVIRONMENT = {
    # Results must not depend on the number of cores, and spinning threads of several processes starve each other.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "TOKENIZERS_PARALLELISM": "false",
    # Everything is on this machine by now, and progress is ours to show.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


ALL_STAGES = "expected seconds"
"""Name of the progress line of the whole, which counts the expected seconds of finished stages."""


class StageError(VeilBenchError):
    """A stage failed for a reason that is not the user's input; the message names the stage and the log."""


class WorkerDiedError(VeilBenchError):
    """A worker process ended without a word, most often killed by the system for lack of memory."""


class Executor(Protocol):
    """Runs stages, each after those it depends on. An executor for many machines needs no more than this."""

    def run(
        self,
        stages: Sequence[Stage],
        store: ArtifactStore,
        seconds: Mapping[str, float],
        progress: Callable[[str], ReportProgress],
    ) -> None:
        """Compute every stage's artifact into the store.

        ``seconds`` is what each stage is expected to take, by name; only the order of work rests on it.
        ``progress(name)`` gives a stage its progress line, and ``ALL_STAGES`` that of the whole.
        """


def default_workers(device: str) -> int:
    """One worker a core; a single one where they would share an accelerator's memory."""
    if device != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: connection.Connection
    stage: Stage | None = None


class LocalExecutor:
    """``workers`` single-threaded processes, started as they are needed and reused from stage to stage.

    An error in one stage stops the others and is raised here; so does Ctrl-C. Either way every worker is gone, and
    has cleared what it was writing, before ``run`` returns.
    """

    def __init__(self, workers: int, engine: EngineAccess | None = None) -> None:
        self._limit = workers
        self._engine = engine
        self._workers: list[_Worker] = []

    def run(
        self,
        stages: Sequence[Stage],
        store: ArtifactStore,
        seconds: Mapping[str, float],
        progress: Callable[[str], ReportProgress],
    ) -> None:
        """Compute every stage's artifact into the store, the longest chain first.

        Raises the stage's own VeilBenchError, StageError for any other exception, and WorkerDiedError for a worker
        that was killed. No process is started where ``stages`` is empty.
        """
        if not stages:
            return
        queue = _Queue(stages, seconds)
        reports: dict[str, ReportProgress] = {}
        try:
            while not queue.done:
                self._hand_out(queue, store)
                for worker, message in self._messages():
                    self._take(worker, message, queue, reports, progress)
            self._dismiss()
        finally:
            self._end()

    def _hand_out(self, queue: "_Queue", store: ArtifactStore) -> None:
        idle = [worker for worker in self._workers if worker.stage is None]
        while queue.has_ready and (idle or len(self._workers) < self._limit):
            worker = idle.pop() if idle else self._start(store)
            worker.stage = queue.take()
            try:
                worker.pipe.send(worker.stage)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise _died(worker) from error

    def _take(
        self,
        worker: _Worker,
        message: Any,
        queue: "_Queue",
        reports: dict[str, ReportProgress],
        progress: Callable[[str], ReportProgress],
    ) -> None:
        assert worker.stage is not None
        stage = worker.stage
        if isinstance(message, Progressed):
            if stage.name not in reports:
                reports[stage.name] = progress(stage.name)
            reports[stage.name](message.done, message.total, message.note)
        elif isinstance(message, Finished):
            worker.stage = None
            queue.finish(stage)
            if ALL_STAGES not in reports:
                reports[ALL_STAGES] = progress(ALL_STAGES)
            # In expected seconds, so that the time left is not that of so many equal stages.
            reports[ALL_STAGES](queue.seconds_finished, queue.seconds_in_all, f"{queue.counted}, {stage.name}")
        elif isinstance(message, Failed):
            worker.stage = None
            raise message.error if message.error is not None else StageError(message.sentence)

    def _start(self, store: ArtifactStore) -> _Worker:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, store.root, self._engine), daemon=True
        )
        with _environment(WORKER_ENVIRONMENT), _interrupts_held_back():
            process.start()
            # Known at once: a Ctrl-C that was held back must find the process in the list of those to end.
            worker = _Worker(process, ours)
            self._workers.append(worker)
        theirs.close()
        return worker

    def _messages(self) -> Iterator[tuple[_Worker, Any]]:
        """Wait until workers have something to say, and give it; a worker that is gone raises WorkerDiedError."""
        busy = {worker.pipe: worker for worker in self._workers if worker.stage is not None}
        for pipe in connection.wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            try:
                message = worker.pipe.recv()
            except (EOFError, ConnectionResetError) as error:
                raise _died(worker) from error
            yield worker, message

    def _dismiss(self) -> None:
        """Let idle workers go by themselves: the end of the pipe is the end of the work."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(GRACE_SECONDS)

    def _end(self) -> None:
        """End every worker that still lives: politely, so that it clears its partial artifact, then for good."""
        with _interrupts_held_back():
            for worker in self._workers:
                if worker.process.is_alive():
                    worker.process.terminate()
            deadline = time.monotonic() + GRACE_SECONDS
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - time.monotonic()))
                if worker.process.is_alive():
                    worker.process.kill()
                    worker.process.join()
                worker.pipe.close()
            self._workers.clear()


class _Queue:
    """Which stages are ready, under way and finished; the ready one with the longest chain behind it comes first."""

    def __init__(self, stages: Sequence[Stage], seconds: Mapping[str, float]) -> None:
        names = {stage.name for stage in stages}
        # What is not asked for here was there before.
        self._missing = {stage.name: {name for name in stage.depends_on if name in names} for stage in stages}
        self._waiting = {stage.name: stage for stage in stages}
        self._unfinished = set(names)
        self.n_stages = len(names)
        self._seconds = {stage.name: seconds[stage.name] for stage in stages}
        self._chain = chain_seconds(stages, seconds)

    @property
    def done(self) -> bool:
        return not self._unfinished

    @property
    def counted(self) -> str:
        return f"{self.n_stages - len(self._unfinished)} of {self.n_stages} stages"

    @property
    def seconds_in_all(self) -> int:
        return math.ceil(sum(self._seconds.values()))

    @property
    def seconds_finished(self) -> int:
        return self.seconds_in_all - math.ceil(sum(self._seconds[name] for name in self._unfinished))

    @property
    def has_ready(self) -> bool:
        return any(not self._missing[name] for name in self._waiting)

    def take(self) -> Stage:
        ready = [name for name in self._waiting if not self._missing[name]]
        return self._waiting.pop(max(ready, key=lambda name: self._chain[name]))

    def finish(self, stage: Stage) -> None:
        self._unfinished.discard(stage.name)
        for missing in self._missing.values():
            missing.discard(stage.name)


def chain_seconds(stages: Sequence[Stage], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each stage, the seconds from its start to the end of the longest chain that waits for it.

    ``stages`` come in an order in which each stands after those it depends on.
    """
    chains: dict[str, float] = {}
    for stage in reversed(stages):
        behind = [chains[other.name] for other in stages if stage.name in other.depends_on]
        chains[stage.name] = seconds[stage.name] + max(behind, default=0.0)
    return chains


def _died(worker: _Worker) -> WorkerDiedError:
    worker.process.join(GRACE_SECONDS)
    code = worker.process.exitcode
    name = worker.stage.name if worker.stage is not None else "between two stages"
    if code == -signal.SIGKILL:
        return WorkerDiedError(
            f"the worker at '{name}' was killed by the system, most likely for lack of memory: "
            "run again with --workers 1; finished stages are kept."
        )
    how = f"by signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
    return WorkerDiedError(f"the worker at '{name}' ended {how}: run again; finished stages are kept.")


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Deliver Ctrl-C and SIGTERM after the block; a process started inside begins with both held back."""
    resource_tracker.ensure_running()  # starting it later would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
