"""Fictitious people: balanced, unique, repeatable."""

import re
from collections import Counter
from pathlib import Path

import pytest

import scenarios.schema
from bench.core.errors import UsageError
from scenarios.people import FIRST_NAMES, LAST_NAMES, Person, fictitious_people
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
    assert len(FIRST_NAMES) >= 260
    assert len(LAST_NAMES) >= 100
    assert all(re.fullmatch("[A-Z][a-z]+", name) for name in FIRST_NAMES + LAST_NAMES)


def test_no_name_is_a_word_of_what_is_said() -> None:
    files = sorted(Path(scenarios.schema.__file__).parent.glob("*.yaml"))
    words = {word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8").casefold())}
    assert len(files) >= 10 and "person" in words
    assert not words & {name.casefold() for name in FIRST_NAMES + LAST_NAMES}


def test_the_names_suffice_for_a_hundred_people_and_a_hundred_strangers() -> None:
    people = fictitious_people(100, 0, "evaluation")
    strangers = fictitious_people(100, 1, "stranger", {person.first_name for person in people})
    assert len({person.first_name for person in people + strangers}) == 200
    assert len({person.name.split()[1] for person in people}) == 100


def test_appearance_is_empty_where_nothing_is_stated() -> None:
    stated = Person("one", "Aiko Beldale", {}, "evaluation", {"age_group": "adult"})
    assert stated.appearance == {"age_group": "adult"}
    assert {tuple(person.appearance) for person in fictitious_people(3, 0, "evaluation")} == {()}


def test_too_many_people_are_refused() -> None:
    with pytest.raises(UsageError, match=rf"1000 people of role 'stranger' .* only {len(FIRST_NAMES)} are free"):
        fictitious_people(1000, 0, "stranger")
