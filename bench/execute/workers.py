"""What happens inside a worker process: take a stage, compute its artifact, say how it goes."""

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from pathlib import Path
from types import FrameType

from bench.core.digests import short
from bench.core.errors import VeilBenchError
from bench.core.store import ArtifactStore
from bench.core.streams import make_streams_lenient
from bench.stages.base import EngineAccess, Stage, Workspace

SECONDS_BETWEEN_REPORTS = 0.2
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Progressed:
    """``done`` of ``total`` steps of the stage at hand are done."""

    done: int
    total: int
    note: str


@dataclass(frozen=True)
class Finished:
    """The stage's artifact is in the store."""


@dataclass(frozen=True)
class Failed:
    """The stage failed: ``error`` where it is one of ours, else a sentence that names the log of the traceback."""

    sentence: str
    error: VeilBenchError | None


def work(pipe: connection.Connection, root: Path, engine: EngineAccess | None) -> None:
    """Compute the stages that come through ``pipe`` until it is closed. The body of a worker process."""
    _listen_to_signals()
    _follow_parent()
    make_streams_lenient()
    # Standard output belongs to the parent's result; a library that prints there must not spoil it.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    store = ArtifactStore(root)
    try:
        while True:
            stage = pipe.recv()
            pipe.send(_attempt(stage, store, pipe, engine))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return


def _attempt(
    stage: Stage, store: ArtifactStore, pipe: connection.Connection, engine: EngineAccess | None
) -> Finished | Failed:
    try:
        compute_stage(stage, store, _Reporter(pipe), engine)
    except VeilBenchError as error:
        return Failed(str(error), _portable(error))
    except (BrokenPipeError, ConnectionResetError):
        raise  # the parent is gone, and with it everyone who would read a log
    except Exception as error:
        return Failed(_sentence(stage, store.root, error), None)
    return Finished()


def compute_stage(stage: Stage, store: ArtifactStore, report: "_Reporter", engine: EngineAccess | None) -> None:
    """Compute one stage's artifact into the store, unless it is there."""

    def produce(folder: Path) -> dict[str, float]:
        costs = stage.spec.compute(Workspace(store, folder, report, stage.key, engine)) or {}
        return {"units": stage.spec.units, **costs}

    store.compute(stage.kind, stage.inputs, produce)


class _Reporter:
    """Sends progress to the parent, at most a few times a second but always the last step."""

    def __init__(self, pipe: connection.Connection) -> None:
        self._pipe = pipe
        self._last = 0.0

    def __call__(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if done >= total or now - self._last >= SECONDS_BETWEEN_REPORTS:
            self._last = now
            self._pipe.send(Progressed(done, total, note))


def _portable(error: VeilBenchError) -> VeilBenchError:
    """The error as it survives the way through a pipe; a plugin's own class may not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return VeilBenchError(str(error))
    return error


def _sentence(stage: Stage, root: Path, error: Exception) -> str:
    log = root / "logs" / f"{stage.kind}-{short(stage.key)}.log"
    where = ""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), encoding="utf-8")
        where = f" (traceback in {log})"
    except OSError:
        traceback.print_exc()
    reason = " ".join(str(error).split()) or "no message"
    return f"the stage '{stage.name}' failed: {type(error).__name__}: {reason[:400]}{where}."


def _listen_to_signals() -> None:
    """Ctrl-C and SIGTERM end the step at hand once; further ones must not interrupt the clearing up."""
    is_stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        if not is_stopping:
            is_stopping = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # The parent started us with both held back, so that neither could hit a half-started interpreter.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def _follow_parent() -> None:
    """End this process when the parent is gone, even by kill -9: nobody would ever collect the result."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()
