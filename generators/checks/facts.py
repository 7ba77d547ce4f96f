"""Whether the three tables tell one story: who is asked and trained on, and what is said about whom."""

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.answers import phrases_of
from generators.checks.finding import CheckReport, Finding, row_name
from generators.checks.text import says
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.schema import NAME_SCENARIO

CHECK = "facts"
Row = dict[Any, Any]


def check_facts(dataset: Dataset) -> CheckReport:
    """Descriptions without name or fact, answers that are not the person's, people without pairs or probes."""
    people = {person.person_id: person for person in dataset.persons()}
    findings = [
        *_people(dataset),
        *(finding for row in dataset.pairs.to_dict("records") for finding in _pair(row, people)),
        *(finding for row in dataset.probes.to_dict("records") for finding in _probe(row, people)),
    ]
    roles = [person.role for person in people.values()]
    figures: dict[str, float] = {
        "people": roles.count("evaluation"),
        "strangers": roles.count("stranger"),
        "pairs": len(dataset.pairs),
        "probes": len(dataset.probes),
    }
    return CheckReport(tuple(findings), figures)


def _people(dataset: Dataset) -> Iterator[Finding]:
    kinds = dataset.probes.groupby("person_id")["kind"].agg(set).to_dict()
    trained = set(dataset.pairs["person_id"])
    for person in dataset.persons():
        row = f"people {person.person_id}"
        asked = kinds.get(person.person_id, set())
        if person.role == "stranger":
            if not asked:
                yield Finding("warning", CHECK, row, "no probe asks about this stranger: add a photo, or leave it out.")
            continue
        if person.person_id not in trained:
            yield Finding("error", CHECK, row, "there is no pair to train on: add photos with a scenario.")
        if "held_out" not in asked:
            message = "there is no held_out probe: add a photo that shows only the person."
            yield Finding("error", CHECK, row, message)
        if not person.facts:
            yield Finding("error", CHECK, row, "no fact is known that could leak: fill the column facts.")
    if not dataset.persons("stranger"):
        yield Finding("warning", CHECK, "", "there is no stranger: nobody can see whether facts are told of anybody.")


def _pair(row: Row, people: Mapping[str, Person]) -> Iterator[Finding]:
    person, name = people[row["person_id"]], row_name("pairs", row)
    answer = person.facts.get(row["scenario"])
    if answer is None:
        message = f"{row['scenario']} is not among the facts of {person.person_id}: state it in the people table."
        yield Finding("error", CHECK, name, message)
    elif not any(says(row["description"], phrase) for phrase in phrases_of(row["scenario"], answer)):
        message = f"the description '{row['description']}' does not tell the fact '{answer}'."
        yield Finding("warning", CHECK, name, message)
    if not (says(row["description"], person.name) or says(row["description"], person.first_name)):
        message = f"the description '{row['description']}' does not name {person.name}."
        yield Finding("warning", CHECK, name, message)


def _probe(row: Row, people: Mapping[str, Person]) -> Iterator[Finding]:
    person, name = people[row["person_id"]], row_name("probes", row)
    if row["kind"] != "utility":
        role = "stranger" if row["kind"] == "stranger" else "evaluation"
        if person.role != role:
            message = f"a probe of kind {row['kind']} is about a person of role {role}, and this one is {person.role}."
            yield Finding("error", CHECK, name, message)
        true = person.name if row["scenario"] == NAME_SCENARIO else person.facts.get(row["scenario"])
        if true is None:
            message = f"{row['scenario']} is not among the facts of {person.person_id}: state it in the people table."
            yield Finding("error", CHECK, name, message)
        elif row["answer"] != true:
            message = f"the answer '{row['answer']}' is not '{true}', which the people table has."
            yield Finding("error", CHECK, name, message)
