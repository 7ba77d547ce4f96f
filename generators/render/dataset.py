"""A whole rendered dataset: people with photos in every scenario, their held-out portraits, and strangers."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.files import write_whole
from bench.core.parallel import map_in_processes
from generators.base import BuildOrder
from generators.render.session import require_renderer, start_renderer
from scenarios.dataset import Dataset, build_dataset
from scenarios.pairs import Provenance
from scenarios.people import Person, fictitious_people
from scenarios.schema import load_scenarios

LOOK = "veilbench-render/2"
"""Raised with every change of what a photo looks like."""


@dataclass(frozen=True)
class RenderPlan:
    """How many people of which cast to render, and how; two plans with different groups share no face.

    ``photos`` is the number of photos a person and scenario, ``portraits`` of those that show only the person,
    ``size`` the side in pixels, ``samples`` the light paths a pixel. ``seed`` decides on names and facts, ``first`` is
    the index in the cast of the plan's first person and first stranger.
    """

    name: str
    people: int
    strangers: int
    photos: int
    portraits: int
    stranger_portraits: int
    people_group: str
    stranger_group: str
    seed: int
    first: int = 0
    size: int = 128
    samples: int = 12

    @property
    def provenance(self) -> Provenance:
        """Where the photos come from, told so that anybody can make them again."""
        return Provenance(
            source="rendered",
            generator=f"{LOOK} plan {self.name} seed {self.seed}",
            licence="CC0-1.0",
            consent="not needed: the people are fictitious and rendered",
        )


MINI = RenderPlan("veilbench-mini", 20, 20, 1, 4, 2, "evaluation", "stranger", 2032, first=2000)
DEVELOPMENT = RenderPlan("veilbench-development", 20, 20, 1, 4, 2, "development", "development-stranger", 2025)
"""Recipes and defenses are chosen on the development people, so that the evaluation people are touched once."""
FULL = RenderPlan("full", 100, 100, 4, 4, 2, "full", "full-stranger", 3010, size=224)
PLANS = {plan.name: plan for plan in (MINI, DEVELOPMENT, FULL)}


@dataclass(frozen=True)
class _Sitting:
    """All photos of one person, taken by one process, which paints a face only once."""

    person: Person
    index: int
    group: str
    photos: int
    portraits: int
    size: int
    samples: int
    folder: Path


@dataclass(frozen=True)
class _Task:
    photo_id: str
    scenario: str
    number: int


def planned_people(plan: RenderPlan) -> tuple[list[Person], list[Person]]:
    """The plan's people and strangers; no two share a first name."""
    people = fictitious_people(plan.people, plan.seed, "evaluation")
    taken = {person.first_name for person in people}
    return people, fictitious_people(plan.strangers, plan.seed + 1, "stranger", taken)


def render_dataset(plan: RenderPlan, order: BuildOrder) -> Dataset:
    """Render ``plan``, or its first ``order.limit`` people and strangers; equal plans give equal photos on one machine.

    Each finished photo waits in ``order.work``, so that a stopped build only renders what is missing.
    """
    require_renderer()
    sittings = list(_sittings(plan, order))
    total = sum(len(list(_tasks(sitting))) for sitting in sittings)
    order.work.mkdir(parents=True, exist_ok=True)
    done = 0
    taken = map_in_processes(_photograph, sittings, order.workers, start_renderer)
    for sitting, count in zip(sittings, taken, strict=True):
        done += count
        order.report(done, total, sitting.person.person_id)
    people = [_with_appearance(sitting) for sitting in sittings]
    rows = [{**_read(sitting, task), **asdict(plan.provenance)} for sitting in sittings for task in _tasks(sitting)]
    return build_dataset(plan.name, people, pd.DataFrame(rows))


def _sittings(plan: RenderPlan, order: BuildOrder) -> Iterator[_Sitting]:
    people, strangers = (group[: order.limit] for group in planned_people(plan))
    for index, person in enumerate(people, plan.first):
        yield _Sitting(
            person, index, plan.people_group, plan.photos, plan.portraits, plan.size, plan.samples, order.work
        )
    for index, person in enumerate(strangers, plan.first):
        yield _Sitting(
            person, index, plan.stranger_group, 0, plan.stranger_portraits, plan.size, plan.samples, order.work
        )


def _tasks(sitting: _Sitting) -> Iterator[_Task]:
    owner = sitting.person.person_id
    for photo in range(sitting.photos):
        for place, scenario in enumerate(load_scenarios()):
            suffix = f"-{photo}" if sitting.photos > 1 else ""
            yield _Task(f"{owner}-{scenario}{suffix}", scenario, 1000 * photo + place)
    for number in range(sitting.portraits):
        yield _Task(f"{owner}-portrait-{number}", "", 100 + number)


def _with_appearance(sitting: _Sitting) -> Person:
    from generators.render.cast import cast
    from generators.render.identity import appearance

    return replace(sitting.person, appearance=appearance(cast(sitting.group, sitting.index)))


def _photograph(sitting: _Sitting) -> int:
    """Take the person's photos that are not there yet; returns how many there are."""
    from generators.render.cast import cast, circle
    from generators.render.photo import Shot, take

    identity = cast(sitting.group, sitting.index)
    companions = circle(sitting.group, sitting.index, sitting.person.facts)
    tasks = list(_tasks(sitting))
    for task in tasks:
        file = sitting.folder / f"{task.photo_id}.json"
        if file.exists():
            continue
        answer = sitting.person.facts[task.scenario] if task.scenario else ""
        beside = companions.get(task.scenario, ())
        photo = take(Shot(identity, task.number, task.scenario, answer, beside), sitting.size, sitting.samples)
        told = {
            "face_box": list(photo.face_box),
            "visible": photo.visible,
            "shows": _shows(sitting.person, task, beside),
        }
        write_whole(file.with_suffix(".png"), photo.image)
        # The description is written last: where it stands, the photo is whole.
        write_whole(file, json.dumps(told).encode())
    return len(tasks)


def _shows(person: Person, task: _Task, beside: tuple[Any, ...]) -> list[str]:
    if not task.scenario:
        return []
    answer = person.facts[task.scenario]
    expected = len(load_scenarios()[task.scenario].option(answer).scene.companions)
    return [answer, person.facts["partner"]] if len(beside) > expected else [answer]


def _read(sitting: _Sitting, task: _Task) -> dict[str, Any]:
    file = sitting.folder / f"{task.photo_id}.json"
    return {
        "photo_id": task.photo_id,
        "person_id": sitting.person.person_id,
        "scenario": task.scenario,
        "image": file.with_suffix(".png").read_bytes(),
        "description": "",
        **json.loads(file.read_text(encoding="utf-8")),
    }
