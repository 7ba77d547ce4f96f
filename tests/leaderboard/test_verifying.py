"""No record says other numbers than its tables: every reader computes them anew, and once only."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_tables import fact_of, make_people, make_photos, scored
from leaderboard_example import make_record, photos_of

from bench.core.errors import DataError
from evaluators.registry import measure_all
from leaderboard.evidence import verifying
from leaderboard.measuring import run_metrics
from leaderboard.records import load_records, write_record
from leaderboard.schema import Record

Key = tuple[str, str]
DP2VL = ("dp2vl", "naive")
FACT = fact_of("person-00", "pet")


@pytest.fixture
def rows(answers: dict[Key, pd.DataFrame]) -> pd.DataFrame:
    """The answers of dp2vl against naive, to be changed."""
    return answers[DP2VL].copy()


@pytest.fixture
def record(records: dict[Key, Record]) -> Record:
    """Their record."""
    return records[DP2VL]


def write(
    record: Record,
    folder: Path,
    rows: pd.DataFrame,
    people: pd.DataFrame | None = None,
    photos: pd.DataFrame | None = None,
) -> Path:
    """Write the record as it is over these tables; return the folder."""
    people = make_people() if people is None else people
    write_record(record, rows, people, photos_of(record.spec) if photos is None else photos, {}, folder)
    return folder


def measured(record: Record, rows: pd.DataFrame, photos: pd.DataFrame | None = None) -> Record:
    """The record with the metrics of these tables."""
    photos = photos_of(record.spec) if photos is None else photos
    metrics = run_metrics(rows, photos, record.evaluators, record.spec.attack, record.spec.seed)
    return record.model_copy(update={"metrics": metrics})


def edited(record: Record, metric: str, **changes: Any) -> Record:
    """The record with other numbers for one metric over all scenarios."""
    metrics = [
        one.model_copy(update=changes) if (one.name, one.scenario) == (metric, None) else one for one in record.metrics
    ]
    return record.model_copy(update={"metrics": metrics})


def refused(folder: Path) -> str:
    """What the reader says."""
    with pytest.raises(DataError) as error:
        load_records(folder)
    assert str(folder / "62e4e84c3e11-dp2vl-naive.json") in str(error.value)
    return str(error.value)


def test_an_honest_record_is_read(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    assert [one.spec.defense for one in load_records(write(record, tmp_path, rows))] == ["dp2vl"]


def test_a_lower_leakage_over_untouched_answers_is_refused(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    said = refused(write(edited(record, "leakage", value=0.01, low=0.0, high=0.02), tmp_path, rows))
    there = record.metric("leakage")
    assert there is not None and there.value is not None
    assert f"field metrics.leakage: the record says value 0.01, and its rows give {there.value:.10g}" in said
    assert "another version" not in said


def test_an_edited_file_is_refused_like_an_edited_object(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    (path,) = [path for path in write(record, tmp_path, rows).glob("*.json") if "costs" not in path.name]
    content = json.loads(path.read_text())
    (metric,) = [one for one in content["metrics"] if one["name"] == "leakage" and one["scenario"] == "pet"]
    metric["value"] = metric["low"] = 0.0
    path.write_text(json.dumps(content))
    assert "field metrics.leakage (pet): the record says value 0" in refused(tmp_path)


@pytest.mark.parametrize(
    ("metric", "changes", "expected"),
    [
        ("leakage", {"n_unscored": 0}, "metrics.leakage: the record says n_unscored 0, and its rows give"),
        ("leakage", {"n_probes": 9999}, "metrics.leakage: the record says n_probes 9999"),
        ("leakage", {"seeds": [3]}, "metrics.leakage: the record says seeds [3], and its rows give [0]"),
        ("leakage", {"attack": "augment"}, "metrics.leakage: the record says attack 'augment'"),
        ("leakage", {"direction": "up"}, "metrics.leakage: the record says direction 'up'"),
        ("excess", {"low": -0.99}, "metrics.excess: the record says low -0.99"),
        ("ssim", {"value": 0.99, "high": 1.0}, "metrics.ssim: the record says value 0.99"),
        ("utility", {"low": None, "high": None}, "metrics.utility: the record says low none, and its rows give 0."),
        ("utility", {"value": None, "low": None, "high": None, "refusal": "broken"}, "says value none"),
    ],
)
def test_any_other_number_is_refused(
    record: Record, rows: pd.DataFrame, tmp_path: Path, metric: str, changes: dict[str, Any], expected: str
) -> None:
    assert expected in refused(write(edited(record, metric, **changes), tmp_path, rows))


def test_a_metric_too_many_or_too_few_is_refused(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    without = record.model_copy(update={"metrics": [one for one in record.metrics if one.name != "zero"]})
    assert "metrics.zero: the record does not say it" in refused(write(without, tmp_path, rows))
    invented = record.metrics[0].model_copy(update={"name": "safety"})
    more = record.model_copy(update={"metrics": [*record.metrics, invented]})
    assert "metrics.safety: the record says value" in refused(write(more, tmp_path, rows))


def test_the_last_digits_of_an_interval_may_differ(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    there = record.metric("leakage")
    assert there is not None and there.low is not None and there.value is not None
    close = edited(record, "leakage", low=there.low + 1e-8, value=there.value + 1e-11)
    assert load_records(write(close, tmp_path, rows))


def test_a_flipped_verdict_on_an_answer_is_refused(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    right = rows["choice_correct"] & (rows["kind"] == "held_out")
    rows.loc[right, "choice_correct"] = False
    said = refused(write(measured(record, rows), tmp_path, rows))
    assert "field rows.choice_correct: the answer to held_out-person-" in said
    assert f"has False, and scoring it gives True ({int(right.sum()) - 1} more)" in said


@pytest.mark.parametrize(
    ("column", "value"), [("open_correct", None), ("named_person", "person-03"), ("option_margin", 7.5)]
)
def test_what_follows_from_a_text_is_checked(
    record: Record, rows: pd.DataFrame, tmp_path: Path, column: str, value: Any
) -> None:
    place = rows.index[(rows["kind"] == "held_out") & (rows["scenario"] == "pet") & (rows["status"] == "ok")][0]
    rows.loc[place, column] = not rows.loc[place, column] if value is None else value
    assert f"field rows.{column}: the answer to" in refused(write(measured(record, rows), tmp_path, rows))


def test_a_choice_that_is_not_the_likeliest_option_is_refused(
    record: Record, rows: pd.DataFrame, tmp_path: Path
) -> None:
    asked = (rows["kind"] == "held_out") & rows["choice_correct"]
    place = rows.index[asked][0]
    wrong = rows.copy()
    wrong.loc[place, "choice"] = (wrong.loc[place, "choice"] + 1) % 5
    wrong = scored(wrong)
    assert "field rows.choice: the answer to" in refused(write(measured(record, wrong), tmp_path, wrong))
    hidden = rows.copy()
    hidden.loc[place, "choice"] = -1
    hidden = scored(hidden)
    assert "chooses option -1, and option" in refused(write(measured(record, hidden), tmp_path, hidden))


def test_of_equally_likely_options_any_may_be_chosen(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    place = rows.index[rows["choice_correct"]][0]
    rows.at[place, "option_logprobs"] = [-1.0] * len(rows.at[place, "options"])
    rows = scored(rows)
    assert load_records(write(measured(record, rows), tmp_path, rows))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("person_id", "person-99", "rows.person_id: 'person-99' is none of the people of the dataset"),
        ("answer", "llama", f"rows.answer: 'person-00', pet: the rows have 'llama', and the people '{FACT}'"),
        ("scenario", "hobby", f"rows.answer: 'person-00', hobby: the rows have '{FACT}', and the people nothing"),
        ("person_id", "stranger-00", "rows.kind: 'stranger-00' is a stranger, on whom nothing was trained"),
        ("image_digest", "0" * 64, "rows.image_digest: the photo of member-person-00-9-pet/clean is no original photo"),
        ("status", "fine", "rows.status: that of member-person-00-9-pet/clean is 'fine'"),
        ("choice", 7, "rows.choice: the answer to member-person-00-9-pet/clean chooses option 7 of 5"),
        ("options", ["cow", "hen"], "rows.options: the right answer to member-person-00-9-pet/clean is not among"),
        ("option_logprobs", [-1.0], "has 1 log-likelihoods for 5 options"),
        ("request_id", "member-person-00-9-pet/protected", "is there twice"),
    ],
)
def test_an_answer_about_something_else_is_refused(
    record: Record, rows: pd.DataFrame, tmp_path: Path, column: str, value: Any, expected: str
) -> None:
    place = rows.index[rows["request_id"] == "member-person-00-9-pet/clean"][0]
    rows.at[place, column] = value
    assert expected in refused(write(record, tmp_path, rows))


def test_people_of_another_cohort_are_refused(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    people = make_people(("", "north"))
    assert load_records(write(record, tmp_path / "honest", rows, people))
    moved = people.assign(cohort=people["cohort"].where(people["person_id"] != "person-05", "north"))
    said = refused(write(record, tmp_path / "moved", rows, moved))
    assert "rows.person_id: 'person-05' is of cohort 'north', and the run of cohort ''" in said
    doubled = pd.concat([people, people[:1]])
    assert "field people: 'person-00' is there twice" in refused(write(record, tmp_path / "doubled", rows, doubled))


@pytest.mark.parametrize(
    ("defense", "column", "value", "expected"),
    [
        ("dp2vl", "largest_change", 9.0, "'person-00-home' is changed by 9 grey levels, and 8 are allowed"),
        ("dp2vl", "largest_change", float("nan"), "is changed by nan grey levels"),
        ("dp2vl", "person_id", "stranger-00", "'person-00-home' is of 'stranger-00', on whom the run was not trained"),
        ("dp2vl", "protected_digest", "0" * 64, "member-person-00-9-home/protected is no protected photo"),
        ("dp2vl", "pair_id", "person-00-pet", "photos.pair_id: 'person-00-pet' is there twice"),
        ("none", "largest_change", 1.0, "is changed by 1 grey levels, and 0 are allowed"),
        ("blur", "largest_change", 250.0, ""),
    ],
)
def test_photos_keep_to_the_budget_and_are_those_asked_about(
    answers: dict[Key, pd.DataFrame], tmp_path: Path, defense: str, column: str, value: Any, expected: str
) -> None:
    rows, photos = answers[defense, "naive"], make_photos(defense)
    record = make_record(defense, "naive", rows)
    photos.at[0, column] = value
    folder = write(measured(record, rows, photos), tmp_path, rows, photos=photos)
    if not expected:  # a visible edit is held to no budget
        assert load_records(folder)
        return
    with pytest.raises(DataError) as error:
        load_records(folder)
    assert expected in str(error.value)


def test_another_version_of_the_code_is_named_where_numbers_differ(
    record: Record, rows: pd.DataFrame, tmp_path: Path
) -> None:
    older = record.model_copy(update={"scorer": "0" * 64})
    assert load_records(write(older, tmp_path, rows))[0].scorer == "0" * 64
    said = refused(write(edited(older, "leakage", value=0.01, low=0.0), tmp_path, rows))
    assert "scored by another version of the code: 000000000000, and this is" in said


def test_an_evaluator_that_is_not_installed_is_named(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    foreign = record.model_copy(update={"evaluators": [*record.evaluators, "psychic"]})
    said = refused(write(foreign, tmp_path, rows))
    assert "field evaluators: 'psychic' is not installed here" in said and "install the package that brings it" in said


@pytest.fixture
def scored_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each record that is scored anew."""
    seen: list[str] = []
    plain: Callable[..., Any] = verifying.answers_fault

    def watched(rows: pd.DataFrame, people: pd.DataFrame) -> Any:
        seen.append(rows["request_id"].iloc[0])
        return plain(rows, people)

    monkeypatch.setattr(verifying, "answers_fault", watched)
    return seen


