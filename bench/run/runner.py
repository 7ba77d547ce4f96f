"""Running a suite: plan it, compute what the store lacks, publish records and page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.progress import ProgressDisplay
from bench.core.store import ArtifactStore
from bench.run.datasets import effective_limit, open_dataset
from bench.run.estimates import expected_seconds, finish_seconds
from bench.run.ingredients import gather_ingredients
from bench.run.plan import Plan
from bench.run.planner import build_plan
from bench.run.publish import Publication, publish
from bench.run.specs import Stage
from bench.run.suites import Suite
from scenarios.dataset import check_images


@dataclass(frozen=True)
class Outcome:
    """What a run of a suite gave: its plan, what was published, and the names of the stages it computed."""

    plan: Plan
    publication: Publication
    computed: frozenset[str]


def plan_suite(suite: Suite, limit: int | None) -> Plan:
    """The plan of a suite for the first ``limit`` people. Raises as ``gather_ingredients``."""
    return build_plan(suite, gather_ingredients(suite, limit))


def default_output(store: ArtifactStore, suite: Suite, limit: int | None, seed: int | None) -> Path:
    """Where records and page go unless somebody says: a folder of its own for each suite, limit and seed."""
    parts = [suite.name]
    parts += [] if limit is None else [f"limit-{limit}"]
    parts += [] if seed is None else [f"seed-{seed}"]
    return store.root / "site" / "-".join(parts)


def run_suite(suite: Suite, limit: int | None, store: ArtifactStore, output: Path, workers: int | None) -> Outcome:
    """Compute and publish a suite; progress goes to standard error. Nothing is computed that the store has.

    Raises DataError naming the photo where one cannot be decoded, before anything is computed; otherwise as
    ``plan_suite`` and ``LocalExecutor.run``.
    """
    plan = plan_suite(suite, limit)
    dataset = open_dataset(suite.dataset, effective_limit(suite.dataset, limit))
    with store.in_use(), ProgressDisplay() as display:
        missing = plan.missing(store)
        if missing:
            check_images(dataset)
            compute(missing, store, workers, display)
        else:
            display.say(f"suite {suite.name}: all {len(plan.stages)} stages are in {store.root}")
        publication = publish(plan, store, dataset, output)
    return Outcome(plan, publication, frozenset(stage.name for stage in missing))


def compute(stages: Sequence[Stage], store: ArtifactStore, workers: int | None, display: ProgressDisplay) -> None:
    """Compute stages in worker processes of this machine; ``workers`` None takes what suits the device."""
    from bench.run.devices import detect_device
    from bench.run.executors import LocalExecutor, default_workers

    number = workers or default_workers(detect_device())
    seconds = expected_seconds(stages, store)
    least = finish_seconds(stages, seconds, number)
    on = "1 worker" if number == 1 else f"{number} workers"
    display.say(f"{len(stages)} stages to compute on {on}, about {max(1, round(least / 60))} min")
    LocalExecutor(number).run(stages, store, seconds, display.task)
