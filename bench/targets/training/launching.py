"""Fine-tuning in several processes: ``accelerate launch`` runs this module once a process."""

import contextlib
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.core.errors import VeilBenchError
from bench.core.progress import ReportProgress
from bench.targets.base import Recipe, Target, TargetSpec, TrainingExample

MARK = "veilbench-training:"
LINES_KEPT = 400
SECONDS_TO_END = 10
ERROR_LINE = re.compile(r"(\[rank\d+\]: )?[\w.]+(Error|Exception|Exit)\b")
CONFIGURATION = "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nmixed_precision: 'no'\n"
"""Stated in full, so that no configuration of the user's own takes part. MULTI_GPU is torch's launcher, on CPU too."""


@dataclass(frozen=True)
class Job:
    """All that a process needs to know. Its spec says one process, so that none starts others."""

    spec: TargetSpec
    examples: tuple[TrainingExample, ...]
    recipe: Recipe
    seed: int
    output: Path
    resume: Path | None
    cache: Path


def finetune_in_processes(
    target: Target,
    examples: Sequence[TrainingExample],
    recipe: Recipe,
    seed: int,
    output: Path,
    report: ReportProgress,
    resume: Path | None = None,
) -> None:
    """``Target.finetune`` in ``target.spec.processes`` processes, which all end before this returns or raises.

    Raises what a process raises as an error for the user, and VeilBenchError with its last lines for another failure.
    """
    with TemporaryDirectory(prefix="veilbench-") as folder:
        cache = (target.cache or Path(folder) / "features").resolve()
        resume = resume.resolve() if resume else None
        job = Job(replace(target.spec, processes=1), tuple(examples), recipe, seed, output.resolve(), resume, cache)
        (Path(folder) / "job").write_bytes(pickle.dumps(job))
        (Path(folder) / "accelerate.yaml").write_text(CONFIGURATION, encoding="utf-8")
        # The processes end when this end of the pipe closes, however this process ends.
        process = subprocess.Popen(
            _command(Path(folder), target.spec.processes),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            _follow(process, report)
        finally:
            _end(process)


def _command(folder: Path, processes: int) -> list[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(folder / "accelerate.yaml")]
    several = ["--num_processes", str(processes), "--num_machines", "1", "--main_process_port", str(port)]
    return [*launch, *several, "--module", "bench.targets.training.launching", str(folder / "job")]


def _follow(process: "subprocess.Popen[str]", report: ReportProgress) -> None:
    """Hand the progress on until the processes end; raise where they failed."""
    last: deque[str] = deque(maxlen=LINES_KEPT)
    assert process.stdout is not None
    for line in process.stdout:
        if not line.startswith(MARK):
            last.append(line)
            continue
        told = json.loads(line.removeprefix(MARK))
        if "error" in told:
            raise _known_error(told["error"])(told["sentence"])
        report(told["done"], told["total"], told["note"])
    if process.wait() != 0:
        raise VeilBenchError(f"fine-tuning in several processes failed: {_reason(last, process.returncode)}")


def _reason(lines: Sequence[str], status: int) -> str:
    """The last error that a process printed, not what the launcher says around it."""
    errors = [line.strip() for line in lines if ERROR_LINE.match(line) and not line.startswith("subprocess.")]
    own = [line for line in errors if "ChildFailedError" not in line]
    return own[-1] if own else f"the processes ended with status {status}."


def _known_error(name: str) -> type[VeilBenchError]:
    import bench.core.errors

    return getattr(bench.core.errors, name, VeilBenchError)


def _end(process: "subprocess.Popen[str]") -> None:
    """End the launcher and all that it started; by the closed pipe where signals do not reach."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
            break
    process.stdout.close()


def main() -> None:
    """One of the launched processes."""
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    job: Job = pickle.loads(Path(sys.argv[1]).read_bytes())
    try:
        _train(job)
    except VeilBenchError as error:
        _tell(error=type(error).__name__, sentence=str(error))
        raise


def _end_with_the_caller() -> None:
    # The caller writes nothing: reading ends when the caller does, and a caller that is killed cannot tell.
    # Not through sys.stdin, whose lock would be held when the interpreter ends.
    os.read(0, 1)
    os._exit(1)


def _train(job: Job) -> None:
    import torch
    import torch.distributed
    from accelerate import PartialState

    from bench.targets.registry import build_target

    PartialState(cpu=not torch.cuda.is_available())
    target = build_target(job.spec, job.cache)

    def report(done: int, total: int, note: str) -> None:
        _tell(done=done, total=total, note=note)

    target.finetune(job.examples, job.recipe, job.seed, job.output, report, job.resume)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def _tell(**fields: object) -> None:
    print(f"{MARK}{json.dumps(fields)}", flush=True)


if __name__ == "__main__":
    # Unpickled classes must be those of the module as it is imported, not of the program.
    from bench.targets.training.launching import main as launched

    launched()
