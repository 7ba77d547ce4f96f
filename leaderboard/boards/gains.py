"""What attackers gain on each person, put together from the answers of all runs of a board."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.core.statistics.headlines import AttackedLine
from bench.core.statistics.sums import Floats, Integers, PersonSums
from leaderboard.boards.cells import Cell
from leaderboard.runs import PersonGain, RecordedRun

Person = tuple[str, str]
"""Cohort and person id: an id in two cohorts is two people."""


@dataclass(frozen=True)
class People:
    """The people of a board in order, and the number of each one's cohort."""

    persons: tuple[Person, ...]

    @classmethod
    def of(cls, runs: Iterable[RecordedRun]) -> "People":
        """Everybody who was asked about in any of the runs."""
        return cls(tuple(sorted({(run.cohort, person) for run in runs for person in run.gains})))

    @cached_property
    def place(self) -> Mapping[Person, int]:
        """Where each one stands."""
        return {person: number for number, person in enumerate(self.persons)}

    @cached_property
    def cohort_of(self) -> Integers:
        """The number of each one's cohort."""
        cohorts = {cohort: number for number, cohort in enumerate(sorted({cohort for cohort, _ in self.persons}))}
        return np.array([cohorts[cohort] for cohort, _ in self.persons], dtype=np.int64)

    def sums(self, runs: Sequence[RecordedRun]) -> tuple[PersonSums, PersonSums]:
        """Excess and leakage over all runs of a cell: its cohorts and training seeds."""
        totals = np.zeros((3, len(self.persons)))
        for run in runs:
            for person, gain in run.gains.items():
                totals[:, self.place[run.cohort, person]] += _as_column(gain)
        excess, right, answers = totals
        return self._person_sums(excess, answers), self._person_sums(right, answers)

    def line(self, cells: Sequence[Cell]) -> AttackedLine:
        """Excess and leakage under the attacks of the cells, in their order."""
        sums = [self.sums(cell.runs) for cell in cells]
        return AttackedLine(tuple(excess for excess, _ in sums), tuple(leakage for _, leakage in sums))

    def _person_sums(self, sums: Floats, counts: Floats) -> PersonSums:
        return PersonSums(tuple(person for _, person in self.persons), self.cohort_of, sums, counts)


def _as_column(gain: PersonGain) -> Floats:
    return np.array([gain.excess, gain.right, gain.answers], dtype=np.float64)
