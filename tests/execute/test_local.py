"""Stages in worker processes: order, errors, killed workers, and nothing left behind."""

import multiprocessing
from pathlib import Path

import pytest
from sample_stages import (
    Silent,
    fill_disk,
    join_texts,
    leave,
    make_stage,
    refuse,
    sleep,
    stumble,
    touch_and_wait,
    vanish,
    write_text,
    write_threads,
)

from bench.core.errors import DataError, StoreFullError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore
from bench.execute.base import StageError, StageFailure, Watcher, WorkerDiedError
from bench.execute.local import LocalExecutor
from bench.stages.base import Stage


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """An empty store."""
    return ArtifactStore(tmp_path / "store")


def run(
    store: ArtifactStore,
    *stages: Stage,
    workers: int = 2,
    watcher: Watcher | None = None,
    keep_going: bool = False,
) -> list[StageFailure]:
    """Run stages that are all expected to take a second."""
    seconds = {stage.name: 1.0 for stage in stages}
    return LocalExecutor(workers, keep_going=keep_going).run(stages, store, seconds, watcher or Silent())


def text(store: ArtifactStore, stage: Stage) -> str:
    """What a stage wrote."""
    folder = store.find(stage.kind, stage.key)
    assert folder is not None
    return (folder / "text").read_text()


def assert_nothing_left(store: ArtifactStore) -> None:
    """No worker lives, and the store has neither partial folders nor damage."""
    assert multiprocessing.active_children() == []
    assert store.verify() == []


def test_stages_run_after_those_they_depend_on(store: ArtifactStore) -> None:
    first, second = make_stage("first", write_text, "one"), make_stage("second", write_text, "two")
    both = make_stage("both", join_texts, [first.reference, second.reference], [first, second])
    again = make_stage("again", join_texts, [both.reference, first.reference], [both, first])
    run(store, first, second, both, again)
    assert text(store, again) == "one+two+one"
    assert store.costs("sample", both.key)["texts"] == 2
    assert_nothing_left(store)


def test_independent_stages_run_at_the_same_time(store: ArtifactStore, tmp_path: Path) -> None:
    own, other = str(tmp_path / "own"), str(tmp_path / "other")
    run(store, make_stage("a", touch_and_wait, (own, other)), make_stage("b", touch_and_wait, (other, own)))
    assert len(store.entries()) == 2


