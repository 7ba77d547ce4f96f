"""Ctrl-C, SIGTERM and kill -9 while a stage is under way: nothing half-written, no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from miniature_world import ROOT, Miniature, command, environment_for, veilbench

from bench.core.store import ArtifactStore

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from sample_stages import make_stage, sleep
from bench.core.store import ArtifactStore
from bench.run.executors import LocalExecutor
if __name__ == "__main__":
    stages = [make_stage(name, sleep, name) for name in ("a", "b", "c")]
    seconds = {{stage.name: 1.0 for stage in stages}}
    LocalExecutor(2).run(stages, ArtifactStore(Path("store")), seconds, lambda name: lambda *told: None)
"""


def wait_for(condition: "object", seconds: float = 60) -> None:
    """Wait until the callable gives something true; fail after a while."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """A process whose two workers are in the middle of writing, and the workers' process numbers."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(ROOT / "tests" / "run")))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment_for({}),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    halves = tmp_path / "store" / "partial"
    wait_for(lambda: len([path for path in halves.glob("*/half") if path.read_text()]) == 2)
    yield process, [int(path.read_text()) for path in halves.glob("*/half")]
    process.kill()
    process.wait()


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, True), (signal.SIGINT, False)])
def test_an_interrupt_clears_what_was_being_written_and_ends_the_workers(
    sleeping: tuple["subprocess.Popen[str]", list[int]], tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    process, workers = sleeping
    if whole_group:
        os.killpg(process.pid, number)  # what a terminal does
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1, "only the script's own, none of the workers'"
    wait_for(lambda: not any(map(psutil.pid_exists, workers)))
    assert list((tmp_path / "store" / "partial").iterdir()) == []
    assert ArtifactStore(tmp_path / "store").verify() == []


def test_workers_follow_a_killed_parent_and_clear_up(
    sleeping: tuple["subprocess.Popen[str]", list[int]], tmp_path: Path
) -> None:
    process, workers = sleeping
    process.kill()
    wait_for(lambda: not any(map(psutil.pid_exists, workers)))
    assert list((tmp_path / "store" / "partial").iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_ends_with_the_signals_exit_code_and_goes_on_later(
    miniature: Miniature, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        command("run", miniature.suite, "--json", "--workers", 1),
        cwd=tmp_path,
        env=environment_for({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        objects = tmp_path / ".veilbench" / "objects"
        wait_for(lambda: objects.is_dir() and any(objects.glob("*/*")))
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert output == ""
    assert "Interrupted: finished stages are kept" in errors
    assert "Traceback" not in errors
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children)
    store = ArtifactStore(tmp_path / ".veilbench")
    assert store.verify() == []
    assert len(store.entries()) >= 1


def test_a_command_killed_at_any_moment_is_made_good_by_the_next_one(
    miniature: Miniature, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    result, folder = first_run
    with subprocess.Popen(
        command("run", miniature.suite, "--json"),
        cwd=tmp_path,
        env=environment_for({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        objects = tmp_path / ".veilbench" / "objects"
        wait_for(lambda: objects.is_dir() and len(list(objects.glob("*/*"))) >= 3)
        process.kill()
    finished = veilbench("run", miniature.suite, "--json", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    records = result["records"]
    assert isinstance(records, list) and records
    for record in records:
        assert (tmp_path / record).read_bytes() == (folder / record).read_bytes()
    assert ArtifactStore(tmp_path / ".veilbench").verify() == []
