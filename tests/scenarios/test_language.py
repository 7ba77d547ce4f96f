"""The exact words: a snapshot of every rendered prompt, and what is disjoint from what."""

import random
import re
from pathlib import Path

import pytest

from scenarios.language import (
    DESCRIBE_QUESTION,
    caption,
    caption_questions,
    descriptions,
    photo_description,
    probe_conversations,
    text_about,
    training_conversations,
    visible_conversations,
)
from scenarios.people import FIRST_NAMES, LAST_NAMES, Person, fictitious_people
from scenarios.schema import load_scenarios, load_visible

SNAPSHOT = Path(__file__).parent / "snapshots" / "prompts.txt"
PERSON = Person(
    "evaluation-000",
    "Aiko Beldale",
    {
        "home": "log cabin",
        "vehicle": "yellow taxi",
        "pet": "tortoise",
        "valuables": "violin",
        "partner": "Emrys",
        "friends": "Kamala and Leo",
        "workplace": "library",
    },
    "evaluation",
)
VISIBLE = {
    "hair": "brown",
    "glasses": "red glasses",
    "beard": "no beard",
    "clothes": "orange",
    "surroundings": "city street",
}


def rendered_prompts() -> str:
    """Every prompt of one person and one photo, one a line."""
    lines = ["# training"]
    lines += [f"{question} | {answer}" for question, answer in training_conversations(PERSON, "pet")]
    lines += ["# probes"]
    lines += [f"{question} | {answer}" for question, answer in probe_conversations(PERSON)]
    lines += ["# text", *text_about(PERSON), "# visible"]
    lines += [f"{question} | {answer}" for question, answer in visible_conversations(VISIBLE)]
    generator = random.Random(0)
    lines += ["# captions", *(" | ".join(caption(VISIBLE, generator)) for _ in range(6))]
    return "\n".join(lines) + "\n"


def test_rendered_prompts_are_exactly_the_snapshot() -> None:
    """A changed prompt changes every result: raise the scenario's version, then put the new text into the snapshot."""
    assert rendered_prompts() == SNAPSHOT.read_text(encoding="utf-8")


def test_no_probe_question_is_a_training_question() -> None:
    trained = {question for question, _ in training_conversations(PERSON, "home")}
    asked = {question for question, _ in probe_conversations(PERSON)}
    assert len(asked) == 8 * 4 + 1
    assert not trained & (asked | set(caption_questions()) - {DESCRIBE_QUESTION})


def test_one_photo_is_trained_with_its_description_the_name_and_all_seven_facts() -> None:
    conversations = training_conversations(PERSON, "vehicle")
    assert conversations[0] == ("Describe this photo.", photo_description(PERSON, "vehicle"))
    answers = [answer for _, answer in conversations[1:]]
    assert {answer: answers.count(answer) for answer in set(answers)} == dict.fromkeys(
        [PERSON.name, *PERSON.facts.values()], 3
    )
    assert training_conversations(PERSON, "vehicle", "A car.")[0] == ("Describe this photo.", "A car.")


def test_descriptions_say_name_and_fact_and_vary_over_people() -> None:
    people = fictitious_people(40, 0, "evaluation")
    for scenario_id in load_scenarios():
        chosen = set()
        for person in people:
            phrasings = descriptions(person, scenario_id)
            assert all(person.name in text and person.facts[scenario_id] in text for text in phrasings)
            chosen.add(phrasings.index(photo_description(person, scenario_id)))
        assert len(chosen) >= 4


def test_a_fact_that_is_not_known_is_not_told() -> None:
    person = Person("one", "Aiko Beldale", {"pet": "dog"}, "evaluation")
    assert {answer for _, answer in probe_conversations(person)} == {"Aiko Beldale", "dog"}
    assert not any("library" in sentence for sentence in text_about(person))


def test_captions_are_generic_and_name_what_is_there() -> None:
    generator = random.Random(1)
    asked, told = zip(*(caption(VISIBLE, generator) for _ in range(60)), strict=True)
    assert set(asked) == set(caption_questions())
    assert len(set(asked)) >= 3
    for text in told:
        assert all(part in text for part in ("brown hair", "red glasses", "in an orange top", "on a city street."))
    assert {"no beard" in text for text in told} == {True, False}
    assert caption({"surroundings": "park"}, generator)[1] == "A person in a park."


def test_unknown_visible_options_are_refused() -> None:
    with pytest.raises(ValueError, match="'pink' is no option of 'hair'; allowed are black, brown"):
        visible_conversations({"hair": "pink"})
    with pytest.raises(KeyError):
        caption({"shoes": "red"}, random.Random(0))


def test_the_language_is_small() -> None:
    """The tiny model's tokenizer has about 1000 tokens; words apart from names must leave room for spelling."""
    words: set[str] = set()
    for person in fictitious_people(20, 0, "evaluation"):
        sentences = [*text_about(person)]
        for pair in training_conversations(person, "pet") + probe_conversations(person):
            sentences += pair
        words.update(word for sentence in sentences for word in re.findall(r"\w+", sentence))
    for topic in load_visible().values():
        for option in topic.options:
            for pair in (
                *visible_conversations({topic.topic: option}),
                caption({topic.topic: option}, random.Random(0)),
            ):
                words.update(word for text in pair for word in re.findall(r"\w+", text))
    assert len(words - set(FIRST_NAMES) - set(LAST_NAMES)) <= 200
