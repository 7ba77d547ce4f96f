"""What a computation costs: wall time and peak memory of this process."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def measured_cost() -> Iterator[dict[str, float]]:
    """Measure what happens inside: the dict holds ``seconds`` and ``peak_memory_bytes`` once the block ended.

    The peak is the largest resident memory of the whole process while the block ran. Where the system keeps only
    one peak for the life of a process (everywhere but on Linux), that one is given.
    """
    cost: dict[str, float] = {}
    _forget_earlier_peak()
    start = time.perf_counter()
    yield cost
    cost["seconds"] = time.perf_counter() - start
    cost["peak_memory_bytes"] = _peak_memory_bytes()


def _forget_earlier_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")  # see proc(5): resets VmHWM
    except OSError:
        return


def _peak_memory_bytes() -> int:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
