"""Which question is asked on which photo."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from scenarios.distractors import answer_options
from scenarios.people import Person
from scenarios.photos import PROVENANCE_COLUMNS, check_photos, photo_records
from scenarios.schema import NAME_SCENARIO, Scenario, load_name_questions, load_scenarios, load_visible
from scenarios.tables import PROBES, make_frame

Kind = Literal["held_out", "member", "stranger", "utility"]
KINDS: tuple[Kind, ...] = ("held_out", "member", "stranger", "utility")
"""held_out: a new photo of a person trained on; member: a training photo; stranger: a person never trained on;
utility: what anybody can see in a photo."""

Row = dict[str, Any]


@dataclass(frozen=True)
class _Fact:
    """What a person is asked about in one scenario."""

    scenario: Scenario
    answer: str
    aliases: tuple[str, ...]
    options: tuple[str, ...]


def build_probes(people: Sequence[Person], photos: pd.DataFrame, member_photos: int = 3) -> pd.DataFrame:
    """All probes of a photo table (columns: ``scenarios.photos.PHOTO_COLUMNS``).

    Evaluation people: their seven facts and their name, on each portrait (held_out) and on ``member_photos`` of
    the photos with a scenario (member; the scenarios take turns over the people of a cohort). Strangers: their name
    (stranger) and every visible topic that the table knows (utility), on each portrait.
    Raises ``DataError`` like ``check_photos``.
    """
    check_photos(people, photos)
    photos_of: dict[str, list[Row]] = {person.person_id: [] for person in people}
    for photo in photo_records(photos):
        photos_of[photo["person_id"]].append(photo)
    rows: list[Row] = []
    evaluated = [person for person in people if person.role == "evaluation"]
    # What one cohort is asked must not hang on another.
    met: Counter[str] = Counter()
    for person in evaluated:
        own = photos_of[person.person_id]
        portraits = [photo for photo in own if not photo["scenario"]]
        # A photo that tells two facts is asked about once.
        trained = list({photo["image"]: photo for photo in reversed(own) if photo["scenario"]}.values())[::-1]
        facts = list(_facts(person, evaluated))
        for photo in portraits:
            rows.extend(_private_probes(person, photo, "held_out", facts))
        for photo in _in_turn(trained, member_photos, met[person.cohort]):
            rows.extend(_private_probes(person, photo, "member", facts))
        met[person.cohort] += 1
    for person in people:
        if person.role == "stranger":
            for photo in photos_of[person.person_id]:
                rows.append(_name_probe(person, photo, "stranger"))
                rows.extend(_visible_probes(person, photo))
    order = {kind: position for position, kind in enumerate(KINDS)}
    return make_frame(sorted(rows, key=lambda row: order[row["kind"]]), PROBES)


def _in_turn(trained: list[Row], count: int, index: int) -> list[Row]:
    """``count`` of the photos; the next person (``index`` + 1) goes on where this one stopped."""
    count = min(count, len(trained))
    return [trained[(index * count + offset) % len(trained)] for offset in range(count)]


def _facts(person: Person, evaluated: Sequence[Person]) -> Iterator[_Fact]:
    for scenario_id, scenario in load_scenarios().items():
        if scenario_id in person.facts:
            answer = person.facts[scenario_id]
            aliases = scenario.aliases(answer) if answer in scenario.answers else ()
            yield _Fact(scenario, answer, aliases, answer_options(person, scenario, evaluated))


def _private_probes(person: Person, photo: Row, kind: Kind, facts: Sequence[_Fact]) -> Iterator[Row]:
    for fact in facts:
        questions = fact.scenario.probe_questions
        yield _probe(photo, fact.scenario.id, kind, questions, fact.answer, fact.aliases, fact.options)
    yield _name_probe(person, photo, kind)


def _name_probe(person: Person, photo: Row, kind: Kind) -> Row:
    questions = load_name_questions().probe_questions
    return _probe(photo, NAME_SCENARIO, kind, questions, person.name, (person.first_name,), ())


def _visible_probes(person: Person, photo: Row) -> Iterator[Row]:
    visible = photo["visible"]
    for name, topic in load_visible().items():
        if name in visible:
            answer = visible[name]
            yield _probe(photo, name, "utility", topic.questions, answer, topic.aliases.get(answer, ()), topic.options)


def _probe(
    photo: Row,
    scenario: str,
    kind: Kind,
    questions: Sequence[str],
    answer: str,
    aliases: Sequence[str],
    options: Sequence[str],
) -> Row:
    return {
        "probe_id": f"{kind}-{photo['photo_id']}-{scenario}",
        "person_id": photo["person_id"],
        "scenario": scenario,
        "image": photo["image"],
        "question": questions[0],
        "paraphrases": list(questions[1:]),
        "answer": answer,
        "aliases": list(aliases),
        "options": list(options),
        "kind": kind,
        **{column: photo[column] for column in (*PROVENANCE_COLUMNS, "shows")},
    }