def test_no_stages_start_no_process(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_context", None)  # starting anything would call it
    run(store)
    assert not store.root.exists()


def test_what_another_process_made_meanwhile_is_not_made_again(store: ArtifactStore) -> None:
    stage = make_stage("first", write_text, "one")
    run(store, stage)
    folder = store.find(stage.kind, stage.key)
    assert folder is not None
    made = (folder / "text").stat().st_mtime_ns
    run(store, stage)
    assert (folder / "text").stat().st_mtime_ns == made


def test_bad_input_stops_the_run_with_its_own_error(store: ArtifactStore) -> None:
    bad = make_stage("bad", refuse, "p7")
    after = make_stage("after", write_text, "never", [bad])
    with pytest.raises(DataError, match="photo p7 cannot be decoded"):
        run(store, bad, after, make_stage("beside", sleep, ""))
    assert store.entries() == []
    assert_nothing_left(store)


def test_a_fault_in_the_code_names_stage_and_log(store: ArtifactStore) -> None:
    with pytest.raises(StageError, match="'bad' failed: ZeroDivisionError: nought") as caught:
        run(store, make_stage("bad", stumble, "nought"))
    log = next((store.root / "logs").iterdir())
    assert str(log) in str(caught.value)
    assert "Traceback" in log.read_text()
    assert_nothing_left(store)


def test_a_killed_worker_is_an_error_and_no_hang(store: ArtifactStore) -> None:
    with pytest.raises(WorkerDiedError, match="'big' was killed by the system, most likely for lack of memory"):
        run(store, make_stage("big", vanish, ""), make_stage("beside", sleep, ""))
    assert multiprocessing.active_children() == []


def test_a_worker_that_leaves_is_an_error(store: ArtifactStore) -> None:
    with pytest.raises(WorkerDiedError, match="'odd' ended with exit code 3"):
        run(store, make_stage("odd", leave, 3))


def test_workers_have_one_thread_and_import_torch_only_when_a_stage_does(store: ArtifactStore) -> None:
    stage = make_stage("threads", write_threads, "")
    run(store, stage)
    assert text(store, stage) == "1 False"


def test_progress_reaches_the_caller_under_the_name_of_the_stage(store: ArtifactStore) -> None:
    told: list[tuple[str, int, int, str]] = []

    class Listening(Silent):
        def progress(self, name: str) -> ReportProgress:
            return lambda done, total, note: told.append((name, done, total, note))

    watcher = Listening()
    first = make_stage("first", write_text, "one")
    both = make_stage("both", join_texts, [first.reference], [first])
    run(store, first, both, watcher=watcher)
    assert watcher.names == ["first", "both"]
    whole = "expected seconds"
    assert told == [
        (whole, 1, 2, "1 of 2 stages, first"),
        ("both", 1, 1, "joined"),
        (whole, 2, 2, "2 of 2 stages, both"),
    ]


def test_the_stage_with_the_longest_chain_behind_it_runs_first(store: ArtifactStore) -> None:
    short, long = make_stage("short", write_text, "s"), make_stage("long", write_text, "l")
    follow = make_stage("follow", join_texts, [long.reference], [long])
    LocalExecutor(1).run([short, long, follow], store, {"short": 1.0, "long": 1.0, "follow": 9.0}, Silent())
    made = {
        name: folder.stat().st_mtime_ns
        for name, stage in (("short", short), ("follow", follow))
        if (folder := store.find(stage.kind, stage.key)) is not None
    }
    assert made["follow"] < made["short"]


def test_what_a_stage_prints_stays_off_standard_output(store: ArtifactStore, capfd: pytest.CaptureFixture[str]) -> None:
    run(store, make_stage("first", write_text, "one"))
    output, errors = capfd.readouterr()
    assert output == ""
    assert "a library prints" in errors


def test_what_is_asked_for_first_runs_before_longer_chains(store: ArtifactStore) -> None:
    long, wanted = make_stage("long", write_text, "l"), make_stage("wanted", write_text, "w")
    watcher = Silent()
    LocalExecutor(1).run([long, wanted], store, {"long": 9.0, "wanted": 1.0}, watcher, {"wanted"})
    assert watcher.names == ["wanted", "long"]


def test_what_takes_seconds_does_not_wait_for_what_takes_minutes(store: ArtifactStore) -> None:
    long, short = make_stage("long", write_text, "l"), make_stage("short", write_text, "s")
    watcher = Silent()
    LocalExecutor(1).run([long, short], store, {"long": 90.0, "short": 1.0}, watcher)
    assert watcher.names == ["short", "long"]


class TestGoingOn:
    def test_a_failure_costs_what_rests_on_it_and_nothing_else(self, store: ArtifactStore) -> None:
        bad = make_stage("bad", refuse, "p7")
        after = make_stage("after", write_text, "never", [bad])
        last = make_stage("last", write_text, "never", [after])
        good = make_stage("good", write_text, "one")
        both = make_stage("both", join_texts, [good.reference], [good])
        failures = run(store, bad, after, last, good, both, keep_going=True)
        assert failures == [
            StageFailure("bad", "photo p7 cannot be decoded."),
            StageFailure("after", "rests on 'bad'", "bad"),
            StageFailure("last", "rests on 'bad'", "bad"),
        ]
        assert text(store, both) == "one"
        assert_nothing_left(store)

    def test_a_fault_in_the_code_is_told_with_its_log(self, store: ArtifactStore) -> None:
        [failure] = run(store, make_stage("bad", stumble, "nought"), keep_going=True)
        assert "'bad' failed: ZeroDivisionError: nought" in failure.reason and "traceback in" in failure.reason

    def test_another_worker_takes_the_place_of_a_killed_one(self, store: ArtifactStore) -> None:
        big, good = make_stage("big", vanish, ""), make_stage("good", write_text, "one")
        odd = make_stage("odd", leave, 3)
        failures = run(store, big, odd, good, workers=1, keep_going=True)
        assert {one.stage: "killed by the system" in one.reason for one in failures} == {"big": True, "odd": False}
        assert text(store, good) == "one"
        assert multiprocessing.active_children() == []

    def test_a_full_disk_stops_everything(self, store: ArtifactStore) -> None:
        with pytest.raises(StoreFullError):
            run(store, make_stage("full", fill_disk, ""), make_stage("beside", sleep, ""), keep_going=True)
        assert_nothing_left(store)
