"""The options of a fact that is none of the scenario's answers."""

import pandas as pd

from scenarios.dataset import build_dataset
from scenarios.distractors import answer_options
from scenarios.people import Person
from scenarios.schema import load_scenarios
from scenarios.spelling import repeated_spelling

PETS = load_scenarios()["pet"]


def with_pets(*pets: str) -> list[Person]:
    return [Person(f"p{index}", "Aiko Beldale", {"pet": pet}, "evaluation") for index, pet in enumerate(pets)]


def test_a_fact_of_the_pool_has_the_scenarios_options_in_their_order() -> None:
    people = with_pets("cat", "hamster", "goldfish")
    assert answer_options(people[0], PETS, people) == PETS.answers


def test_others_answers_come_first_and_the_scenarios_fill_up() -> None:
    people = with_pets("hamster", "goldfish", "llama", "goldfish", "hamster")
    options = answer_options(people[0], PETS, people)
    assert len(options) == 5 and list(options) == sorted(options)
    assert {"hamster", "goldfish", "llama"} < set(options)
    assert len(set(options) & set(PETS.answers)) == 2


def test_only_others_answers_where_they_suffice_and_different_people_draw_differently() -> None:
    people = with_pets("hamster", "goldfish", "llama", "canary", "pony", "ferret", "newt", "gecko", "hamster")
    first, last = (answer_options(person, PETS, people) for person in (people[0], people[-1]))
    assert not (set(first) | set(last)) & set(PETS.answers)
    assert first == answer_options(people[0], PETS, list(reversed(people)))
    assert first != last


def test_no_option_is_right_beside_the_answer() -> None:
    people = with_pets("small dog", "dog", "bunny", "Hamster", "hamster")
    assert not {"dog", "Dog"} & set(answer_options(people[0], PETS, people))
    assert "rabbit" not in answer_options(people[2], PETS, people)
    assert "hamster" not in answer_options(people[3], PETS, people)
    spelt = [option.casefold() for option in answer_options(people[0], PETS, people)]
    assert len(set(spelt)) == len(spelt)


def test_such_a_fact_is_asked_with_its_own_options_and_without_aliases(
    people: list[Person], photos: pd.DataFrame
) -> None:
    own = Person("evaluation-000", people[0].name, {**people[0].facts, "pet": "hamster"}, "evaluation")
    dataset = build_dataset("own", [own, *people[1:]], photos)
    asked = dataset.probes[(dataset.probes["person_id"] == own.person_id) & (dataset.probes["scenario"] == "pet")]
    assert set(asked["kind"]) == {"held_out", "member"}
    for probe in asked.to_dict("records"):
        assert (probe["answer"], probe["aliases"]) == ("hamster", [])
        assert probe["options"] == sorted(probe["options"]) and len(probe["options"]) == 5
        assert "hamster" in probe["options"]
    pair = dataset.pairs[(dataset.pairs["person_id"] == own.person_id) & (dataset.pairs["scenario"] == "pet")]
    assert "hamster" in pair["description"].iloc[0]


def test_of_two_spellings_of_one_answer_one_is_an_option() -> None:
    people = with_pets("guinea-pig", "Guinea pig", "hamster", "hamsters", "gold fish", "goldfish", "llama", "ferret")
    for person in people:
        options = answer_options(person, PETS, people)
        assert len(options) == 5 and person.facts["pet"] in options
        assert repeated_spelling(options) is None


def test_a_pair_in_the_other_order_is_no_option_beside_it() -> None:
    pairs = ["Ana and Tom", "Tom & Ana", "Mia and Ben", "Ben, Mia", "Uma and Vik", "Sol and Tess", "Zoë and Kim"]
    friends = load_scenarios()["friends"]
    people = [Person(f"p{index}", "Aiko Beldale", {"friends": pair}, "evaluation") for index, pair in enumerate(pairs)]
    for person in people:
        options = answer_options(person, friends, people)
        assert len(options) == 5 and repeated_spelling(options) is None
