"""Scored rows: what a request and its answer become."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.core.digests import digest_bytes
from bench.core.errors import DataError
from evaluators.base import ANSWER_COLUMNS
from evaluators.reading.facts import FactQuestion, Text
from evaluators.scoring import RESCORED_COLUMNS, rescored, score_answers

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


def test_the_margin_between_the_two_likeliest_options(request_row: Row, answer_row: Row, people: pd.DataFrame) -> None:
    assert score(request_row, answer_row, people)["option_margin"] == pytest.approx(2.9)
    for logprobs in ([], [-0.1], None):
        row = score(request_row, answer_row | {"option_logprobs": logprobs}, people)
        assert np.isnan(row["option_margin"])
    unordered = answer_row | {"option_logprobs": [-4.0, -1.0, -1.5]}
    assert score(request_row, unordered, people)["option_margin"] == pytest.approx(0.5)


def test_a_choice_in_another_spelling_or_order_is_right(
    request_row: Row, answer_row: Row, people: pd.DataFrame
) -> None:
    options = ["Ana and Tom", "Tom & Ana", "Mia and Ben"]
    request = request_row | {"answer": "Ana and Tom", "aliases": [], "options": options}
    assert score(request, answer_row | {"choice": 1}, people)["choice_correct"] is True
    assert score(request, answer_row | {"choice": 2}, people)["choice_correct"] is False


@pytest.mark.parametrize(
    ("change", "text", "right", "person"),
    [
        ({}, "This is not Amara.", False, ""),
        ({}, "Amara, not Bram.", True, "p1"),
        ({"aliases": ["Amara", "Ami"]}, "This is Ami.", True, ""),
        ({"aliases": ["Bram"]}, "This is Bram.", False, "p2"),
        ({"person_id": "s1", "answer": "Cleo Quist", "aliases": ["Cleo"]}, "Cleo", True, ""),
        ({"person_id": "s1", "answer": "Cleo Quist", "aliases": ["Cleo"]}, "Cleo or Bram", False, "p2"),
    ],
)
def test_names_and_other_names(
    name_row: Row, answer_row: Row, people: pd.DataFrame, change: Row, text: str, right: bool, person: str
) -> None:
    row = score(name_row | change, answer_row | {"text": text, "choice": -1, "option_logprobs": []}, people)
    assert (row["open_correct"], row["named_person"]) == (right, person)


def test_scored_rows_are_rescored_to_what_they_say(
    request_row: Row, name_row: Row, answer_row: Row, people: pd.DataFrame
) -> None:
    texts = ["A dog.", "not a dog", "Bram", "Amara", "A dog.", ""]
    base = [request_row, request_row, request_row, name_row, name_row, name_row]
    requests = pd.DataFrame([row | {"request_id": str(number)} for number, row in enumerate(base)])
    choices = [0 if row["options"] else -1 for row in base]
    answers = pd.DataFrame(
        [
            answer_row | {"request_id": str(number), "text": text, "choice": choice}
            for number, (text, choice) in enumerate(zip(texts, choices, strict=True))
        ]
    )
    scored = score_answers(requests, answers, people)
    assert scored["open_correct"].tolist() == [True, False, False, True, False, False]
    assert scored["named_person"].tolist() == ["", "", "p2", "p1", "", ""]
    shuffled = scored.iloc[[4, 0, 3]].assign(choice_correct=None, open_correct=None, named_person=None)
    again = rescored(shuffled, people)
    assert tuple(again.columns) == RESCORED_COLUMNS
    pd.testing.assert_frame_equal(again, scored.loc[[4, 0, 3], list(RESCORED_COLUMNS)])
    with pytest.raises(DataError, match="'aliases' is missing"):
        rescored(scored.drop(columns="aliases"), people)


def test_each_question_about_a_text_is_judged_once(
    request_row: Row, answer_row: Row, people: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    is_right = FactQuestion.is_right

    def counted(self: FactQuestion, text: Text) -> bool:
        judged.append(text.reading.text)
        return is_right(self, text)

    monkeypatch.setattr(FactQuestion, "is_right", counted)
    requests = pd.DataFrame([request_row | {"request_id": str(number)} for number in range(6)])
    texts = ["A dog.", "A cat."]
    answers = pd.DataFrame([answer_row | {"request_id": str(number), "text": texts[number % 2]} for number in range(6)])
    assert score_answers(requests, answers, people)["open_correct"].tolist() == [True, False] * 3
    assert sorted(judged) == ["A cat.", "A dog."]
