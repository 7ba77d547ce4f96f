"""The options of a question about a fact, where the person's own answer is not one of the scenario's."""

import random
from collections.abc import Iterable, Sequence

from scenarios.people import Person
from scenarios.schema import Scenario, contains_phrase

OPTIONS = 5


def answer_options(person: Person, scenario: Scenario, others: Sequence[Person]) -> tuple[str, ...]:
    """The scenario's answers; for a fact that is none of them, the fact and four others, sorted.

    The four are drawn from what is true of ``others``, and where these do not suffice, from the scenario's answers.
    The draw is seeded by the person's id. An answer that is right for the person as well, such as "house" for a
    "brick house", is not drawn; fewer than four remain only where too many are of that kind.
    """
    own = person.facts[scenario.id]
    if own in scenario.answers:
        return scenario.answers
    draw = random.Random(f"options {scenario.id} {person.person_id}")
    told = {other.facts[scenario.id] for other in others if scenario.id in other.facts}
    chosen: dict[str, str] = {}
    for pool in (sorted(told), scenario.answers):
        free = [answer for answer in pool if not _means_the_same(scenario, own, answer)]
        for answer in draw.sample(free, len(free)):
            if len(chosen) < OPTIONS - 1:
                chosen.setdefault(answer.casefold(), answer)
    return tuple(sorted((own, *chosen.values())))


def _means_the_same(scenario: Scenario, own: str, answer: str) -> bool:
    aliases: Iterable[str] = scenario.aliases(answer) if answer in scenario.answers else ()
    return any(contains_phrase(own, phrase) or contains_phrase(phrase, own) for phrase in (answer, *aliases))
