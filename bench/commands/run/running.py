"""Running a suite: plan it, compute what the store lacks, publish records and page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.progress import ProgressDisplay
from bench.core.store import ArtifactStore
from bench.stages.datasets import effective_limit, open_dataset
from bench.execute.engines import Backend, compute_in_order
from bench.plan.estimates import expected_seconds, finish_seconds
from bench.plan.ingredients import gather_ingredients
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.publish.records import Publication, publish
from bench.stages.base import EngineAccess, Stage
from bench.plan.suites import Suite
from scenarios.dataset import check_images


@dataclass(frozen=True)
class Outcome:
    """What a run of a suite gave: its plan, what was published, and the names of the stages it computed."""

    plan: Plan
    publication: Publication
    computed: frozenset[str]


def plan_suite(suite: Suite, limit: int | None, backend: str = "transformers") -> Plan:
    """The plan of a suite for the first ``limit`` people. Raises as ``gather_ingredients``."""
    return build_plan(suite, gather_ingredients(suite, limit), backend)


def default_output(
    store: ArtifactStore, suite: Suite, limit: int | None, seed: int | None, backend: str = "transformers"
) -> Path:
    """Where records and page go unless somebody says: a folder of its own for each suite, limit, seed and backend."""
    parts = [suite.name]
    parts += [] if limit is None else [f"limit-{limit}"]
    parts += [] if seed is None else [f"seed-{seed}"]
    parts += [] if backend == "transformers" else [backend]
    return store.root / "site" / "-".join(parts)


def run_suite(
    suite: Suite, limit: int | None, store: ArtifactStore, output: Path, workers: int | None, backend: Backend
) -> Outcome:
    """Compute and publish a suite; progress goes to standard error. Nothing is computed that the store has.

    Raises DataError naming the photo where one cannot be decoded, before anything is computed; otherwise as
    ``plan_suite`` and ``LocalExecutor.run``.
    """
    plan = plan_suite(suite, limit, backend.name)
    dataset = open_dataset(suite.dataset, effective_limit(suite.dataset, limit))
    with store.in_use(), ProgressDisplay() as display:
        missing = plan.missing(store)
        if missing:
            check_images(dataset)
            _compute_missing(missing, store, workers, backend, display)
        else:
            display.say(f"suite {suite.name}: all {len(plan.stages)} stages are in {store.root}")
        publication = publish(plan, store, dataset, output)
    return Outcome(plan, publication, frozenset(stage.name for stage in missing))


def _compute_missing(
    missing: Sequence[Stage], store: ArtifactStore, workers: int | None, backend: Backend, display: ProgressDisplay
) -> None:
    from bench.core.device import detect_device
    from bench.execute.local import default_workers

    number = workers or default_workers(detect_device())
    compute_in_order(
        missing, backend, store, number, lambda stages, engine: compute(stages, store, number, display, engine)
    )


def compute(
    stages: Sequence[Stage],
    store: ArtifactStore,
    number: int,
    display: ProgressDisplay,
    engine: EngineAccess | None = None,
) -> None:
    """Compute stages in ``number`` worker processes of this machine."""
    from bench.execute.local import LocalExecutor

    if not stages:
        return
    seconds = expected_seconds(stages, store)
    least = finish_seconds(stages, seconds, number)
    on = "1 worker" if number == 1 else f"{number} workers"
    display.say(f"{len(stages)} stages to compute on {on}, about {max(1, round(least / 60))} min")
    LocalExecutor(number, engine).run(stages, store, seconds, display.task)
