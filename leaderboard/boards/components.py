"""Variance components of a folder of records: what decides how many people, cohorts and seeds a study needs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from bench.core.errors import DataError
from bench.core.statistics.power import VarianceComponents
from leaderboard.boards.board import Board
from leaderboard.boards.cells import Cell
from leaderboard.runs import RecordedRun

Excess = Mapping[tuple[str, int], Mapping[str, float]]
"""(cohort, seed) -> person -> mean excess, of one cell."""


class _Estimates(NamedTuple):
    people: float
    cohorts: float | None
    runs: float | None
    line_correlation: float


def estimate_components(boards: Sequence[Board]) -> VarianceComponents:
    """Averages over all pairs of defenses (undefended included) of every board, and over their attacks.

    Raises DataError where no board has two lines under one attack on at least three people.
    """
    pairs = [_estimates(one, other) for board in boards for one, other in _pairs_of_lines(board)]
    if not pairs:
        raise DataError("the records hold no two defenses under one attack on at least three people: nothing to learn.")
    across = [one for board in boards for one in _attack_correlations(board)]
    return VarianceComponents(
        people=float(np.mean([one.people for one in pairs])),
        cohorts=_mean_of_known([one.cohorts for one in pairs]),
        runs=_mean_of_known([one.runs for one in pairs]),
        attack_correlation=float(np.mean(across)) if across else 0.0,
        line_correlation=float(np.mean([one.line_correlation for one in pairs])),
    )


def _pairs_of_lines(board: Board) -> Iterator[tuple[Excess, Excess]]:
    lines = [line for line in board.lines if line.role != "base"]
    for one, other in combinations(lines, 2):
        for cell in one.cells:
            twin = other.cell(cell.attack)
            if twin is not None:
                yield from _comparable(_excess(cell), _excess(twin))


def _attack_correlations(board: Board) -> Iterator[float]:
    """Of people's excess under two attacks of one line, within a run."""
    for line in board.lines:
        for one, other in combinations(line.cells, 2):
            for first, second in _comparable(_excess(one), _excess(other)):
                yield from _correlations(first, second)


def _comparable(first: Excess, second: Excess) -> Iterator[tuple[Excess, Excess]]:
    """Both, cut to the runs that they share, where some of these have three people."""
    shared = [run for run in first if run in second and len(first[run].keys() & second[run].keys()) > 2]
    if shared:
        yield {run: first[run] for run in shared}, {run: second[run] for run in shared}


def _estimates(first: Excess, second: Excess) -> _Estimates:
    """By the method of moments on people's differences: array (people, seeds) a cohort."""
    cohorts: dict[str, list[np.ndarray]] = {}
    for run in sorted(first):
        people = sorted(first[run].keys() & second[run].keys())
        differences = np.array([first[run][one] - second[run][one] for one in people])
        cohorts.setdefault(run[0], []).append(differences)
    tables = [np.stack(own, axis=1) for own in cohorts.values() if len({len(one) for one in own}) == 1]
    between_people = float(np.mean([table.mean(axis=1).var(ddof=1) for table in tables]))
    runs = _between_runs(tables)
    means = np.array([table.mean() for table in tables])
    between = None
    if len(tables) > 1:
        explained = np.mean([between_people / len(table) + (runs or 0.0) / table.shape[1] for table in tables])
        between = max(0.0, float(means.var(ddof=1) - explained))
    correlation = list(_correlations(first, second))
    return _Estimates(between_people, between, runs, float(np.mean(correlation)) if correlation else 0.0)


def _between_runs(tables: Sequence[np.ndarray]) -> float | None:
    """The variance of a run's mean over training seeds, beyond what its people's own changes explain."""
    several = [table for table in tables if table.shape[1] > 1]
    if not several:
        return None
    found = [
        table.mean(axis=0).var(ddof=1) - (table - table.mean(axis=0)).var(axis=1, ddof=1).mean() / len(table)
        for table in several
    ]
    return max(0.0, float(np.mean(found)))


def _correlations(first: Excess, second: Excess) -> Iterator[float]:
    for run, own in first.items():
        people = sorted(own.keys() & second[run].keys())
        one, other = np.array([own[p] for p in people]), np.array([second[run][p] for p in people])
        if one.std() > 0 and other.std() > 0:
            yield float(np.corrcoef(one, other)[0, 1])


def _excess(cell: Cell) -> Excess:
    return {(run.cohort, run.record.spec.seed): _person_excess(run) for run in cell.runs}


def _person_excess(run: RecordedRun) -> dict[str, float]:
    return {person: gain.excess / gain.answers for person, gain in run.gains.items() if gain.answers}


def _mean_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
