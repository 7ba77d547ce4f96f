"""Who a run's answers are about, against the dataset's people."""

import json

import pandas as pd

from leaderboard.evidence.faults import Fault
from scenarios.schema import NAME_SCENARIO

TRAINED_ROLE = "evaluation"
ABOUT_TRAINED = frozenset({"held_out", "member"})
"""Kinds of questions about people who were trained on."""


def of_cohort(people: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Those who concern a cohort: its own people and strangers, and strangers to all cohorts."""
    own = people["cohort"] == cohort
    serves_all = (people["role"] != TRAINED_ROLE) & (people["cohort"] == "")
    return people[own | serves_all].reset_index(drop=True)


def people_fault(rows: pd.DataFrame, people: pd.DataFrame, cohort: str) -> Fault | None:
    """Where a row is about somebody unknown, somebody of another cohort, or no fact of that person's."""
    repeated = people["person_id"].duplicated()
    if repeated.any():
        return Fault("people", f"'{people.loc[repeated, 'person_id'].iloc[0]}' is there twice")
    everybody = set(people["person_id"])
    own = of_cohort(people, cohort).set_index("person_id")
    for person in dict.fromkeys(rows["person_id"].tolist()):
        if person not in everybody:
            return Fault("rows.person_id", f"'{person}' is none of the people of the dataset")
        if person not in own.index:
            whose = people.loc[people["person_id"] == person, "cohort"].iloc[0]
            return Fault("rows.person_id", f"'{person}' is of cohort '{whose}', and the run of cohort '{cohort}'")
    return _facts_fault(rows, own)


def _facts_fault(rows: pd.DataFrame, people: pd.DataFrame) -> Fault | None:
    asked = rows[rows["kind"].isin(ABOUT_TRAINED)]
    columns = (asked[name].tolist() for name in ("person_id", "scenario", "answer"))
    roles, names, texts = (people[column].to_dict() for column in ("role", "name", "facts"))
    facts: dict[str, dict[str, str]] = {}
    for person, scenario, answer in dict.fromkeys(zip(*columns, strict=True)):
        if roles[person] != TRAINED_ROLE:
            return Fault("rows.kind", f"'{person}' is a {roles[person]}, on whom nothing was trained")
        if person not in facts:
            try:
                facts[person] = {**json.loads(texts[person]), NAME_SCENARIO: names[person]}
            except (ValueError, TypeError) as error:
                return Fault("people.facts", f"those of '{person}' are no JSON object ({error})")
        fact = facts[person].get(scenario)
        if answer != fact:
            known = "nothing" if fact is None else f"'{fact}'"
            return Fault("rows.answer", f"'{person}', {scenario}: the rows have '{answer}', and the people {known}")
    return None
