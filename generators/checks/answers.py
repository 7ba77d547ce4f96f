"""Whether a probe's answer can be read off: from the photo, by what is stated to be in it, or from the question."""

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.finding import CheckReport, Finding, and_more, grouped, row_name
from generators.checks.text import says, speaks_of
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.schema import NAME_SCENARIO, load_scenarios

CHECK = "answers"
Row = dict[Any, Any]


def check_answers(dataset: Dataset) -> CheckReport:
    """Photos that show the fact they are asked about or leave open what they show, and questions that tell the answer.

    A probe of kind ``member`` shows the fact on purpose. One finding a photo, in the name of its first probe.
    """
    people = {person.person_id: person for person in dataset.persons()}
    probes = dataset.probes.to_dict("records")
    asked = [row for row in probes if row["kind"] != "member"]
    findings = [
        finding
        for rows in grouped(asked, lambda row: (row["image"], row["person_id"], _frozen(row["shows"])))
        for finding in _shown(rows, people[rows[0]["person_id"]])
    ]
    findings += _told(probes)
    findings += [finding for row in dataset.pairs.to_dict("records") for finding in _hidden(row, people)]
    unstated = sum(row["shows"] is None for row in asked)
    return CheckReport(tuple(findings), {"probes_without_shows": float(unstated)})


def phrases_of(scenario: str, answer: str) -> tuple[str, ...]:
    """An answer and the other words that count as it; those of an answer outside the scenario's are not known."""
    known = load_scenarios().get(scenario)
    return (answer, *known.aliases(answer)) if known and answer in known.answers else (answer,)


def _frozen(shows: list[str] | None) -> tuple[str, ...] | None:
    return None if shows is None else tuple(shows)


def _shown(rows: list[Row], person: Person) -> Iterator[Finding]:
    """``rows`` share one photo, one person and one statement of what is in it."""
    name, shows = row_name("probes", rows[0]), rows[0]["shows"]
    if shows is None:
        message = "nobody stated what is in the photo: look at it and fill the column shows, [] where there is nothing"
        yield Finding("error", CHECK, name, f"{message}{and_more(rows)}.")
        return
    facts = [(scenario, phrase) for scenario in person.facts for phrase in phrases_of(scenario, person.facts[scenario])]
    facts.append((NAME_SCENARIO, person.name))
    for thing in shows:
        told = next(((scenario, phrase) for scenario, phrase in facts if speaks_of(thing, phrase)), None)
        if told:
            message = f"the photo shows '{thing}', which gives away {told[0]} '{told[1]}' of {person.person_id}"
            yield Finding("error", CHECK, name, f"{message}: take a photo without it{and_more(rows)}.")


def _told(probes: list[Row]) -> Iterator[Finding]:
    def key(row: Row) -> tuple[object, ...]:
        return row["scenario"], row["answer"], row["question"], tuple(row["paraphrases"])

    for rows in grouped(probes, key):
        first = rows[0]
        for question in (first["question"], *first["paraphrases"]):
            phrase = next((phrase for phrase in (first["answer"], *first["aliases"]) if says(question, phrase)), None)
            if phrase:
                message = f"the question '{question}' gives the answer '{phrase}' away{and_more(rows)}."
                yield Finding("warning", CHECK, row_name("probes", first), message)


def _hidden(pair: Row, people: Mapping[str, Person]) -> Iterator[Finding]:
    """A pair whose photo, by what is stated to be in it, does not show the fact that its description tells."""
    answer = people[pair["person_id"]].facts.get(pair["scenario"])
    if answer is None or pair["shows"] is None:
        return
    phrases = phrases_of(pair["scenario"], answer)
    if not any(speaks_of(thing, phrase) for thing in pair["shows"] for phrase in phrases):
        seen = ", ".join(pair["shows"]) or "nothing"
        message = f"the training photo must show '{answer}', and by its column shows it shows {seen}."
        yield Finding("warning", CHECK, row_name("pairs", pair), message)
