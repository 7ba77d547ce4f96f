"""The artifact store under real conditions: processes killed, interrupted and racing, and a disk that is full."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import disks
import pytest

from bench.core.digests import digest_tree
from bench.core.errors import StoreBusyError, StoreFullError
from bench.core.store import ArtifactStore

PROGRAM = Path(__file__).with_name("store_process.py")
CHECKOUT = Path(__file__).resolve().parents[2]
ARTIFACTS = 12


def start(root: Path, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(root), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def write_number(folder: Path) -> None:
    (folder / "number").write_text("0")


@pytest.fixture
def stalled(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds a half-written artifact of the store ``tmp_path / "store"``."""
    process = start(tmp_path / "store", "stall")
    assert first_line(process) == "half-written"
    yield process
    process.kill()
    process.communicate()


def test_a_killed_process_leaves_a_partial_folder_that_the_next_one_clears(
    tmp_path: Path, stalled: "subprocess.Popen[str]"
) -> None:
    store = ArtifactStore(tmp_path / "store")
    key = store.key("work", {"number": 0})
    assert store.verify() == [], "an artifact under way is no fault"

    stalled.kill()
    stalled.wait()
    assert store.find("work", key) is None
    assert ["half-written by a killed process" in finding for finding in store.verify()] == [True]

    artifact = store.compute("work", {"number": 0}, write_number)
    assert not artifact.hit
    assert sorted(path.name for path in artifact.path.iterdir()) == ["manifest.json", "number"]
    assert store.verify() == []


def test_an_interrupted_process_leaves_nothing(tmp_path: Path, stalled: "subprocess.Popen[str]") -> None:
    stalled.send_signal(signal.SIGINT)
    assert stalled.wait(timeout=20) != 0
    assert list((tmp_path / "store" / "partial").iterdir()) == []


def test_collect_refuses_while_another_process_computes(tmp_path: Path, stalled: "subprocess.Popen[str]") -> None:
    store = ArtifactStore(tmp_path / "store")
    with pytest.raises(StoreBusyError):
        store.collect(set())
    stalled.kill()
    stalled.wait()
    assert store.collect(set()) == len(b"half")


@pytest.mark.parametrize("delay_seconds", [0.002, 0.01, 0.03, 0.06])
def test_killed_at_any_moment_a_rerun_ends_with_the_same_bytes(tmp_path: Path, delay_seconds: float) -> None:
    whole = ArtifactStore(tmp_path / "whole")
    assert start(whole.root, "fill", ARTIFACTS, tmp_path / "whole.log").wait(timeout=60) == 0

    store = ArtifactStore(tmp_path / "store")
    for _ in range(3):
        process = start(store.root, "fill", ARTIFACTS, tmp_path / "store.log")
        first_line(process)
        time.sleep(delay_seconds)
        process.kill()
        process.communicate()
        assert all("half-written" in finding for finding in store.verify())

    assert start(store.root, "fill", ARTIFACTS, tmp_path / "store.log").wait(timeout=60) == 0
    assert store.verify() == []
    assert digest_tree(store.root / "objects") == digest_tree(whole.root / "objects")
    assert all(store.costs(entry.stage, entry.key)["seconds_per_photo"] == 0.5 for entry in store.entries())


def test_processes_at_once_share_the_work_and_repeat_none(tmp_path: Path) -> None:
    log = tmp_path / "produced.log"
    processes = [start(tmp_path / "store", "fill", ARTIFACTS, log) for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(map(int, log.read_text().split())) == list(range(ARTIFACTS))
    for number in range(ARTIFACTS):
        hits = sorted(line.split()[1] for output in outputs for line in output if line.split()[:1] == [str(number)])
        assert hits == ["False", "True", "True"]
    assert ArtifactStore(tmp_path / "store").verify() == []


def test_a_waiting_process_takes_over_from_a_killed_one(tmp_path: Path, stalled: "subprocess.Popen[str]") -> None:
    waiting = start(tmp_path / "store", "fill", 1, tmp_path / "log")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.5)
    stalled.kill()
    assert waiting.communicate(timeout=20)[0].strip() == "0 False"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of its own that holds one mebibyte."""
    with disks.small_disk(tmp_path / "disk") as folder:
        yield folder


def write_too_much(folder: Path) -> None:
    (folder / "large.bin").write_bytes(b"x" * 2**22)


def write_too_much_and_disguise_it(folder: Path) -> None:
    try:
        write_too_much(folder)
    except OSError:
        raise RuntimeError("unexpected position in file") from None


def test_a_store_on_a_full_disk_says_so_and_stays_valid(small_disk: Path) -> None:
    store = ArtifactStore(small_disk / "store")
    small = store.compute("work", {"number": 0}, write_number)
    for produce in (write_too_much, write_too_much_and_disguise_it):
        with pytest.raises(StoreFullError, match=str(store.root)):
            store.compute("work", {"number": 1}, produce)
        assert list((store.root / "partial").iterdir()) == []
        assert store.verify() == []

    assert store.compute("work", {"number": 0}, write_too_much) == type(small)("work", small.key, small.path, hit=True)
    assert not store.compute("work", {"number": 1}, write_number).hit


def test_a_disk_without_room_for_a_folder_says_so_and_still_gives_hits(small_disk: Path) -> None:
    store = ArtifactStore(small_disk / "store")
    store.compute("work", {"number": 0}, write_number)
    with pytest.raises(OSError, match="No space left"), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"x" * 4096)
    assert store.compute("work", {"number": 0}, write_number).hit
    with pytest.raises(StoreFullError):
        store.compute("work", {"number": 1}, write_number)
    (small_disk / "ballast").unlink()
    assert not store.compute("work", {"number": 1}, write_number).hit
    assert store.verify() == []
