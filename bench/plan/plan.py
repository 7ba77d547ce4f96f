"""A suite's stages and runs, what of them the store has, and what must still be computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.core.store import ArtifactStore
from bench.stages.base import Stage
from bench.plan.suites import Suite
from leaderboard.schema import BASE

State = Literal["hit", "miss", "unneeded"]
"""``miss``: it will run. ``unneeded``: it is not in the store, but nothing that will run rests on it."""


@dataclass(frozen=True)
class Run:
    """One (dataset, defense, ratio, attack, target, seed). The base control has the attack ``base``.

    ``digest`` is what its record is named by. ``stages`` maps ``protect``, ``quality``, ``finetune``, ``answer``,
    ``score`` and ``record`` to names of stages; the base control lacks the first three.
    """

    defense: str
    attack: str
    target: str
    ratio: float
    seed: int
    digest: str
    stages: Mapping[str, str]

    @property
    def is_base(self) -> bool:
        """Whether nobody fine-tuned."""
        return self.attack == BASE


@dataclass(frozen=True)
class Plan:
    """Every stage by name, each after those it depends on, and every run.

    ``protections`` maps each defense to the name of its protect stage, in the order of the page.
    """

    suite: Suite
    stages: Mapping[str, Stage]
    runs: tuple[Run, ...]
    protections: Mapping[str, str]

    @property
    def goals(self) -> set[str]:
        """What is published in the end: records, the scored answers behind them, and protected photos."""
        return {run.stages[what] for run in self.runs for what in ("record", "score")} | set(self.protections.values())

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

    def missing(self, store: ArtifactStore) -> list[Stage]:
        """The stages that must run, each after those it depends on."""
        states = self.states(store)
        return [stage for name, stage in self.stages.items() if states[name] == "miss"]

    def keys(self) -> set[str]:
        """The keys of all stages: what a store must keep for this suite to be cached."""
        return {stage.key for stage in self.stages.values()}
