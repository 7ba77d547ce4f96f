"""Zero and excess: what the same choices are worth if facts are dealt by chance."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluators.registry import measure_all
from evaluators.zero import fact_choices

FIVE = ["dog", "cat", "parrot", "rabbit", "tortoise"]


def rows(told: dict[str, tuple[str, list[str]]], facts: dict[str, str], options: Any = None) -> pd.DataFrame:
    """One scored held-out row an entry: request -> (person, [choice]); ``facts`` is each person's pet."""
    made = []
    for request, (person, chosen) in told.items():
        listed = (options or {}).get(person, FIVE)
        choice = listed.index(chosen[0]) if chosen else -1
        row = {"request_id": request, "probe_id": request, "person_id": person, "scenario": "pet", "kind": "held_out"}
        row |= {"view": "clean", "question": "?", "answer": facts[person], "aliases": [], "options": listed}
        row |= {"text": "", "choice": choice, "option_logprobs": [], "option_margin": np.nan, "status": "ok"}
        right = choice >= 0 and listed[choice] == facts[person]
        made.append(row | {"choice_correct": right, "open_correct": False, "image_digest": "", "named_person": ""})
    return pd.DataFrame(made)


def means(frame: pd.DataFrame) -> dict[str, float]:
    values = measure_all(frame, "answers", ["leakage"])
    return {str(name): float(own["value"].mean()) for name, own in values.groupby("metric")}


def everybody(choose: Any, facts: dict[str, str], options: Any = None) -> pd.DataFrame:
    return rows({f"r-{person}": (person, [choose(person)]) for person in facts}, facts, options)


BALANCED = {f"p{number}": FIVE[number % 5] for number in range(20)}


@pytest.mark.parametrize("kind", ["always the first", "by name", "right"])
def test_zero_is_one_fifth_where_facts_are_balanced_whatever_the_model_does(kind: str) -> None:
    choose = {
        "always the first": lambda person: "dog",
        "by name": lambda person: FIVE[int(person[1:]) * 7 % 5],
        "right": lambda person: BALANCED[person],
    }[kind]
    found = means(everybody(choose, BALANCED))
    assert found["zero"] == pytest.approx(0.2)
    assert found["excess"] == pytest.approx(found["leakage"] - 0.2)


def test_zero_is_the_mean_over_all_ways_to_deal_the_facts() -> None:
    """Three people, two dogs and a cat, and a model that says dog, dog, cat: checked against every deal."""
    facts = {"a": "dog", "b": "cat", "c": "dog"}
    said = {"a": "dog", "b": "dog", "c": "cat"}
    deals = [("dog", "dog", "cat"), ("dog", "cat", "dog"), ("cat", "dog", "dog")]
    expected = np.mean([[said[p] == fact for p, fact in zip("abc", deal, strict=True)] for deal in deals])
    assert means(everybody(said.__getitem__, facts))["zero"] == pytest.approx(expected)


def test_zero_does_not_fall_as_leakage_rises() -> None:
    """With the person left out of the shares, a model that is always right would have a zero of 3/19."""
    assert means(everybody(BALANCED.__getitem__, BALANCED))["excess"] == pytest.approx(0.8)


def test_a_pure_guesser_leaks_nothing_where_people_have_options_of_their_own() -> None:
    """Each person's five options hold the own fact and four others: zero counts only who has the same list."""
    generator = np.random.default_rng(0)
    facts = {f"p{number}": f"villa {number}" for number in range(200)}
    options = {p: [fact, *(f"villa {n}" for n in generator.choice(range(200, 300), 4))] for p, fact in facts.items()}
    guess = {person: options[person][generator.integers(5)] for person in facts}
    found = means(everybody(guess.__getitem__, facts, options))
    assert found["zero"] == pytest.approx(0.2)
    assert abs(found["excess"]) < 0.06


def test_the_order_of_the_options_makes_no_other_list() -> None:
    options = {person: FIVE[number % 5 :] + FIVE[: number % 5] for number, person in enumerate(BALANCED)}
    assert means(everybody(lambda person: "cat", BALANCED, options))["zero"] == pytest.approx(0.2)


def test_a_choice_that_could_not_be_made_has_no_zero() -> None:
    frame = everybody(lambda person: "dog", BALANCED)
    frame.loc[3, "choice"] = -1
    choices = fact_choices(frame)
    assert np.isnan(choices.zero()[3]) and np.isnan(choices.right[3]) and np.isnan(choices.zero()).sum() == 1
