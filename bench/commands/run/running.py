"""Running a suite: plan it, compute what the store lacks, publish records and page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.commands.options import refuse_among_artifacts
from bench.commands.run.narration import Narrator
from bench.core.device import detect_device
from bench.core.digests import digest_json, short
from bench.core.disk import at_home
from bench.core.errors import VeilBenchError
from bench.core.progress import ProgressDisplay
from bench.core.store import ArtifactStore
from bench.execute.base import StageFailure
from bench.execute.engines import Backend, check_engines, compute_in_order
from bench.execute.local import LocalExecutor, default_workers
from bench.plan.estimates import expected_seconds, finish_seconds
from bench.plan.fit import check_fit
from bench.plan.ingredients import gather_ingredients
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.plan.suite import Suite
from bench.publish.records import Publication, publish
from bench.stages.base import EngineAccess, Stage
from bench.stages.code import keep_sources
from bench.stages.datasets import open_dataset
from leaderboard.site import page_folder
from scenarios.dataset import check_images


@dataclass(frozen=True)
class RunOrder:
    """What was asked for. ``limit`` keeps the first people of each cohort.

    ``output`` None is a folder of the run's own in the store. With ``keep_going`` a failed stage costs what rests on it
    and nothing else.
    """

    suite: Suite
    store: ArtifactStore
    output: Path | None = None
    limit: int | None = None
    backend: Backend = field(default_factory=Backend)
    workers: int | None = None
    keep_going: bool = False

    @property
    def destination(self) -> Path:
        """Where records and page go."""
        chosen = self.output or default_output(self.store, self.suite, self.limit, self.backend.name)
        return at_home(chosen)


@dataclass(frozen=True)
class Outcome:
    """What a run of a suite gave: its plan, what was published, and the names of the stages it computed or lost."""

    plan: Plan
    publication: Publication
    computed: frozenset[str]
    failures: tuple[StageFailure, ...] = ()


def plan_suite(suite: Suite, limit: int | None, backend: str = "transformers") -> Plan:
    """The plan of a suite for the first ``limit`` people of each cohort.

    Raises as ``gather_ingredients``, and UsageError where the dataset does not fit a defense or a target.
    """
    ingredients = gather_ingredients(suite, limit)
    check_fit(suite, ingredients.cohorts, backend)
    return build_plan(suite, ingredients, backend)


def default_output(store: ArtifactStore, suite: Suite, limit: int | None, backend: str = "transformers") -> Path:
    """A folder of its own for each suite, limit, seed, change and backend."""
    parts = [suite.name]
    parts += [] if limit is None else [f"limit-{limit}"]
    parts += [] if suite.seed_given is None else [f"seed-{suite.seed_given}"]
    parts += [f"set-{short(digest_json(suite.changes))}"] if suite.changes else []
    parts += [] if backend == "transformers" else [backend]
    return store.root / "site" / "-".join(parts)


def run_suite(order: RunOrder) -> Outcome:
    """Compute and publish a suite; progress goes to standard error. Nothing is computed that the store has.

    Before anything is computed, raises DataError naming the photo where one cannot be decoded, VeilBenchError where the
    store must be added to and cannot be, UsageError as ``page_folder``, and what ``check_engines`` raises; otherwise as
    ``plan_suite`` and ``LocalExecutor.run``.
    """
    suite, store = order.suite, order.store
    plan = plan_suite(suite, order.limit, order.backend.name)
    dataset = open_dataset(suite.dataset, plan.limit).of_cohorts(plan.cohorts)
    failures: list[StageFailure] = []
    with store.in_use(), ProgressDisplay() as display:
        missing = plan.missing(plan.states(store))
        if missing:
            store.check_writable({stage.kind for stage in missing})
            refuse_among_artifacts(page_folder(order.destination), store)
            _check_engines(missing, order, display)
            check_images(dataset)
            keep_sources(store, plan.code_sources)
            failures = _compute_missing(missing, order, Narrator(plan, store, dataset, display))
        else:
            display.say(f"suite {suite.name}: all {len(plan.stages)} stages are in {store.root}")
        publication = publish(plan, store, dataset, order.destination, failures)
    lost = {failure.stage for failure in failures}
    computed = frozenset(stage.name for stage in missing if stage.name not in lost)
    return Outcome(plan, publication, computed, tuple(failures))


def _check_engines(missing: Sequence[Stage], order: RunOrder, display: ProgressDisplay) -> None:
    try:
        check_engines(missing, order.backend)
    except VeilBenchError as error:
        if not order.keep_going:
            raise
        display.say(str(error))


def _compute_missing(missing: Sequence[Stage], order: RunOrder, narrator: Narrator) -> list[StageFailure]:
    number = order.workers or default_workers(detect_device())
    narrator.begin(missing, finish_seconds(missing, expected_seconds(missing, order.store), number), number)
    return compute_in_order(
        missing, order.backend, order.store, number, _computing(order, number, narrator), keep_going=order.keep_going
    )


def _computing(
    order: RunOrder, number: int, narrator: Narrator
) -> Callable[[Sequence[Stage], EngineAccess | None], list[StageFailure]]:
    """What computes stages in ``number`` worker processes of this machine."""

    def compute(stages: Sequence[Stage], engine: EngineAccess | None) -> list[StageFailure]:
        executor = LocalExecutor(number, engine, keep_going=order.keep_going)
        seconds = expected_seconds(stages, order.store)
        return executor.run(stages, order.store, seconds, narrator, narrator.first)

    return compute
