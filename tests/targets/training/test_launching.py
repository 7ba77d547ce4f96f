"""Fine-tuning in two processes gives what one gives, tells how far it is, and ends with its caller."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from miniature_world import environment_for
from safetensors.torch import load_file

from bench.core.errors import DataError, VeilBenchError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.llava import Llava

pytestmark = pytest.mark.slow

PROGRAM = """
import pickle, sys
from pathlib import Path
from bench.targets.llava import Llava

spec, examples, recipe, output = pickle.loads(Path(sys.argv[1]).read_bytes())
Llava(spec).finetune(examples, recipe, 0, output, lambda done, total, note: print(done, flush=True))
"""


@pytest.fixture
def two(spec: TargetSpec) -> TargetSpec:
    return replace(spec, processes=2)


def test_two_processes_give_what_one_gives(
    spec: TargetSpec, two: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    recipe = replace(recipe, batch_size=3, tower_lora_rank=2)
    told: list[tuple[int, int, str]] = []
    for number, one in enumerate((spec, two)):
        (tmp_path / str(number)).mkdir()
        Llava(one).finetune(
            examples, recipe, 0, tmp_path / str(number), lambda done, total, note: told.append((done, total, note))
        )
    first, second = (load_file(tmp_path / name / "adapter_model.safetensors") for name in "01")
    assert first.keys() == second.keys()
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-4
    assert told[: len(told) // 2] == told[len(told) // 2 :] and len(told) == 4


def test_an_error_in_a_process_is_told_as_it_is(
    two: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    broken = [replace(examples[0], images=(b"no picture",)), *examples[1:]]
    with pytest.raises(DataError, match="photo 'to be shown' cannot be decoded"):
        Llava(two).finetune(broken, recipe, 0, tmp_path, quiet())
    with pytest.raises(VeilBenchError, match=r"several processes failed: .*Error"):
        Llava(two).finetune(examples, replace(recipe, lora_rank=-1), 0, tmp_path, quiet())


@pytest.fixture
def running(
    two: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process]]]:
    """A process that fine-tunes in two others, and all below it."""
    arguments = (two, examples, replace(recipe, epochs=100_000), tmp_path)
    (tmp_path / "arguments").write_bytes(pickle.dumps(arguments))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "arguments")]
    with subprocess.Popen(command, env=environment_for({}), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().strip() == "1"
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) >= 3
        yield process, below
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_all_processes_end_with_their_caller(
    number: signal.Signals, running: tuple["subprocess.Popen[str]", list[psutil.Process]]
) -> None:
    process, below = running
    os.kill(process.pid, number)
    process.wait(60)
    deadline = time.monotonic() + 60
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in below):
        assert time.monotonic() < deadline, "a process was left behind"
        time.sleep(0.1)
