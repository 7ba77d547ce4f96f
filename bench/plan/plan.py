"""A suite's stages and runs, what of them the store has, and what must still be computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.core.store import ArtifactStore
from bench.plan.suite import Suite
from bench.stages.base import Stage
from leaderboard.schema import BASE, UNDEFENDED

State = Literal["hit", "miss", "unneeded"]
"""``miss``: it will run. ``unneeded``: it is not in the store, but nothing that will run rests on it."""


@dataclass(frozen=True)
class PlannedRun:
    """One (dataset, defense, ratio, attack, target, cohort, seed). The base control has the attack ``base``.

    ``cohort`` is empty where all people of the dataset are trained together. ``label`` is the defense's name in the
    suite. ``digest`` is what its record is named by, ``controls`` holds the digests of the runs that it is read
    against. ``stages`` maps ``protect``, ``quality``, ``finetune``, ``answer``, ``score`` and ``record`` to names of
    stages; the base control lacks the first three.
    """

    label: str
    defense: str
    attack: str
    target: str
    cohort: str
    ratio: float
    seed: int
    digest: str
    controls: tuple[str, ...]
    stages: Mapping[str, str]

    @property
    def is_base(self) -> bool:
        """Whether nobody fine-tuned."""
        return self.attack == BASE

    @property
    def is_undefended(self) -> bool:
        """Whether it was fine-tuned on the photos as they are."""
        return self.defense == UNDEFENDED and not self.is_base


@dataclass(frozen=True)
class Plan:
    """Every stage by name, each after those it depends on, and every run.

    ``protections`` maps each defense's label, in the order of the page, to its protect stage of each cohort.
    ``limit`` is None unless it leaves people out. ``code_sources`` maps the code digests in the stages' inputs to the
    modules behind them.
    """

    suite: Suite
    stages: Mapping[str, Stage]
    runs: tuple[PlannedRun, ...]
    protections: Mapping[str, Mapping[str, str]]
    limit: int | None = None
    code_sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def goals(self) -> set[str]:
        """What is published in the end: records, the scored answers behind them, and protected photos."""
        protected = {name for of_cohorts in self.protections.values() for name in of_cohorts.values()}
        return {run.stages[what] for run in self.runs for what in ("record", "score")} | protected

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The cohorts that are trained on, each apart from the others; only the empty one for a dataset without."""
        return tuple(dict.fromkeys(run.cohort for run in self.runs))

    @property
    def first_leak(self) -> PlannedRun | None:
        """The run that first shows whether anything leaks: undefended, under the first attack, on the first target."""
        return next((run for run in self.runs if run.is_undefended), None)

    def behind(self, name: str) -> set[str]:
        """The names of a stage and of all that it rests on."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            stage = waiting.pop()
            if stage not in found:
                found.add(stage)
                waiting += self.stages[stage].depends_on
        return found

    def states(self, store: ArtifactStore) -> dict[str, State]:
        """What the store has of each stage, and what must run: goals that it lacks, and what those rest on."""
        wanted = self.goals
        states: dict[str, State] = {}
        for name, stage in reversed(list(self.stages.items())):
            if store.find(stage.kind, stage.key) is not None:
                states[name] = "hit"
            elif name in wanted:
                states[name] = "miss"
                wanted |= set(stage.depends_on)
            else:
                states[name] = "unneeded"
        return {name: states[name] for name in self.stages}

    def missing(self, states: Mapping[str, State]) -> list[Stage]:
        """The stages that must run, each after those it depends on."""
        return [stage for name, stage in self.stages.items() if states[name] == "miss"]

    def keys(self) -> set[str]:
        """The keys of all stages: what a store must keep for this suite to be cached."""
        return {stage.key for stage in self.stages.values()}
