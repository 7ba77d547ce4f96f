"""What belongs together: runs and their controls, and runs that differ in their seed alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_tables import digest, make_people, make_photos, make_rows
from leaderboard_example import RATES, make_record, photos_of, write_example

from bench.core.errors import DataError
from evaluators.zero import fact_choices
from leaderboard.evidence.cells import cell_key, control_fault
from leaderboard.export import metrics_csv
from leaderboard.records import load_records, write_record
from leaderboard.runs import load_folder, load_runs
from leaderboard.schema import Controls, Record

Key = tuple[str, str]
Write = Callable[..., Path]

RUN, BASE, UNDEFENDED = ("dp2vl", "naive"), ("none", "base"), ("none", "naive")


def with_spec(record: Record, **changes: Any) -> Record:
    """The record with other values in its specification."""
    return record.model_copy(update={"spec": record.spec.model_copy(update=changes)})


def with_dtype(record: Record, dtype: str) -> Record:
    """The record of a run that computed in another number type."""
    return record.model_copy(update={"environment": {**record.environment, "dtype": dtype}})


@pytest.fixture
def three(records: Mapping[Key, Record], answers: Mapping[Key, pd.DataFrame], tmp_path: Path) -> Callable[..., Path]:
    """Write a run with both of its controls, some of them changed; returns the folder."""

    def write(**changed: Record) -> Path:
        for name, key in {"base": BASE, "undefended": UNDEFENDED, "run": RUN}.items():
            write_example(changed.get(name, records[key]), answers[key], tmp_path / "records")
        return tmp_path / "records"

    return write


def test_a_run_stands_with_its_controls(three: Callable[..., Path]) -> None:
    assert sorted(run.record.spec.defense for run in load_runs(three())) == ["dp2vl", "none", "none"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 1),
        ("recipe", {"epochs": 1}),
        ("adaptive", True),
        ("synthesis", {"steps": 3}),
        ("search", {"epochs": [1, 2]}),
        ("dataset_digest", digest("other")),
        ("limit", 3),
        ("target_digest", digest("other")),
        ("backend", "vllm"),
    ],
)
def test_the_undefended_control_agrees_in_all_but_the_defense(
    records: Mapping[Key, Record], field: str, value: Any
) -> None:
    run, undefended = records[RUN], records[UNDEFENDED]
    assert control_fault(run, "undefended", undefended) == ""
    assert f"has another spec.{field}" in control_fault(run, "undefended", with_spec(undefended, **{field: value}))


def test_a_run_and_its_undefended_control_with_other_seeds_are_refused(
    three: Callable[..., Path], records: Mapping[Key, Record]
) -> None:
    with pytest.raises(DataError, match=r"controls\.undefended: run \w+ has another spec\.seed: 1 in place of 0"):
        load_runs(three(undefended=with_spec(records[UNDEFENDED], seed=1)))


def test_what_a_tuned_attacker_chose_may_differ_from_its_control(
    three: Callable[..., Path], records: Mapping[Key, Record]
) -> None:
    space = {"epochs": [10, 30]}
    run = with_spec(records[RUN], search=space, recipe={"epochs": 10})
    undefended = with_spec(records[UNDEFENDED], search=space)
    assert len(load_runs(three(run=run, undefended=undefended))) == 3


@pytest.mark.parametrize("control", ["base", "undefended"])
def test_a_control_in_another_number_type_is_refused(
    three: Callable[..., Path], records: Mapping[Key, Record], control: str
) -> None:
    key = BASE if control == "base" else UNDEFENDED
    with pytest.raises(DataError, match=r"has another environment\.dtype: \w+ in place of \w+"):
        load_runs(three(**{control: with_dtype(records[key], "bfloat16")}))


@pytest.mark.parametrize(("field", "value"), [("limit", 3), ("target_digest", digest("other")), ("backend", "vllm")])
def test_the_base_control_is_of_the_same_people_and_target(
    three: Callable[..., Path], records: Mapping[Key, Record], field: str, value: Any
) -> None:
    with pytest.raises(DataError, match=rf"field controls\.base: run \w+ has another spec\.{field}"):
        load_runs(three(base=with_spec(records[BASE], **{field: value})))


def test_a_control_of_another_kind_is_none(three: Callable[..., Path], records: Mapping[Key, Record]) -> None:
    run = records[RUN]
    crossed = run.model_copy(update={"controls": Controls(base=records[UNDEFENDED].run_digest, undefended=digest(1))})
    with pytest.raises(DataError, match=r"controls\.base: run \w+ is no base control"):
        load_runs(three(run=crossed))
    lost = run.model_copy(update={"controls": run.controls.model_copy(update={"undefended": digest("gone")})})
    with pytest.raises(DataError, match=r"controls\.undefended: run \w+ has no record in the folder"):
        load_runs(three(run=lost))


def test_a_control_that_was_asked_other_questions_or_of_other_people_is_refused(
    three: Callable[..., Path], records: Mapping[Key, Record], answers: Mapping[Key, pd.DataFrame]
) -> None:
    folder = three()
    fewer = answers[UNDEFENDED]
    write_example(records[UNDEFENDED], fewer[fewer["person_id"] != "person-03"], folder)
    with pytest.raises(DataError, match=r"controls\.base: run \w+ was asked other questions|controls\.undefended"):
        load_runs(folder)
    three()
    record, people = records[UNDEFENDED], make_people().iloc[:-1]
    write_record(record, answers[UNDEFENDED], people, photos_of(record.spec), {}, folder)
    with pytest.raises(DataError, match=r"has another people\.digest"):
        load_runs(folder)
    photos = make_photos("none")
    photos.loc[photos["pair_id"] == "person-30-pet", "original_digest"] = digest("another photo")
    write_record(record, answers[UNDEFENDED], make_people(), photos, {}, folder)
    with pytest.raises(DataError, match=r"controls\.undefended: run \w+ was made from other photos"):
        load_runs(folder)


def test_runs_of_one_cell_differ_in_their_seed_alone(records: Mapping[Key, Record]) -> None:
    run = records[RUN]
    same = [
        with_spec(run, seed=7),
        with_spec(run, bootstrap=run.spec.bootstrap.model_copy(update={"seed": 5})),
        with_spec(run, dataset="elsewhere", target="elsewhere"),
        with_spec(run, recipe={**run.spec.recipe, "source": "a paper"}),
        run.model_copy(update={"label": "other", "suite": "other"}),
    ]
    assert {cell_key(one) for one in same} == {cell_key(run)}


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_digest": digest("other")},
        {"limit": 3},
        {"cohort": "north"},
        {"target_digest": digest("other")},
        {"backend": "vllm"},
        {"defense": "noise"},
        {"defense_options": {"steps": 5}},
        {"defense_seed": 1},
        {"budget_eps": 4.0},
        {"visible": True},
        {"surrogates": []},
        {"ratio": 0.5},
        {"attack": "augment"},
        {"adaptive": True},
        {"search": {"epochs": [1, 2]}},
        {"recipe": {"epochs": 3}},
        {"synthesis": {"steps": 3}},
    ],
)
def test_what_makes_a_run_makes_its_cell(records: Mapping[Key, Record], changes: dict[str, Any]) -> None:
    assert cell_key(with_spec(records[RUN], **changes)) != cell_key(records[RUN])


def test_the_number_type_makes_a_cell_and_what_a_search_found_does_not(records: Mapping[Key, Record]) -> None:
    assert cell_key(with_dtype(records[RUN], "bfloat16")) != cell_key(records[RUN])
    tuned = with_spec(records[RUN], search={"epochs": [1, 2]})
    assert cell_key(with_spec(tuned, recipe={"epochs": 2})) == cell_key(tuned)


@pytest.fixture
def second(records: Mapping[Key, Record]) -> Record:
    """Another run of the same cell and seed."""
    return records[RUN].model_copy(update={"run_digest": digest("again")})


def test_one_seed_stands_once_in_a_cell(
    three: Callable[..., Path], second: Record, answers: Mapping[Key, pd.DataFrame]
) -> None:
    folder = three()
    path = write_example(second, answers[RUN], folder)
    with pytest.raises(DataError) as error:
        load_runs(folder)
    assert path.name in str(error.value) and "62e4e84c3e11-dp2vl-naive.json" in str(error.value)
    write_example(with_spec(second, seed=1), answers[RUN], folder)
    with pytest.raises(DataError, match=r"controls\.undefended: run \w+ has another spec\.seed: 0 in place of 1"):
        load_runs(folder)


@pytest.mark.parametrize("standing", ["superseded", "withdrawn"])
def test_what_no_longer_counts_is_read_and_stands_outside(
    three: Callable[..., Path], second: Record, answers: Mapping[Key, pd.DataFrame], standing: str
) -> None:
    folder = three()
    aside = second.model_copy(update={"standing": standing, "standing_reason": "a bug in the defense"})
    path = write_example(aside, answers[RUN], folder)
    read = load_folder(folder)
    assert len(read.runs) == len(load_runs(folder)) == 3 and len(load_records(folder)) == 4
    assert [(one.standing, one.standing_reason) for one in read.set_aside] == [(standing, "a bug in the defense")]
    path.write_text(path.read_text().replace('"n_unscored": 0', '"n_unscored": 1'))
    with pytest.raises(DataError, match="n_unscored"):
        load_folder(folder)


def test_a_control_that_was_withdrawn_holds_nothing(three: Callable[..., Path], records: Mapping[Key, Record]) -> None:
    gone = records[UNDEFENDED].model_copy(update={"standing": "withdrawn", "standing_reason": "other photos"})
    with pytest.raises(DataError, match=r"controls\.undefended: run \w+ is withdrawn"):
        load_runs(three(undefended=gone))


def test_runs_of_cohorts_stand_side_by_side(tmp_path: Path) -> None:
    cohorts = ("north", "south")
    for cohort in cohorts:
        digests = {key: digest(cohort, key) for key in (BASE, UNDEFENDED)}
        for place, key in enumerate((BASE, UNDEFENDED)):
            rows = make_rows(RATES[key], place, 4, cohort)
            controls = Controls(base=None if key == BASE else digests[BASE])
            record = make_record(*key, rows, cohort=cohort)
            record = record.model_copy(update={"run_digest": digests[key], "controls": controls})
            write_example(record, rows, tmp_path, cohorts=cohorts)
    runs = load_runs(tmp_path)
    assert sorted(run.cohort for run in runs) == ["north", "north", "south", "south"]
    assert len(list(tmp_path.glob("people-*.parquet"))) == 1 and len(list(tmp_path.glob("photos-*.parquet"))) == 2
    header, *lines = metrics_csv(runs).splitlines()
    assert {"cohort", "adaptive", "standing"} <= set(header.split(","))
    assert {line.split(",")[header.split(",").index("cohort")] for line in lines} == set(cohorts)


def test_what_was_gained_on_each_person_adds_up_to_the_metrics(records_folder: Path) -> None:
    run = next(run for run in load_runs(records_folder) if run.record.spec.defense == "dp2vl")
    answers = sum(gain.answers for gain in run.gains.values())
    leakage, excess = run.record.metric("leakage"), run.record.metric("excess")
    assert leakage is not None and excess is not None
    assert sum(gain.right for gain in run.gains.values()) / answers == pytest.approx(leakage.value)
    assert sum(gain.excess for gain in run.gains.values()) / answers == pytest.approx(excess.value)
    assert len(run.gains) == leakage.n_persons and answers == leakage.n_probes
    choices = fact_choices(run.rows)
    assert len(choices.rows) == answers + leakage.n_unscored
    values = run.values
    assert values.loc[values["metric"] == "leakage", "value"].mean() == pytest.approx(leakage.value)
    assert set(values["metric"]) <= set(run.definitions)
