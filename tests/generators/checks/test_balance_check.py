"""What can be guessed without looking."""

from dataclasses import replace

import pytest

from generators.checks.balance import check_balance
from scenarios.dataset import make_dataset


def test_balanced_answers_score_chance(example):
    report = check_balance(example.dataset)
    assert {one.level for one in report.findings} == {"note"}
    assert report.figures == pytest.approx({"majority_guesser": 0.2, "chance": 0.2, "largest_majority": 0.2})
    pets = next(one for one in report.findings if one.row == "scenario pet")
    assert "cat 0.20, dog 0.20" in pets.message


def test_a_frequent_answer_is_told_with_its_share(example):
    people = [
        replace(person, facts=person.facts | {"pet": "dog" if index < 3 else "cat"})
        for index, person in enumerate(example.people)
    ]
    report = check_balance(replace(example, people=people).dataset)
    warnings = [one for one in report.findings if one.level == "warning"]
    assert [one.row for one in warnings] == ["scenario pet"]
    assert "always says 'dog' is right in 0.60" in warnings[0].message
    assert report.figures["largest_majority"] == pytest.approx(0.6)
    assert report.figures["majority_guesser"] == pytest.approx((6 * 0.2 + 0.6) / 7)


def test_questions_without_options_cannot_be_guessed(example):
    dataset = example.dataset
    names = dataset.probes[dataset.probes["scenario"] == "name"]
    report = check_balance(make_dataset("names", dataset.people, dataset.pairs, names))
    assert [one.level for one in report.findings] == ["warning"]
