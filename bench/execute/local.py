"""Running the stages of a plan in worker processes of this machine, as their dependencies finish."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from bench.core.errors import StoreFullError, VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore
from bench.execute.base import ALL_STAGES, StageError, StageFailure, Watcher, WorkerDiedError
from bench.execute.queue import StageQueue
from bench.execute.workers import Failed, Finished, Progressed, work
from bench.stages.base import EngineAccess, Stage

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

    An error in one stage stops the others and is raised here, unless ``keep_going``: then all that does not rest on it
    is computed. Ctrl-C and a full disk always stop everything. Either way every worker is gone, and has cleared what it
    was writing, before ``run`` returns.
    """

    def __init__(self, workers: int, engine: EngineAccess | None = None, *, keep_going: bool = False) -> None:
        self._limit = workers
        self._engine = engine
        self._keep_going = keep_going
        self._workers: list[_Worker] = []

    def run(
        self,
        stages: Sequence[Stage],
        store: ArtifactStore,
        seconds: Mapping[str, float],
        watcher: Watcher,
        first: Set[str] = frozenset(),
    ) -> list[StageFailure]:
        """Compute every stage's artifact into the store, the longest chain first.

        Raises the stage's own VeilBenchError, StageError for any other exception, and WorkerDiedError for a worker
        that was killed; with ``keep_going`` these are returned. No process is started where ``stages`` is empty.
        """
        if not stages:
            return []
        watch = _Watch(StageQueue(stages, seconds, first), watcher)
        try:
            while not watch.queue.done:
                self._hand_out(watch, store)
                for worker, message in self._messages(watch):
                    self._take(worker, message, watch)
            self._dismiss()
        finally:
            self._end()
        return watch.failures

    def _hand_out(self, watch: "_Watch", store: ArtifactStore) -> None:
        idle = [worker for worker in self._workers if worker.stage is None]
        while watch.queue.has_ready and (idle or len(self._workers) < self._limit):
            worker = idle.pop() if idle else self._start(store)
            worker.stage = watch.queue.take()
            try:
                worker.pipe.send(worker.stage)
            except (BrokenPipeError, ConnectionResetError):
                self._bury(worker, watch)

    def _take(self, worker: _Worker, message: Any, watch: "_Watch") -> None:
        assert worker.stage is not None
        stage = worker.stage
        if isinstance(message, Progressed):
            watch.report(stage.name)(message.done, message.total, message.note)
            return
        worker.stage = None
        if isinstance(message, Finished):
            watch.finish(stage)
        elif isinstance(message, Failed):
            self._fail(stage, message.error or StageError(message.sentence), watch)

    def _fail(self, stage: Stage, error: VeilBenchError, watch: "_Watch") -> None:
        # On a full disk nothing else would get further.
        if not self._keep_going or isinstance(error, StoreFullError):
            raise error
        watch.lose(stage, error)

    def _bury(self, worker: _Worker, watch: "_Watch") -> None:
        """A worker is gone, and its stage with it; another one takes its place when there is work."""
        assert worker.stage is not None
        error = _died(worker)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        self._workers.remove(worker)
        worker.pipe.close()
        self._fail(worker.stage, error, watch)

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

    def _messages(self, watch: "_Watch") -> Iterator[tuple[_Worker, Any]]:
        """Wait until workers have something to say, and give it; one that is gone has lost its stage."""
        busy = {worker.pipe: worker for worker in self._workers if worker.stage is not None}
        for pipe in connection.wait(list(busy)) if busy else ():
            worker = busy[pipe]  # type: ignore[index]
            try:
                message = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._bury(worker, watch)
                continue
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


class _Watch:
    """The stages of one call of ``run``, and what is told of them."""

    def __init__(self, queue: StageQueue, watcher: Watcher) -> None:
        self.queue = queue
        self.failures: list[StageFailure] = []
        self._watcher = watcher
        self._reports: dict[str, ReportProgress] = {}

    def report(self, name: str) -> ReportProgress:
        """The progress line of that name, which appears with its first report."""
        if name not in self._reports:
            self._reports[name] = self._watcher.progress(name)
        return self._reports[name]

    def finish(self, stage: Stage) -> None:
        self.queue.finish(stage)
        self._tell_whole(stage)
        self._watcher.finished(stage)

    def lose(self, stage: Stage, error: VeilBenchError) -> None:
        self.failures.append(StageFailure(stage.name, str(error)))
        lost = self.queue.lose(stage)
        self.failures += [StageFailure(name, f"rests on '{stage.name}'", stage.name) for name in lost]
        self._tell_whole(stage)

    def _tell_whole(self, stage: Stage) -> None:
        # In expected seconds, so that the time left is not that of so many equal stages.
        whole = self.report(ALL_STAGES)
        whole(self.queue.seconds_finished, self.queue.seconds_in_all, f"{self.queue.counted}, {stage.name}")


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
