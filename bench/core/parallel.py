"""Work spread over processes that end with their parent, whatever ends it."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

from bench.core.errors import VeilBenchError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, start: Callable[[], None] | None = None
) -> Iterator[Result]:
    """``function`` of each item, in order, computed in ``workers`` fresh processes; each first calls ``start``.

    Where the caller stops early (an error, Ctrl-C), items that are not begun are dropped and the processes end. Raises
    VeilBenchError where a process is killed, for example for want of memory.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    pool = ProcessPoolExecutor(
        max_workers=max(1, min(workers, len(items))),
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(), start),
    )
    try:
        yield from pool.map(function, items)
    except BrokenProcessPool as error:
        raise VeilBenchError(
            "a worker process ended before its work was done: there may be too little memory for so many --workers."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(parent: int, start: Callable[[], None] | None) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if start is not None:
        start()


def _end_with(parent: int) -> None:
    # A parent that is killed cannot tell its children; they would wait for work for ever.
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
