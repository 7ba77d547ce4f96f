"""Disks and users of a test's own: small disks, ones that may only be read, and somebody who owns nothing."""

import os
import pickle
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

NOBODY = 65534
Answer = TypeVar("Answer")


@contextmanager
def small_disk(folder: Path, options: str = "size=1m") -> Iterator[Path]:
    """Mount an empty filesystem at ``folder`` for the block. The test is skipped where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def read_only(folder: Path, at: Path | None = None) -> Iterator[Path]:
    """Let the files below ``folder`` only be read within the block, or only where they are shown ``at``, too."""
    place = at or folder
    _mount("--bind", str(folder), str(place))
    try:
        _mount("-o", "remount,ro,bind", str(place))
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may read, which pytest's own ones are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_nobody(look: Callable[[], Answer]) -> Answer:
    """What ``look`` gives, or raises, for a user who owns nothing. Skipped where only oneself can be had."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            answer = (True, look())
        except BaseException as error:
            answer = (False, error)
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        is_given, given = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if not is_given:
        raise given
    return given


def _mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a filesystem is not permitted here")
