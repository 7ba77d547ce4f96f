"""Fictitious people: balanced, unique, repeatable."""

from collections import Counter

import pytest

from bench.core.errors import UsageError
from scenarios.people import FIRST_NAMES, LAST_NAMES, fictitious_people
from scenarios.schema import load_scenarios


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert fictitious_people(20, 7, "evaluation") == fictitious_people(20, 7, "evaluation")
    assert fictitious_people(20, 7, "evaluation") != fictitious_people(20, 8, "evaluation")


def test_first_names_are_unique_and_never_taken() -> None:
    evaluated = fictitious_people(40, 0, "evaluation")
    strangers = fictitious_people(40, 0, "stranger", {person.first_name for person in evaluated})
    first_names = [person.first_name for person in evaluated + strangers]
    assert len(set(first_names)) == 80
    assert len({person.person_id for person in evaluated + strangers}) == 80


@pytest.mark.parametrize("count", [20, 23])
def test_answers_are_balanced_in_each_scenario_and_not_tied_between_scenarios(count: int) -> None:
    people = fictitious_people(count, 1, "evaluation")
    for name, scenario in load_scenarios().items():
        given = Counter(person.facts[name] for person in people)
        assert set(given) == set(scenario.answers)
        assert max(given.values()) - min(given.values()) <= 1
    positions = {
        name: tuple(scenario.answers.index(person.facts[name]) for person in people)
        for name, scenario in load_scenarios().items()
    }
    assert len(set(positions.values())) == len(positions)


def test_no_name_is_an_answer() -> None:
    words = {
        word.casefold()
        for scenario in load_scenarios().values()
        for option in scenario.options
        for phrase in (option.answer, *option.aliases)
        for word in phrase.split()
    }
    names = [name.casefold() for name in FIRST_NAMES + LAST_NAMES]
    assert not words & set(names)
    assert len(set(names)) == len(names)
    assert len(FIRST_NAMES) >= 120
    assert len(LAST_NAMES) >= 60


def test_too_many_people_are_refused() -> None:
    with pytest.raises(UsageError, match=r"1000 people of role 'stranger' .* only 158 are free"):
        fictitious_people(1000, 0, "stranger")
