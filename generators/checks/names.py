"""Whether two people share a name, within a dataset and between two."""

from collections.abc import Iterable, Sequence

from generators.checks.finding import CheckReport, Finding
from generators.checks.text import words
from scenarios.people import Person
from scenarios.writing import invisible

CHECK = "overlap"


def check_names(people: Sequence[Person]) -> CheckReport:
    """People with one full name (an error across roles, else a warning) or one first name (a warning).

    A character in a name that nobody sees is a warning, too. A first name counts as an answer to who somebody is, so
    two people who share it are taken for each other.
    """
    findings: list[Finding] = []
    full: dict[tuple[str, ...], Person] = {}
    first: dict[tuple[str, ...], Person] = {}
    for person in people:
        same_name = full.setdefault(words(person.name), person)
        same_first = first.setdefault(words(person.first_name), person)
        row = f"people {person.person_id}"
        hidden = invisible(person.name)
        if hidden is not None:
            findings.append(Finding("warning", CHECK, row, f"the name '{person.name}' holds {hidden}: take it out."))
        if same_name is not person:
            across = "" if same_name.role == person.role else f", who is of role {same_name.role}"
            message = f"'{person.name}' is also the name of {same_name.person_id}{across}: are they one person?"
            findings.append(Finding("error" if across else "warning", CHECK, row, message))
        elif same_first is not person:
            message = f"the first name '{person.first_name}' is also that of {same_first.person_id}."
            findings.append(Finding("warning", CHECK, row, message))
    return CheckReport(tuple(findings))


def check_names_against(people: Sequence[Person], others: Iterable[Person], other_name: str) -> CheckReport:
    """People whose full name stands in another dataset, too: each a warning, for fictitious names may repeat."""
    known = {words(other.name): other for other in others}
    findings = []
    for person in people:
        other = known.get(words(person.name))
        if other is not None:
            message = f"'{person.name}' is also the name of {other.person_id} in {other_name}: are they one person?"
            findings.append(Finding("warning", CHECK, f"people {person.person_id}", message))
    return CheckReport(tuple(findings), {f"names_shared_with {other_name}": len(findings)})
