"""A cell of a board: the runs of one defense under one attacker, told apart by cohort and training seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from leaderboard.figures import Figure, figure_of
from leaderboard.measuring import measured_metrics
from leaderboard.runs import RecordedRun
from leaderboard.schema import Measurement


@dataclass(frozen=True)
class Cell:
    """Runs that differ in nothing but cohort and training seed. ``attack`` is the attacker's title on the board."""

    attack: str
    runs: tuple[RecordedRun, ...]

    @property
    def drawn(self) -> frozenset[tuple[str, int]]:
        """Cohort and training seed of each run."""
        return frozenset((run.cohort, run.record.spec.seed) for run in self.runs)

    def figure(self, name: str, scenario: str | None = None) -> Figure:
        """A metric over all of these runs: one mean with one interval, not a range of several."""
        if len(self.runs) == 1:
            return figure_of(self.runs[0].record.metric(name, scenario))
        return figure_of(self._pooled.get((name, scenario)))

    @cached_property
    def _pooled(self) -> Mapping[tuple[str, str | None], Measurement]:
        """The metrics of all values together: people (or cohorts) are the unit, their training seeds are averaged."""
        first = self.runs[0]
        values = pd.concat([run.values.assign(cohort=run.cohort) for run in self.runs], ignore_index=True)
        spec = first.record.spec
        measured = measured_metrics(values, first.definitions, spec.attack, spec.seed)
        return {(one.name, one.scenario): one for one in measured}


def attack_titles(declared: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Key of each attack as declared -> its title: the name, with a piece of the key where two share one."""
    keys: dict[str, set[str]] = {}
    for name, key in declared:
        keys.setdefault(name, set()).add(key)
    return {key: name if len(keys[name]) == 1 else f"{name} {key[:8]}" for name, key in declared}
