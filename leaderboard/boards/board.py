"""A board: everything that can be compared, because it had the same photos, questions, target and protection ratio."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.core.statistics.sums import COHORTS_FOR_INTERVALS
from leaderboard.boards.cells import Cell
from leaderboard.boards.lines import BoardLine
from leaderboard.boards.ranks import unranked_because
from leaderboard.boards.wording import attackers_text
from leaderboard.figures import NOT_MEASURED, Figure
from leaderboard.runs import RecordedRun
from leaderboard.settings import Setting
from leaderboard.words import COLUMNS, METRICS, SCENARIOS

HEADLINE_METRICS = (("leakage", False), ("utility", False), ("ssim", True), ("psnr", True))
"""Metrics of the headline table, and whether they are about photos alone, whoever attacks."""


@dataclass(frozen=True)
class Refusal:
    """A number that the page does not give, and why."""

    metric: str
    of: str
    reason: str


@dataclass(frozen=True)
class Board:
    """The lines of one table. ``title`` tells it from the page's others, ``anchor`` ends the names of its places."""

    runs: tuple[RecordedRun, ...]
    attacks: tuple[str, ...]
    defenses: tuple[BoardLine, ...]
    controls: tuple[BoardLine, ...]
    title: str = ""
    anchor: str = ""

    @property
    def first(self) -> RecordedRun:
        """A run of this board, for what all its runs share; a defended one where there is one."""
        return (self.defenses or self.controls)[0].first

    @cached_property
    def setting(self) -> Setting:
        """What is equal in all its runs."""
        return Setting.of(self.first.record)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the board's numbers rest on, as names and values."""
        spec = self.first.record.spec
        family = [("Family", spec.target_family)] if spec.target_family else []
        return (
            ("Model", spec.target),
            *family,
            ("Photos", spec.dataset),
            ("People", str(self.n_persons)),
            *([("Cohorts", str(len(self.cohorts)))] if len(self.cohorts) > 1 else []),
            ("Questions on facts", str(self.n_probes)),
            ("Zero", self.zero().text or "–"),
            ("Photos protected", f"{100 * spec.ratio:g} %"),
            ("Training seeds", str(len(self.seeds))),
        )

    @property
    def lines(self) -> tuple[BoardLine, ...]:
        """Controls, then defenses in order of rank."""
        return self.controls + self.defenses

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """Scenarios with a leakage of their own, in the project's order, unknown ones last."""
        found = {m.scenario for run in self.runs for m in run.record.metrics if m.name == "leakage" and m.scenario}
        order = {scenario: place for place, scenario in enumerate(SCENARIOS)}
        return tuple(sorted(found, key=lambda scenario: (order.get(scenario, len(order)), scenario)))

    def zero(self, scenario: str | None = None) -> Figure:
        """Permutation chance: what the undefended model's choices would reach if facts were dealt by chance."""
        line = self.undefended or (self.defenses or self.controls)[0]
        zero = line.cells[0].figure("zero", scenario)
        return Figure(zero.value, refusal="no questions with options")

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Every training seed of a fine-tuned model."""
        return tuple(sorted({run.record.spec.seed for run in self._tuned}))

    @cached_property
    def cohorts(self) -> tuple[str, ...]:
        """Every cohort."""
        return tuple(sorted({run.record.spec.cohort for line in self.lines for run in line.runs}))

    @property
    def n_persons(self) -> int:
        """People whose facts were asked for."""
        return len({(run.cohort, person) for line in self.lines for run in line.runs for person in run.gains})

    @property
    def attackers(self) -> str:
        """How many attackers the highest of anything here was looked for among."""
        adaptive = {cell.attack for line in self.lines for cell in line.cells if cell.runs[0].record.spec.adaptive}
        return attackers_text(len(self.attacks), len(adaptive))

    @property
    def unranked_because(self) -> str:
        """Why defenses have no ranks here; empty where they have.

        What counts is what undefended was run on under every attacker, as every defense that is compared was, too.
        """
        cells = self.undefended.cells if self.undefended else ()
        shared = frozenset.intersection(*(cell.drawn for cell in cells)) if cells else frozenset()
        seeds: dict[str, int] = {}
        for cohort, _ in shared:
            seeds[cohort] = seeds.get(cohort, 0) + 1
        people = {(run.cohort, person) for cell in cells for run in cell.runs for person in run.gains}
        asked = sum(cohort in seeds for cohort, _ in people)
        return unranked_because(min(seeds.values(), default=0), asked, len(seeds))

    @property
    def uncovered(self) -> str:
        """What the intervals of this board say nothing about."""
        if len(self.cohorts) >= COHORTS_FOR_INTERVALS:
            return "Intervals are over cohorts: they cover other people and other training runs alike."
        seeds = f"{len(self.seeds)} training seeds" if len(self.seeds) > 1 else "one training seed"
        return (
            f"Intervals are over people. They do not cover how much other training runs would differ ({seeds}), "
            f"nor other groups of people trained together ({len(self.cohorts)} of {COHORTS_FOR_INTERVALS} cohorts)."
        )

    @property
    def _tuned(self) -> list[RecordedRun]:
        return [run for line in self.lines if line.role != "base" for run in line.runs]

    @property
    def n_probes(self) -> int:
        """Questions behind the leakage of the first run."""
        leakage = self.first.record.metric("leakage")
        return 0 if leakage is None else leakage.n_probes

    @property
    def undefended(self) -> BoardLine | None:
        """The control that was fine-tuned on photos as they are."""
        return next((line for line in self.controls if line.role == "undefended"), None)

    @property
    def base(self) -> BoardLine | None:
        """The control that nobody fine-tuned."""
        return next((line for line in self.controls if line.role == "base"), None)

    @property
    def best(self) -> BoardLine | None:
        """The defense whose headline is lowest."""
        return next((line for line in self.defenses if line.headline.value is not None), None)

    @property
    def shares_first_rank(self) -> tuple[BoardLine, ...]:
        """The other defenses that may hold the first rank."""
        return tuple(line for line in self.defenses[1:] if line.rank and line.rank[0] == 1)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why numbers of the headline table are missing, for readers who cannot hover."""
        headlines = [(line.title, line.headline.refusal) for line in self.defenses]
        found = [Refusal(COLUMNS["headline"].title, title, reason) for title, reason in headlines if reason]
        for name, about_photos in HEADLINE_METRICS:
            for line in self.lines:
                for cell in line.cells[:1] if about_photos else line.cells:
                    reason = cell.figure(name).refusal
                    if reason and reason != NOT_MEASURED:
                        of = line.title if about_photos else f"{line.title} against {cell.attack}"
                        found.append(Refusal(METRICS[name].title, of, reason))
        return tuple(found)


@dataclass(frozen=True)
class ListedRun:
    """One run in the list of all runs, with its places on a board."""

    board: Board
    line: BoardLine
    cell: Cell
    run: RecordedRun


def listed_runs(boards: Sequence[Board]) -> tuple[ListedRun, ...]:
    """Every run of the boards, once: a control may serve several."""
    found: dict[str, ListedRun] = {}
    for board in boards:
        for line in board.lines:
            for cell in line.cells:
                for run in cell.runs:
                    found.setdefault(run.record.run_digest, ListedRun(board, line, cell, run))
    return tuple(found.values())
