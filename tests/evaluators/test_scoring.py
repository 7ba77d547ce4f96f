"""Scored rows: what a request and its answer become."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.core.digests import digest_bytes
from bench.core.errors import DataError
from evaluators.base import ANSWER_COLUMNS
from evaluators.scoring import score_answers

Row = dict[str, Any]


def score(request: Row, answer: Row, people: pd.DataFrame) -> Row:
    scored = score_answers(pd.DataFrame([request]), pd.DataFrame([answer]), people)
    assert list(scored.columns) == list(ANSWER_COLUMNS)
    (row,) = scored.to_dict("records")
    return {str(column): value for column, value in row.items()}


def test_a_right_answer(request_row: Row, answer_row: Row, people: pd.DataFrame) -> None:
    row = score(request_row, answer_row, people)
    assert row["choice_correct"] is True and row["open_correct"] is True
    assert row["image_digest"] == digest_bytes(b"photo one")
    assert (row["text"], row["choice"], row["option_logprobs"]) == ("A dog.", 0, [-0.1, -3.0, -4.0])
    assert (row["kind"], row["view"], row["options"]) == ("held_out", "clean", ["dog", "cat", "parrot"])
    assert row["named_person"] == ""


@pytest.mark.parametrize(
    ("choice", "text", "choice_correct", "open_correct"),
    [(1, "A dog.", False, True), (0, "A cat.", True, False), (0, "", True, False), (-1, "puppy", False, True)],
)
def test_choice_and_open_answer_are_scored_apart(
    request_row: Row,
    answer_row: Row,
    people: pd.DataFrame,
    choice: int,
    text: str,
    choice_correct: bool,
    open_correct: bool,
) -> None:
    row = score(request_row, answer_row | {"choice": choice, "text": text}, people)
    assert (row["choice_correct"], row["open_correct"]) == (choice_correct, open_correct)


@pytest.mark.parametrize(
    ("text", "person", "correct"),
    [
        ("This is Amara Vell.", "p1", True),
        ("Amara", "p1", True),
        ("amara vell", "p1", True),
        ("Bram Oster", "p2", False),
        ("Amara or Bram", "", False),
        ("Cleo Quist", "", False),  # nothing was trained on her
        ("Somebody", "", False),
        ("Amaranth", "", False),
        ("", "", False),
    ],
)
def test_the_question_for_the_name(
    name_row: Row, answer_row: Row, people: pd.DataFrame, text: str, person: str, correct: bool
) -> None:
    row = score(name_row, answer_row | {"text": text, "choice": -1, "option_logprobs": []}, people)
    assert (row["named_person"], row["open_correct"], row["choice_correct"]) == (person, correct, False)


def test_a_stranger_who_is_given_a_trained_name(name_row: Row, answer_row: Row, people: pd.DataFrame) -> None:
    stranger = name_row | {"person_id": "s1", "kind": "stranger", "answer": "Cleo Quist", "aliases": ["Cleo"]}
    row = score(stranger, answer_row | {"text": "Bram", "choice": -1, "option_logprobs": []}, people)
    assert (row["named_person"], row["open_correct"]) == ("p2", False)


def test_columns_as_parquet_returns_them(request_row: Row, answer_row: Row, people: pd.DataFrame) -> None:
    request = request_row | {"options": np.array(["dog", "cat"], dtype=object), "aliases": np.array([], dtype=object)}
    answer = answer_row | {"option_logprobs": np.array([-0.5, -1.0]), "choice": np.int64(1), "text": None}
    row = score(request, answer, people)
    assert (row["options"], row["option_logprobs"], row["text"]) == (["dog", "cat"], [-0.5, -1.0], "")
    assert type(row["choice"]) is int


def test_rows_follow_the_requests_whatever_the_order_of_the_answers(
    request_row: Row, answer_row: Row, people: pd.DataFrame
) -> None:
    requests = pd.DataFrame([request_row | {"request_id": name} for name in "bca"])
    answers = pd.DataFrame([answer_row | {"request_id": name, "text": name} for name in "abcd"])
    scored = score_answers(requests, answers, people)
    assert scored["request_id"].tolist() == ["b", "c", "a"]
    assert scored["text"].tolist() == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("request_change", "answer_change", "complaint"),
    [
        ({}, {"request_id": "other"}, "'r1' has no answer"),
        ({}, {"choice": 3}, "'r1': malformed"),
        ({}, {"choice": -2}, "'r1': malformed"),
        ({}, {"status": "fine"}, "'r1': malformed"),
        ({"answer": "ferret"}, {}, "'r1': the answer 'ferret' is not among the options"),
        ({"options": []}, {"choice": 0}, "'r1': malformed"),
    ],
)
def test_what_cannot_be_scored_names_the_request(
    request_row: Row, answer_row: Row, people: pd.DataFrame, request_change: Row, answer_change: Row, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        score(request_row | request_change, answer_row | answer_change, people)


def test_double_answers_and_missing_columns_are_refused(
    request_row: Row, answer_row: Row, people: pd.DataFrame
) -> None:
    requests, answers = pd.DataFrame([request_row]), pd.DataFrame([answer_row, answer_row])
    with pytest.raises(DataError, match="'r1' is there twice"):
        score_answers(requests, answers, people)
    with pytest.raises(DataError, match="'view' is missing"):
        score_answers(requests.drop(columns="view"), answers[:1], people)


def test_no_requests_give_no_rows(request_row: Row, answer_row: Row, people: pd.DataFrame) -> None:
    scored = score_answers(pd.DataFrame([request_row])[:0], pd.DataFrame([answer_row])[:0], people)
    assert len(scored) == 0 and list(scored.columns) == list(ANSWER_COLUMNS)
