"""The options of a question about a fact, where the person's own answer is not one of the scenario's."""

import random
from collections.abc import Iterable, Sequence

from scenarios.people import Person
from scenarios.schema import Scenario, contains_phrase
from scenarios.spelling import parts, same_answer, singular, words

OPTIONS = 5


def answer_options(person: Person, scenario: Scenario, others: Sequence[Person]) -> tuple[str, ...]:
    """The scenario's answers; for a fact that is none of them, the fact and four others, sorted.

    The four are drawn from what is true of ``others`` of the person's cohort, for a model knows no other people; where
    these do not suffice, from the scenario's answers.
    The draw is seeded by the person's id. An answer that is right for the person as well, such as "house" for a
    "brick house", is not drawn, and of two spellings of one answer only one (``scenarios.spelling``); fewer than four
    remain only where too many are of that kind.
    """
    own = person.facts[scenario.id]
    if own in scenario.answers:
        return scenario.answers
    draw = random.Random(f"options {scenario.id} {person.person_id}")
    mates = [other for other in others if other.cohort == person.cohort]
    told = {mate.facts[scenario.id] for mate in mates if scenario.id in mate.facts}
    chosen: dict[tuple[str, ...], str] = {}
    for pool in (sorted(told), scenario.answers):
        free = [answer for answer in pool if not _means_the_same(scenario, own, answer)]
        for answer in draw.sample(free, len(free)):
            if len(chosen) < OPTIONS - 1:
                chosen.setdefault(parts(answer), answer)
    return tuple(sorted((own, *chosen.values())))


def _means_the_same(scenario: Scenario, own: str, answer: str) -> bool:
    aliases: Iterable[str] = scenario.aliases(answer) if answer in scenario.answers else ()
    return any(same_answer(own, phrase) or _holds(own, phrase) or _holds(phrase, own) for phrase in (answer, *aliases))


def _holds(text: str, phrase: str) -> bool:
    """Whether the words of ``phrase`` stand in ``text`` in a row, in whatever spelling."""
    spoken, wanted = (" ".join(map(singular, words(one))) for one in (text, phrase))
    return contains_phrase(text, phrase) or f" {wanted} " in f" {spoken} "
