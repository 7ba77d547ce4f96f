"""Progress on standard error: bars in a terminal, a plain line now and then elsewhere."""

import math
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

ReportProgress = Callable[[int, int, str], None]
"""Called as ``report(done, total, note)``, for example ``report(12, 280, "loss 0.41")``."""

SECONDS_BETWEEN_LINES = 10.0
SPEED_MEMORY_SECONDS = 600.0


def quiet() -> ReportProgress:
    """Return a report that says nothing."""

    def report(done: int, total: int, note: str) -> None:
        del done, total, note

    return report


class ProgressDisplay:
    """Shows the progress of any number of tasks at once, from any number of threads.

    Nothing is ever written to standard output. ``stream`` is standard error unless one is given, and ``clock``
    returns seconds.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._lock = threading.Lock()
        self._bars: Progress | None = None

    def __enter__(self) -> "ProgressDisplay":
        """Start the display."""
        if self._stream.isatty():
            self._bars = _bars(self._stream)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of the bars on the screen and give the terminal back."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def task(self, name: str) -> ReportProgress:
        """Return the report of a new task. Its bar or first line appears with the first report."""
        return self._bar_task(name, self._bars) if self._bars is not None else self._line_task(name)

    def say(self, text: str) -> None:
        """Write one line, above the bars where there are any."""
        with self._lock:
            if self._bars is not None:
                self._bars.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=self._stream, flush=True)

    def _bar_task(self, name: str, bars: "Progress") -> ReportProgress:
        identifier = bars.add_task(name, start=False, visible=False, note="")

        def report(done: int, total: int, note: str) -> None:
            bars.start_task(identifier)
            bars.update(identifier, completed=done, total=total, note=note, visible=True)

        return report

    def _line_task(self, name: str) -> ReportProgress:
        first: tuple[float, int] | None = None
        last_line = -math.inf

        def report(done: int, total: int, note: str) -> None:
            nonlocal first, last_line
            now = self._clock()
            first = first or (now, done)
            if done >= total or now - last_line >= SECONDS_BETWEEN_LINES:
                last_line = now
                left = _time_left(done - first[1], total - done, now - first[0])
                self.say(f"{name}: {done} of {total}{_aside(note)}{left}")

        return report


def _bars(stream: TextIO) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(file=stream),
        speed_estimate_period=SPEED_MEMORY_SECONDS,
    )


def _aside(note: str) -> str:
    return f" ({note})" if note else ""


def _time_left(steps_seen: int, steps_left: int, elapsed: float) -> str:
    if steps_seen <= 0 or steps_left <= 0:
        return ""
    return f", about {_duration(elapsed / steps_seen * steps_left)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
