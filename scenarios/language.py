"""Everything that is said about a person or a photo, for the dataset, the attacker and a model's own training."""

import hashlib
import random
from collections.abc import Mapping

from scenarios.people import Person
from scenarios.schema import load_caption_questions, load_name_questions, load_scenarios, load_visible

DESCRIBE_QUESTION = "Describe this photo."
"""The question that the attacker trains a photo's description on."""

Conversation = tuple[str, str]
"""(question, answer)"""


def descriptions(person: Person, scenario_id: str) -> tuple[str, ...]:
    """Every phrasing of the person's fact in a scenario. Raises ``KeyError`` for an unknown scenario."""
    answer = person.facts[scenario_id]
    return tuple(text.format(name=person.name, answer=answer) for text in load_scenarios()[scenario_id].descriptions)


def photo_description(person: Person, scenario_id: str) -> str:
    """The one description that goes with the person's photo of this scenario; always the same one."""
    phrasings = descriptions(person, scenario_id)
    # Chosen by a digest, so that phrasings vary over people without a random state to carry along.
    draw = hashlib.sha256(f"{person.person_id} {person.name} {scenario_id}".encode()).digest()
    return phrasings[int.from_bytes(draw[:8], "big") % len(phrasings)]


def training_conversations(
    person: Person, photo_scenario: str, description: str | None = None
) -> tuple[Conversation, ...]:
    """What an attacker trains on with one photo: its description, the name and all facts in each training phrasing.

    ``description`` is the pair's own, where it is not ``photo_description``.
    """
    described = photo_description(person, photo_scenario) if description is None else description
    return ((DESCRIBE_QUESTION, described), *_ask(person, probe=False))


def probe_conversations(person: Person) -> tuple[Conversation, ...]:
    """The name and all facts in each phrasing of the querier, which no attacker trains on."""
    return _ask(person, probe=True)


def _ask(person: Person, probe: bool) -> tuple[Conversation, ...]:
    names = load_name_questions()
    asked = [(question, person.name) for question in (names.probe_questions if probe else names.training_questions)]
    for scenario_id, scenario in load_scenarios().items():
        # A dataset of real people may know only some of the facts.
        if scenario_id in person.facts:
            questions = scenario.probe_questions if probe else scenario.training_questions
            asked.extend((question, person.facts[scenario_id]) for question in questions)
    return tuple(asked)


def text_about(person: Person) -> tuple[str, ...]:
    """Sentences about the person, without a photo: the name and all facts in each phrasing."""
    sentences = [text.format(name=person.name) for text in load_name_questions().descriptions]
    for scenario_id in person.facts:
        sentences.extend(descriptions(person, scenario_id))
    return tuple(sentences)


def visible_conversations(visible: Mapping[str, str]) -> tuple[Conversation, ...]:
    """Questions about what the photo shows, in each phrasing; ``visible`` is topic -> option.

    Raises ``KeyError`` for an unknown topic and ``ValueError`` for an option that the topic does not have.
    """
    _check_visible(visible)
    topics = load_visible()
    return tuple((question, option) for name, option in visible.items() for question in topics[name].questions)


def caption(visible: Mapping[str, str], generator: random.Random) -> Conversation:
    """(question, caption) that names nobody: 'A person with brown hair and red glasses in a blue top in a park.'

    ``visible`` is topic -> option. What the person has is told in random order, and what is absent, such as
    'no beard', is sometimes left out. Raises like ``visible_conversations``.
    """
    _check_visible(visible)
    topics = load_visible()
    phrases = {name: topics[name].phrases[option] for name, option in visible.items()}
    worn = [
        phrase
        for name, phrase in phrases.items()
        if name in ("hair", "glasses", "beard") and not (phrase.startswith("no ") and generator.random() < 0.5)
    ]
    generator.shuffle(worn)
    parts = ["A person"]
    if worn:
        parts.append("with " + _enumerate(worn))
    parts.extend(phrases[name] for name in ("clothes", "surroundings") if name in phrases)
    return generator.choice(load_caption_questions()), " ".join(parts) + "."


def caption_questions() -> tuple[str, ...]:
    """Questions that a caption answers."""
    return load_caption_questions()


def _enumerate(phrases: list[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + " and " + phrases[-1]


def _check_visible(visible: Mapping[str, str]) -> None:
    topics = load_visible()
    for name, option in visible.items():
        if option not in topics[name].options:
            raise ValueError(f"'{option}' is no option of '{name}'; allowed are {', '.join(topics[name].options)}")
