"""A whole rendered dataset: people with one photo a scenario, their held-out portraits, and strangers."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from generators.base import ReportProgress
from generators.render.cast import cast
from generators.render.identity import Identity
from generators.render.photo import Shot, companions_in, take
from generators.render.things import shape_shown
from scenarios.dataset import Dataset, build_dataset
from scenarios.pairs import Provenance
from scenarios.people import Person, fictitious_people
from scenarios.schema import load_scenarios

PROVENANCE = Provenance(
    source="rendered",
    generator="veilbench-render/1",
    licence="CC0-1.0",
    consent="not needed: the people are fictitious and rendered",
)


@dataclass(frozen=True)
class RenderPlan:
    """How many people of which cast to render; two plans with different groups share no face.

    ``first`` is the index in the cast of the plan's first person and first stranger.
    """

    name: str
    people: int
    strangers: int
    portraits: int
    stranger_portraits: int
    people_group: str
    stranger_group: str
    seed: int
    first: int = 0


MINI = RenderPlan("veilbench-mini", 20, 20, 4, 2, "evaluation", "stranger", 2030, first=1000)
DEVELOPMENT = RenderPlan("veilbench-development", 20, 20, 4, 2, "development", "development-stranger", 2025)
"""Recipes and defenses are chosen on the development people, so that the evaluation people are touched once."""
PLANS = {plan.name: plan for plan in (MINI, DEVELOPMENT)}


@dataclass(frozen=True)
class _Task:
    person: Person
    index: int
    group: str
    scenario: str
    number: int

    @property
    def photo_id(self) -> str:
        return f"{self.person.person_id}-{self.scenario or f'portrait-{self.number}'}"


def planned_people(plan: RenderPlan) -> tuple[list[Person], list[Person]]:
    """The plan's people and strangers; no two share a first name."""
    people = fictitious_people(plan.people, plan.seed, "evaluation")
    taken = {person.first_name for person in people}
    return people, fictitious_people(plan.strangers, plan.seed + 1, "stranger", taken)


def render_dataset(plan: RenderPlan, limit: int | None, workers: int, report: ReportProgress) -> Dataset:
    """Render ``plan``, or its first ``limit`` people and strangers; equal plans give equal photos on one machine."""
    from generators.render.session import start_renderer

    people, strangers = (group[:limit] for group in planned_people(plan))
    tasks = list(_tasks(plan, people, strangers))
    rows = []
    with multiprocessing.get_context("spawn").Pool(workers, start_renderer) as pool:
        for row in pool.imap(_render, tasks):
            rows.append(row)
            report(len(rows), len(tasks), row["photo_id"])
    return build_dataset(plan.name, [*people, *strangers], pd.DataFrame(rows), PROVENANCE)


def _tasks(plan: RenderPlan, people: list[Person], strangers: list[Person]) -> Iterator[_Task]:
    for index, person in enumerate(people, plan.first):
        for number, scenario in enumerate(load_scenarios()):
            yield _Task(person, index, plan.people_group, scenario, number)
        for number in range(plan.portraits):
            yield _Task(person, index, plan.people_group, "", 100 + number)
    for index, person in enumerate(strangers, plan.first):
        for number in range(plan.stranger_portraits):
            yield _Task(person, index, plan.stranger_group, "", 100 + number)


def _render(task: _Task) -> dict[str, Any]:
    photo = take(
        Shot(
            identity=cast(task.group, task.index),
            seed=task.number,
            scenario=task.scenario,
            shape=shape_shown(task.person, task.scenario),
            companions=_companions(task),
        )
    )
    return {
        "photo_id": task.photo_id,
        "person_id": task.person.person_id,
        "scenario": task.scenario,
        "image": photo.image,
        "face_box": list(photo.face_box),
        "visible": photo.visible,
    }


def _companions(task: _Task) -> tuple[Identity, ...]:
    offset = 500_000 if task.group == "development" else 600_000
    # A person's partner and friends are the same rendered people in every photo of that person.
    first = {"partner": 0, "friends": 1}.get(task.scenario, 0)
    count = companions_in(task.scenario)
    return tuple(cast("companion", offset + 10 * task.index + first + k) for k in range(count))