def test_equal_bytes_are_scored_once(
    record: Record, rows: pd.DataFrame, tmp_path: Path, scored_again: list[str]
) -> None:
    verdicts = tmp_path / "kept" / "verdicts"
    for name in ("one", "other"):
        load_records(write(record, tmp_path / name, rows), verdicts)
    assert len(scored_again) == 1 and [path.stat().st_size for path in verdicts.iterdir()] == [0]
    load_records(tmp_path / "one")
    assert len(scored_again) == 2, "without a folder of verdicts everything is scored"


def test_a_changed_byte_is_scored_anew_and_a_refusal_is_no_verdict(
    record: Record, rows: pd.DataFrame, tmp_path: Path, scored_again: list[str]
) -> None:
    verdicts = tmp_path / "verdicts"
    load_records(write(record, tmp_path / "one", rows), verdicts)
    wrong = write(edited(record, "leakage", value=0.01, low=0.0), tmp_path / "two", rows)
    for _ in range(2):
        with pytest.raises(DataError, match=r"metrics\.leakage"):
            load_records(wrong, verdicts)
    assert len(scored_again) == 3 and len(list(verdicts.iterdir())) == 1


@pytest.mark.parametrize("kind", ["a file", "below a file"])
def test_verdicts_that_cannot_be_kept_cost_time_alone(
    record: Record, rows: pd.DataFrame, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "taken").write_text("no folder")
    verdicts = tmp_path / "taken" if kind == "a file" else tmp_path / "taken" / "verdicts"
    assert load_records(write(record, tmp_path / "records", rows), verdicts)
    assert load_records(tmp_path / "records", verdicts)


def test_it_measures_with_the_recorded_evaluators_alone(record: Record, rows: pd.DataFrame, tmp_path: Path) -> None:
    few = measured(record.model_copy(update={"evaluators": ["leakage"]}), rows)
    assert {one.name for one in few.metrics} == set(measure_all(rows, "answers", ["leakage"])["metric"])
    assert load_records(write(few, tmp_path, rows))
