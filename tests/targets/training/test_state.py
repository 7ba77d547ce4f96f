"""A killed fine-tuning run goes on, and ends as if it had never been killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from miniature_world import environment_for

from bench.core.digests import digest_tree
from bench.core.progress import ReportProgress, quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.llava import LoadedLlava
from bench.targets.packed.features import FeatureCache
from bench.targets.training.finetuning import finetune_packed

PROGRAM = """
import pickle, sys
from pathlib import Path
from bench.targets.packed.features import FeatureCache
from bench.targets.training.finetuning import finetune_packed
from bench.targets.llava import LoadedLlava

spec, examples, recipe, output, resume = pickle.loads(Path(sys.argv[1]).read_bytes())
report = lambda done, total, note: print(done, flush=True)
finetune_packed(LoadedLlava(spec), FeatureCache(None, ""), examples, recipe, 4, output, report, resume, 0.0)
"""


class Stop(Exception):
    """Stands for whatever ends a run early."""


@pytest.fixture(scope="module")
def model(spec: TargetSpec) -> LoadedLlava:
    return LoadedLlava(spec)


@pytest.fixture
def long(recipe: Recipe) -> Recipe:
    return replace(recipe, epochs=6)


Train = Callable[..., str]


@pytest.fixture
def train(model: LoadedLlava, examples: list[TrainingExample], long: Recipe, tmp_path: Path) -> Train:
    """Fine-tune, with every step saved; returns the digest of what is written."""
    numbers = iter(range(100))

    def run(report: ReportProgress, seed: int = 4, recipe: Recipe = long, resume: Path = tmp_path / "resume") -> str:
        output = tmp_path / f"output-{next(numbers)}"
        output.mkdir()
        finetune_packed(model, FeatureCache(None, ""), examples, recipe, seed, output, report, resume, 0.0)
        return digest_tree(output)

    return run


def stop_after(steps: int) -> ReportProgress:
    def report(done: int, total: int, note: str) -> None:
        if done == steps:
            raise Stop

    return report


def counted(steps: list[int]) -> ReportProgress:
    return lambda done, total, note: steps.append(done)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_stopped_run_goes_on_and_gives_the_same_bytes(
    method: str, train: Train, long: Recipe, tmp_path: Path
) -> None:
    recipe, steps = replace(long, method=method), list[int]()
    whole = train(quiet(), recipe=recipe, resume=tmp_path / "other")
    for until in (3, 8):
        with pytest.raises(Stop):
            train(stop_after(until), recipe=recipe)
    assert train(counted(steps), recipe=recipe) == whole
    assert steps == [9, 10, 11, 12]
    assert list((tmp_path / "resume").iterdir()) == []


@pytest.mark.slow
def test_a_run_killed_at_once_goes_on_and_gives_the_same_bytes(
    spec: TargetSpec, train: Train, examples: list[TrainingExample], long: Recipe, tmp_path: Path
) -> None:
    import pickle

    whole, steps, resume = train(quiet(), resume=tmp_path / "other"), list[int](), tmp_path / "resume"
    (tmp_path / "killed").mkdir()
    (tmp_path / "arguments").write_bytes(pickle.dumps((spec, examples, long, tmp_path / "killed", resume)))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "arguments")]
    with subprocess.Popen(command, env=environment_for({}), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "5":
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    assert list((tmp_path / "killed").iterdir()) == []
    assert train(counted(steps)) == whole
    assert 5 < steps[0] <= 12 and steps[-1] == 12


def test_the_state_of_other_arguments_is_ignored(train: Train, long: Recipe, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        train(stop_after(5))
    for changed in ({"seed": 5}, {"recipe": replace(long, learning_rate=1e-3)}):
        steps: list[int] = []
        assert train(counted(steps), **changed) == train(quiet(), resume=tmp_path / "other", **changed)
        assert steps[0] == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_state_is_ignored(damage: str, train: Train, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        train(stop_after(5))
    (file,) = (tmp_path / "resume").iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes({"cut": bytes(content[:-40]), "changed": bytes(content), "empty": b""}[damage])
    steps: list[int] = []
    assert train(counted(steps)) == train(quiet(), resume=tmp_path / "other")
    assert steps[0] == 1


def test_a_state_that_cannot_be_written_does_not_stop_the_run(train: Train, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    assert train(quiet(), resume=tmp_path / "file") == train(quiet())


def test_it_saves_no_more_often_than_asked(
    model: LoadedLlava, examples: list[TrainingExample], long: Recipe, tmp_path: Path
) -> None:
    found: list[int] = []

    def report(done: int, total: int, note: str) -> None:
        found.append(len(list(tmp_path.glob("resume/*"))))
        time.sleep(0.02)

    (tmp_path / "output").mkdir()
    arguments = (FeatureCache(None, ""), examples, long, 0, tmp_path / "output", report, tmp_path / "resume")
    finetune_packed(model, *arguments, seconds_between_saves=3600)
    assert found == [0] * 12
