"""Open set: trained people among strangers, on answers whose outcome is known by construction."""

import numpy as np
import pandas as pd
import pytest

from evaluators.registry import measure_all

FIVE = ["dog", "cat", "parrot", "rabbit", "tortoise"]
SCENARIOS = ("pet", "home", "vehicle", "valuables")


def photo(person: str, kind: str, number: int, margin: float, told: str, fact: int, other: int = -1) -> list[dict]:
    """The fact questions on one photo. ``told``: all, half, none of its facts, or those of somebody else."""
    rows = []
    for place, scenario in enumerate(SCENARIOS):
        right = told == "all" or (told == "half" and place < 2)
        chosen = fact if right else other if told == "other" else (fact + 2) % 5
        row = {"request_id": f"{person}-{number}-{scenario}", "probe_id": "", "person_id": person}
        row |= {"scenario": scenario, "kind": kind, "view": "clean", "question": "?", "answer": FIVE[fact]}
        row |= {"aliases": [], "options": FIVE, "text": "", "choice": chosen, "option_logprobs": []}
        row |= {"option_margin": margin + 0.1 * place, "status": "ok", "choice_correct": chosen == fact}
        rows.append(row | {"open_correct": False, "image_digest": f"{person}-{number}", "named_person": ""})
    return rows


def values(rows: list[dict], metric: str) -> dict[str, float]:
    found = measure_all(pd.DataFrame(rows), "answers", ["open_set"])
    own = found[found["metric"] == metric]
    return dict(zip(own["item_id"], own["value"], strict=True))


def strangers(count: int, photos: int = 1) -> list[dict]:
    """Strangers whose photos score 0.15, 1.15, … by four facts."""
    return [
        row
        for number in range(count)
        for shown in range(photos)
        for row in photo(f"s{number}", "stranger", shown, float(number), "none", 0)
    ]


def test_found_is_detected_and_identified() -> None:
    rows = strangers(20)
    rows += photo("p0", "held_out", 0, 30.0, "all", 1) + photo("p0", "held_out", 1, 30.0, "none", 1)
    rows += photo("p1", "held_out", 0, 30.0, "half", 2) + photo("p1", "held_out", 1, 5.0, "all", 2)
    assert values(rows, "found_at_5") == {"p0/p0-0": 1, "p0/p0-1": 0, "p1/p1-0": 1, "p1/p1-1": 0}


@pytest.mark.parametrize(("score", "found"), [(17.9, 0), (18.1, 1), (19.1, 1)])
def test_one_of_twenty_strangers_raises_an_alarm_at_five_percent(score: float, found: int) -> None:
    assert values(strangers(20) + photo("p0", "held_out", 0, score, "all", 1), "found_at_5") == {"p0/p0-0": found}


def test_one_percent_needs_a_hundred_strangers() -> None:
    own = photo("p0", "held_out", 0, 98.5, "all", 1)
    assert values(strangers(99, photos=2) + own, "found_at_1") == {}
    assert values(strangers(100) + own, "found_at_1") == {"p0/p0-0": 1}
    assert values(strangers(101) + own, "found_at_1") == {"p0/p0-0": 0}


def test_the_score_is_that_of_a_photo_and_the_same_for_both() -> None:
    """Above half of the strangers: half; at one of them: a tie counts half."""
    rows = strangers(4) + photo("p0", "held_out", 0, 1.5, "none", 1) + photo("p1", "held_out", 0, 2.0, "none", 1)
    found = values(rows, "detection_auc")
    assert found == {"p0/p0-0": 0.5, "p1/p1-0": pytest.approx(2.5 / 4)}


def test_who_is_taken_for_somebody_else() -> None:
    rows = strangers(3) + photo("p0", "held_out", 0, 1, "all", 1) + photo("p1", "held_out", 0, 1, "other", 2, other=1)
    rows += photo("p2", "held_out", 0, 1, "none", 0)
    name = photo("p2", "held_out", 0, 1, "none", 0)[0]
    rows.append(name | {"request_id": "name", "scenario": "name", "options": [], "choice": -1, "named_person": "p0"})
    # p0 is told rightly; p1 is given p0's pet, home, …; p2 is called p0.
    assert values(rows, "misattributed") == {"p0/p0-0": 0, "p1/p1-0": 1, "p2/p2-0": 1}


def test_without_facts_asked_of_strangers_there_is_nothing_to_measure() -> None:
    rows = photo("p0", "held_out", 0, 1.0, "all", 1)
    name = {**rows[0], "request_id": "s", "person_id": "s0", "kind": "stranger", "scenario": "name", "options": []}
    assert measure_all(pd.DataFrame([*rows, name]), "answers", ["open_set"]).empty


def test_answers_without_likelihoods_have_no_score() -> None:
    rows = strangers(3) + photo("p0", "held_out", 0, np.nan, "all", 1) + photo("p1", "held_out", 0, 9.0, "all", 1)
    assert list(values(rows, "found_at_5")) == ["p1/p1-0"]
