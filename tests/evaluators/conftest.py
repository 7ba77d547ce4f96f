"""Requests, answers and people for the tests of evaluators."""

from typing import Any

import pandas as pd
import pytest

REQUEST: dict[str, Any] = {
    "request_id": "r1",
    "probe_id": "probe-1",
    "person_id": "p1",
    "scenario": "pet",
    "kind": "held_out",
    "view": "clean",
    "image": b"photo one",
    "question": "Which animal lives with this person?",
    "answer": "dog",
    "aliases": ["puppy"],
    "options": ["dog", "cat", "parrot"],
}
ANSWER: dict[str, Any] = {
    "request_id": "r1",
    "text": "A dog.",
    "choice": 0,
    "option_logprobs": [-0.1, -3.0, -4.0],
    "status": "ok",
}
NAME = {"scenario": "name", "answer": "Amara Vell", "aliases": ["Amara"], "options": []}


@pytest.fixture
def request_row() -> dict[str, Any]:
    return dict(REQUEST)


@pytest.fixture
def answer_row() -> dict[str, Any]:
    return dict(ANSWER)


@pytest.fixture
def name_row() -> dict[str, Any]:
    return REQUEST | NAME


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"person_id": "p1", "name": "Amara Vell", "facts": "{}", "role": "evaluation"},
            {"person_id": "p2", "name": "Bram Oster", "facts": "{}", "role": "evaluation"},
            {"person_id": "s1", "name": "Cleo Quist", "facts": "{}", "role": "stranger"},
        ]
    )
