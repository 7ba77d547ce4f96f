"""Ctrl-C, SIGTERM and kill -9 while a stage is under way: nothing half-written, no process left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from miniature_world import ROOT, Miniature, command, environment_for

from bench.core.store import ArtifactStore

SCRIPT = """
import sys
from pathlib import Path
from typing import Any
sys.path.insert(0, {tests!r})
from sample_stages import Silent, make_stage, sleep
from bench.core.store import ArtifactStore
from bench.execute.local import LocalExecutor
if __name__ == "__main__":
    stages = [make_stage(name, sleep, name) for name in ("a", "b", "c")]
    seconds = {{stage.name: 1.0 for stage in stages}}
    LocalExecutor(2).run(stages, ArtifactStore(Path("store")), seconds, Silent())
"""


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until the callable gives something true; fail after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """A process whose two workers are in the middle of writing, and the workers' process numbers."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(ROOT / "tests")))
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


@pytest.mark.parametrize("whole_group", [True, False])
def test_an_interrupt_clears_what_was_being_written_and_ends_the_workers(
    sleeping: tuple["subprocess.Popen[str]", list[int]], tmp_path: Path, whole_group: bool
) -> None:
    process, workers = sleeping
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    else:
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1, errors
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


def start(miniature: Miniature, folder: Path) -> "subprocess.Popen[str]":
    """The command in the background, with one worker."""
    return subprocess.Popen(
        command("run", miniature.suite, "--json", "--workers", 1),
        cwd=folder,
        env=environment_for({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_ends_with_the_signals_exit_code_and_goes_on_later(
    miniature: Miniature, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with start(miniature, tmp_path) as process:
        objects = tmp_path / ".veilbench" / "objects"
        wait_for(lambda: objects.is_dir() and any(objects.glob("*/*")))
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert output == ""
    assert "Interrupted: what is finished is kept" in errors
    assert "Traceback" not in errors
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children)
    store = ArtifactStore(tmp_path / ".veilbench")
    assert store.verify() == []
    assert len(store.entries()) >= 1


@pytest.mark.slow
def test_a_command_killed_at_any_moment_is_made_good_by_two_at_once(
    miniature: Miniature, first_run: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    result, folder = first_run
    with start(miniature, tmp_path) as process:
        objects = tmp_path / ".veilbench" / "objects"
        wait_for(lambda: objects.is_dir() and len(list(objects.glob("*/*"))) >= 3)
        process.kill()
    with start(miniature, tmp_path) as one, start(miniature, tmp_path) as other:
        outputs = [json.loads(process.communicate(timeout=120)[0]) for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    for output in outputs:
        assert output["records"] == result["records"]
    for record in result["records"]:
        assert (tmp_path / record).read_bytes() == (folder / record).read_bytes()
        rows = Path(record).with_suffix(".rows.parquet")
        assert (tmp_path / rows).read_bytes() == (folder / rows).read_bytes()
    assert ArtifactStore(tmp_path / ".veilbench").verify() == []
