"""Locks between processes that the kernel releases when their holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core.disk import NOT_OURS


@contextmanager
def file_lock(path: Path, *, shared: bool = False, wait: bool = True, needed: bool = True) -> Iterator[None]:
    """Hold an advisory lock on the file ``path``, which is created where it is missing.

    A shared lock is held by any number of processes at once, an exclusive one by one alone. Raises
    ``BlockingIOError`` where the lock is taken and ``wait`` is False. One that is not ``needed`` is gone without where
    the file is somebody else's, and can be neither read nor made.
    """
    try:
        descriptor = _opened(path)
    except OSError as error:
        if needed or error.errno not in NOT_OURS:
            raise
        yield
        return
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        try:
            yield
        finally:
            # Closing alone would leave the lock with a process that was forked meanwhile and still runs.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        try:
            return os.open(path, os.O_RDONLY)  # enough for a lock
        except OSError:
            raise error from None
