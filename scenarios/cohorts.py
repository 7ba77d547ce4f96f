"""Cohorts: people who are trained together, and apart from all others."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from scenarios.people import Person

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
FILE_NAME_RULE = "cannot stand in a file name: use letters, digits, '-', '_' and '.', first a letter or digit"
LONGEST_NAME = 80


def cohort_names(people: Iterable[Person]) -> tuple[str, ...]:
    """The cohorts of those who are trained on, sorted; only the empty one where nobody names any."""
    return tuple(sorted({person.cohort for person in people if person.role == "evaluation"})) or ("",)


def in_cohorts(person: Person, cohorts: Collection[str]) -> bool:
    """Whether somebody belongs to one of the cohorts, or serves all: who is not trained on and names no cohort."""
    return person.cohort in cohorts or (person.role != "evaluation" and not person.cohort)


def first_of_each(people: Iterable[Person], count: int) -> list[Person]:
    """The first ``count`` people of each role and cohort, in the order in which they come."""
    met: defaultdict[tuple[str, str], int] = defaultdict(int)
    kept = []
    for person in people:
        met[person.role, person.cohort] += 1
        if met[person.role, person.cohort] <= count:
            kept.append(person)
    return kept


def cohort_problem(role: str, cohort: str, known: Collection[str]) -> str | None:
    """What is wrong with a person's cohort, or None. ``known`` holds those that people who are trained on name."""
    if cohort and not FILE_NAME.fullmatch(cohort):
        return f"'{cohort}' {FILE_NAME_RULE}"
    if len(cohort) > LONGEST_NAME:
        return f"'{cohort}' is longer than {LONGEST_NAME} characters"
    named = sorted(name for name in known if name)
    if role == "evaluation" and named and not cohort:
        return f"is empty, and others who are trained on have one ({', '.join(named)}): name one for each, or for none"
    if role == "stranger" and cohort and cohort not in known:
        return f"'{cohort}' is that of nobody who is trained on; known are {', '.join(named) or 'none'}"
    return None
