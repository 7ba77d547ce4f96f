"""Variance components: those that records were drawn with are found again."""

from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import DataError
from leaderboard.boards.board import Board
from leaderboard.boards.building import build_boards
from leaderboard.boards.cells import Cell
from leaderboard.boards.components import estimate_components
from leaderboard.boards.lines import BoardLine
from leaderboard.runs import PersonGain, load_runs


class Drawn:
    """Stands for a recorded run: what was gained on each person, and in which cohort and with which seed."""

    def __init__(self, cohort: str, seed: int, excess: np.ndarray) -> None:
        self.cohort = cohort
        self.gains = {f"{cohort}-{number}": PersonGain(value * 28, 0.0, 28) for number, value in enumerate(excess)}
        self.record = type("Record", (), {"spec": type("Spec", (), {"seed": seed})})


def drawn_board(people: float, cohorts: float, runs: float, cohort_count: int = 600, seeds: int = 3) -> Board:
    """Two defenses whose differences have these variances between people, cohorts and runs."""
    generator = np.random.default_rng(0)
    cells: list[list[Drawn]] = [[], []]
    for cohort in range(cohort_count):
        own = generator.normal(0, np.sqrt(people), 30) + generator.normal(0, np.sqrt(cohorts))
        for seed in range(seeds):
            shift = generator.normal(0, np.sqrt(runs))
            cells[0].append(Drawn(f"c{cohort}", seed, own + shift))
            cells[1].append(Drawn(f"c{cohort}", seed, np.zeros(30)))
    lines = [
        BoardLine("defense", name, name, (Cell("naive", tuple(cell)),))  # type: ignore[arg-type]
        for name, cell in zip("ab", cells, strict=True)
    ]
    return Board((), ("naive",), tuple(lines), ())


def test_the_variances_of_the_draw_are_found_again() -> None:
    found = estimate_components([drawn_board(people=0.04, cohorts=0.01, runs=0.002)])
    assert found.people == pytest.approx(0.04, rel=0.1)
    assert found.cohorts == pytest.approx(0.01, rel=0.2)
    assert found.runs == pytest.approx(0.002, rel=0.3)


def test_what_one_cohort_and_one_seed_cannot_tell_is_unknown() -> None:
    found = estimate_components([drawn_board(0.04, 0.0, 0.0, cohort_count=1, seeds=1)])
    assert found.cohorts is None and found.runs is None and found.people == pytest.approx(0.04, rel=0.5)
    seeded = estimate_components([drawn_board(0.04, 0.0, 0.0, cohort_count=1, seeds=4)])
    assert seeded.runs == pytest.approx(0, abs=1e-3)


def test_the_examples_records_tell_people_and_correlations(records_folder: Path) -> None:
    found = estimate_components(build_boards(load_runs(records_folder)))
    assert 0.01 < found.people < 0.1 and found.cohorts is None and found.runs is None
    assert -0.5 < found.attack_correlation < 0.9 and -0.5 < found.line_correlation < 0.9


def test_controls_alone_teach_nothing() -> None:
    with pytest.raises(DataError, match="no two defenses"):
        estimate_components([])
