"""Progress: on the given stream or standard error, never on standard output; sparse lines outside a terminal."""

import io

import pytest

from bench.core.progress import SECONDS_BETWEEN_LINES, ProgressDisplay, quiet


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_come_first_last_and_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    with ProgressDisplay(stream, clock) as display:
        report = display.task("protect")
        for done in range(51):
            report(done, 50, "")
            clock.now += 1
    numbers = [int(line.split()[1]) for line in stream.getvalue().splitlines()]
    assert numbers == [0, 10, 20, 30, 40, 50]
    assert SECONDS_BETWEEN_LINES == 10


def test_lines_tell_note_and_time_left() -> None:
    stream, clock = io.StringIO(), Clock()
    with ProgressDisplay(stream, clock) as display:
        clock.now += 500  # a task that waits for its turn has not begun
        report = display.task("finetune")
        report(0, 100, "")
        clock.now += 30
        report(10, 100, "loss 0.41")
        clock.now += 270
        report(99, 100, "")
        report(100, 100, "loss 0.02")
    assert stream.getvalue().splitlines() == [
        "finetune: 0 of 100",
        "finetune: 10 of 100 (loss 0.41), about 4 min left",
        "finetune: 99 of 100, about 3 s left",
        "finetune: 100 of 100 (loss 0.02)",
    ]


def test_tasks_do_not_silence_each_other() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream, Clock()) as display:
        for name in ("naive", "augment"):
            display.task(name)(1, 9, "")
        display.say("noise: found in the store")
    assert stream.getvalue().splitlines() == ["naive: 1 of 9", "augment: 1 of 9", "noise: found in the store"]


def test_a_task_of_no_known_length_does_not_fail() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream, Clock()) as display:
        display.task("load")(0, 0, "")
    assert stream.getvalue() == "load: 0 of 0\n"


def test_a_terminal_gets_bars_that_show_names_and_notes_as_they_are() -> None:
    stream = Terminal()
    with ProgressDisplay(stream) as display:
        report = display.task("finetune [bold]")
        report(1, 4, "loss 0.41 [red]")
        report(4, 4, "loss 0.02")
        display.say("answer [dim]: hit")
    shown = stream.getvalue()
    assert all(part in shown for part in ("finetune [bold]", "4/4", "loss 0.02", "answer [dim]: hit"))


def test_the_default_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay() as display:
        display.task("protect")(1, 2, "")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "protect: 1 of 2\n")


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet()(1, 2, "note")
    assert capsys.readouterr() == ("", "")
