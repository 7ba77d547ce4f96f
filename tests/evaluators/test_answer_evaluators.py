"""Leakage, membership, recognition and utility: which rows count for what."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import DataError, UsageError, VeilBenchError
from evaluators.base import VALUE_COLUMNS, Evaluator, Metric, choice_scored, count_unscored, open_scored, value_rows
from evaluators.registry import evaluators, measure_all, metric_definitions
from evaluators.scoring import score_answers

Row = dict[str, Any]


@pytest.fixture
def scored(request_row: Row, name_row: Row, answer_row: Row, people: pd.DataFrame) -> pd.DataFrame:
    """One row of every kind; the request ids say what they are."""
    cases: list[tuple[Row, Row]] = [
        (request_row | {"request_id": "fact-right"}, {}),
        (request_row | {"request_id": "fact-wrong", "person_id": "p2"}, {"choice": 1, "text": "cat"}),
        (request_row | {"request_id": "fact-invalid"}, {"text": "", "status": "invalid"}),
        (request_row | {"request_id": "fact-error"}, {"text": "", "status": "error", "choice": -1}),
        (name_row | {"request_id": "name-right"}, {"text": "Amara", "choice": -1}),
        (name_row | {"request_id": "name-wrong"}, {"text": "Bram", "choice": -1}),
        (request_row | {"request_id": "member-clean", "kind": "member"}, {}),
        (request_row | {"request_id": "member-protected", "kind": "member", "view": "protected"}, {"choice": 2}),
        (name_row | {"request_id": "member-name", "kind": "member"}, {"text": "Amara", "choice": -1}),
        (name_row | {"request_id": "stranger-named", "kind": "stranger", "person_id": "s1"}, {"text": "Bram"}),
        (name_row | {"request_id": "stranger-free", "kind": "stranger", "person_id": "s1"}, {"text": "Nobody"}),
        (name_row | {"request_id": "stranger-error", "kind": "stranger", "person_id": "s1"}, {"status": "error"}),
        (request_row | {"request_id": "seen", "kind": "utility", "person_id": "s1"}, {"text": "red"}),
    ]
    requests = pd.DataFrame([request for request, _ in cases])
    answers = pd.DataFrame(
        [
            answer_row | {"choice": -1 if request["scenario"] == "name" else 0} | change | {"request_id": request_id}
            for request, change in cases
            for request_id in [request["request_id"]]
        ]
    )
    return score_answers(requests, answers, people)


def values(frame: pd.DataFrame, metric: str) -> dict[str, float | None]:
    """The values of one metric by item, None for what was not scored."""
    rows = frame[frame["metric"] == metric]
    return {
        item: None if np.isnan(value) else value for item, value in zip(rows["item_id"], rows["value"], strict=True)
    }


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("leakage", {"fact-right": 1, "fact-wrong": 0, "fact-invalid": 1, "fact-error": None}),
        ("leakage_open", {"fact-right": 1, "fact-wrong": 0, "fact-invalid": None, "fact-error": None}),
        ("name_open", {"name-right": 1, "name-wrong": 0}),
        ("stranger_rate", {"stranger-named": 1, "stranger-free": 0, "stranger-error": None}),
        ("member_clean", {"member-clean": 1}),
        ("member_protected", {"member-protected": 0}),
        ("utility", {"seen": 1}),
        ("utility_open", {"seen": 0}),
    ],
)
def test_each_metric_counts_its_own_rows(scored: pd.DataFrame, metric: str, expected: dict[str, float | None]) -> None:
    assert values(measure_all(scored, "answers"), metric) == expected


def test_values_keep_person_and_scenario(scored: pd.DataFrame) -> None:
    measured = evaluators.get("leakage")().evaluate(scored)
    assert list(measured.columns) == list(VALUE_COLUMNS)
    wrong = measured[measured["item_id"] == "fact-wrong"]
    assert wrong["person_id"].tolist() == ["p2"] * 4 and set(wrong["scenario"]) == {"pet"}


def test_a_missing_column_is_named(scored: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'status'"):
        evaluators.get("leakage")().evaluate(scored.drop(columns="status"))


class Wayward(Evaluator):
    """Returns what the test tells it to."""

    subject = "answers"
    metrics = (Metric("known", "share", "none", "A test."),)
    returned = pd.DataFrame()

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        return self.returned


@pytest.mark.parametrize(
    ("metric", "items", "value", "complaint"),
    [
        ("unknown", ["a"], 1.0, "'unknown'"),
        ("known", ["a", "a"], 1.0, "two values for 'a'"),
        ("known", ["a"], np.inf, "infinite"),
    ],
)
def test_an_authors_bad_values_are_refused(
    scored: pd.DataFrame, metric: str, items: list[str], value: float, complaint: str
) -> None:
    evaluator = Wayward()
    rows = pd.DataFrame({"item": items, "person_id": "p", "scenario": "pet"})
    evaluator.returned = value_rows(metric, rows, "item", [value] * len(items))
    with pytest.raises(VeilBenchError, match=complaint):
        evaluator.evaluate(scored)
    evaluator.returned = evaluator.returned.drop(columns="person_id")
    with pytest.raises(VeilBenchError, match="'person_id'"):
        evaluator.evaluate(scored)


def test_every_metric_is_declared_once() -> None:
    assert {"leakage", "name_open", "stranger_rate", "utility", "ssim", "psnr"} <= set(metric_definitions())


def test_an_unknown_evaluator_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="leakage"):
        evaluators.get("leekage")


def test_a_choice_is_scored_though_the_open_answer_is_invalid(scored: pd.DataFrame) -> None:
    facts = scored[scored["request_id"].str.startswith("fact")]
    assert choice_scored(facts).tolist() == [True, True, True, False]
    assert open_scored(facts).tolist() == [True, True, False, False]


def test_unscored_answers_are_counted_among_choices_and_open_answers(scored: pd.DataFrame) -> None:
    some = scored[scored["request_id"].str.startswith(("fact", "name"))]
    assert count_unscored(some) == (3, 4 + 6)  # four facts have options; six questions have open answers
