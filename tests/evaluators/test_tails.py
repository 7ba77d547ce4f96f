"""Tails: whom a low mean hides, and what chance alone would show."""

import numpy as np
import pandas as pd
import pytest

from evaluators.registry import measure_all

FIVE = ["dog", "cat", "parrot", "rabbit", "tortoise"]


def answers(leakage: dict[str, float], probes: int = 28, seed: int = 0) -> pd.DataFrame:
    """Rows of people whose share of right choices is about as stated; facts are balanced over five options."""
    draw = np.random.default_rng(abs(seed))
    made = []
    for number, (person, share) in enumerate(leakage.items()):
        for probe in range(probes):
            scenario = f"scenario-{probe % 7}"
            fact = (number + probe % 7) % 5
            right = probe < round(share * probes) if seed < 0 else draw.random() < share
            choice = fact if right else (fact + 1 + int(draw.integers(4))) % 5
            row = {"request_id": f"{person}-{probe}", "probe_id": "", "person_id": person, "scenario": scenario}
            row |= {"kind": "held_out", "view": "clean", "question": "?", "answer": FIVE[fact], "aliases": []}
            row |= {"options": FIVE, "text": "", "choice": choice, "option_logprobs": [], "option_margin": np.nan}
            row |= {"status": "ok", "choice_correct": right, "open_correct": False, "image_digest": ""}
            made.append(row | {"named_person": ""})
    return pd.DataFrame(made)


def means(frame: pd.DataFrame) -> dict[str, float]:
    values = measure_all(frame, "answers", ["tails"])
    return {str(name): float(own["value"].mean()) for name, own in values.groupby("metric")}


def test_a_low_mean_may_hide_people_who_are_told_entirely() -> None:
    few = {f"p{number:02d}": 1.0 if number < 4 else 0.2 for number in range(20)}
    found = means(answers(few))
    assert found["exposed"] == pytest.approx(4 / 20) and found["worst_tenth"] == 1.0
    even = means(answers(dict.fromkeys(few, 0.36)))
    assert even["exposed"] < 0.1 and even["worst_tenth"] < 0.7


def test_at_pure_chance_somebody_is_worst_all_the_same() -> None:
    """The worst tenth of twenty people is at a third and more by chance: the value beside it says so."""
    guessed = answers({f"p{number:02d}": 0.2 for number in range(20)}, seed=3)
    found = means(guessed)
    assert 0.3 < found["worst_tenth_by_chance"] < 0.58
    assert abs(found["worst_tenth"] - found["worst_tenth_by_chance"]) < 0.12
    assert found["exposed_by_chance"] < 0.02


def test_chance_does_not_know_who_leaks() -> None:
    all_told = means(answers({f"p{number:02d}": 1.0 for number in range(20)}))
    assert all_told["exposed"] == 1.0 and all_told["exposed_by_chance"] < 0.1
    assert all_told["worst_tenth_by_chance"] < 0.6


def test_the_worst_tenth_of_few_people_is_the_worst_one() -> None:
    found = measure_all(answers({"p0": 0.2, "p1": 0.9, "p2": 0.1}), "answers", ["tails"])
    worst = found[found["metric"] == "worst_tenth"]
    assert worst["person_id"].tolist() == ["p1"]


def test_people_without_a_scored_answer_are_not_counted() -> None:
    frame = answers({"p0": 0.5, "p1": 1.0})
    frame.loc[frame["person_id"] == "p0", "status"] = "error"
    found = measure_all(frame, "answers", ["tails"])
    assert found[found["metric"] == "exposed"]["person_id"].tolist() == ["p1"]


def test_half_of_the_probes_is_enough() -> None:
    found = means(answers({"p0": 0.5}, seed=-1))
    assert found["exposed"] == 1.0
