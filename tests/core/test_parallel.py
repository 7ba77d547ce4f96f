"""Work spread over processes comes back in order, and ends with its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.core.errors import VeilBenchError
from bench.core.parallel import map_in_processes

ROOT = Path(__file__).parents[2]
SLEEPERS = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from bench.core.parallel import map_in_processes

def sleep(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)

if __name__ == "__main__":
    list(map_in_processes(sleep, [{folder!r}] * 2, 2))
"""


def square(number: int) -> int:
    return number * number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number: int) -> int:
    raise ValueError(f"no {number}")


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(map_in_processes(square, range(7), 2)) == [0, 1, 4, 9, 16, 25, 36]


def test_an_error_of_the_work_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="no 0"):
        list(map_in_processes(refuse, range(3), 2))


def test_a_killed_process_is_one_sentence_and_no_endless_wait() -> None:
    with pytest.raises(VeilBenchError, match="memory"):
        list(map_in_processes(die, range(3), 2))


def test_the_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS.format(root=str(ROOT), folder=str(marks)))
    parent = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + 60
    while len(list(marks.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    children = [int(mark.name) for mark in marks.iterdir()]
    assert len(children) == 2
    parent.kill()
    parent.wait()
    while any(_is_alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(_is_alive(child) for child in children)


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
