"""Owns a server for a parent process and ends all of it when the parent is gone, in whatever way.

Started by ``server.py`` as a script of its own, with the standard library alone:

    python watchdog.py PARENT_PID GRACE_SECONDS COMMAND [ARGUMENT ...]

The server gets a process group of its own, whose number is the one line on standard output; what it prints goes to
standard error. The parent asks for the end by closing standard input, which the kernel does for it after ``kill -9``.
The exit code is the server's, or 128 and the signal that ended it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_FOR_CLEARING_UP = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the server until it ends by itself, the parent is gone or lets go, or a signal comes."""
    parent, grace_seconds, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    for number in SIGNALS:
        signal.signal(number, _leave)
    # Whoever started us may have held signals back, and the server would inherit that and never hear SIGTERM.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, process_group=0)
    try:
        os.write(1, b"%d\n" % server.pid)
        # The pipe alone would stay open with a process that the parent forked; its number alone would be slow.
        while server.poll() is None and os.getppid() == parent and not _is_closed(sys.stdin.fileno()):
            pass
    finally:
        _end(server, grace_seconds)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _is_closed(pipe: int) -> bool:
    """Wait a little for the end of what comes through ``pipe``."""
    readable, _, _ = select.select([pipe], [], [], SECONDS_BETWEEN_LOOKS)
    return bool(readable)


def _end(server: "subprocess.Popen[bytes]", grace_seconds: float) -> None:
    """End the server politely, then whatever is left of its group for good."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # Only to the server: it ends its own processes in order, and theirs clear up what they share in memory.
    with suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    _wait_while(lambda: server.poll() is None, grace_seconds)
    _wait_while(lambda: _is_populated(server.pid), min(grace_seconds, SECONDS_FOR_CLEARING_UP))
    # The number of a group is not given out anew while anyone in it lives.
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    # Whoever waits for us may want the memory that they held.
    _wait_while(lambda: _is_populated(server.pid), SECONDS_FOR_CLEARING_UP)


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def _is_populated(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
