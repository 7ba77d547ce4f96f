"""A line of a board: one defense, or one control, under every attacker."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leaderboard.boards.cells import Cell
from leaderboard.boards.differences import Comparison
from leaderboard.boards.wording import defense_name
from leaderboard.figures import NOT_MEASURED, Figure, seconds_text
from leaderboard.missing import MissingRun
from leaderboard.runs import RecordedRun
from leaderboard.schema import Access, Role
from leaderboard.settings import made_of


@dataclass(frozen=True)
class Conclusion:
    """What the answers of a line say beside the other lines of its board.

    ``headline`` is the highest excess over attackers by the highest undefended one, or why it is refused; ``attack`` is
    the attacker that reaches the highest leakage above zero, empty where not all were tried. ``bound`` is the one-sided
    95 % upper bound of the headline, ``remaining`` what the defense leaves of each attacker's own gain (a diagnostic).
    """

    headline: Figure
    attack: str = ""
    bound: float | None = None
    nothing_leaks: bool = False
    remaining: Mapping[str, Figure] = field(default_factory=dict)
    comparison: Comparison | None = None
    rank: tuple[int, int] | None = None


@dataclass(frozen=True)
class BoardLine:
    """A line of the headline table. ``defense`` is the registered name, ``label`` what the suite calls it.

    ``missing`` holds the runs that this line should rest on and does not.
    """

    role: Role
    defense: str
    label: str
    cells: tuple[Cell, ...]
    missing: tuple[MissingRun, ...] = ()
    conclusion: Conclusion = Conclusion(Figure(None, refusal=NOT_MEASURED))

    @property
    def first(self) -> RecordedRun:
        """A run of this line, for what all its runs share."""
        return self.cells[0].runs[0]

    @property
    def runs(self) -> tuple[RecordedRun, ...]:
        """All runs of this line."""
        return tuple(run for cell in self.cells for run in cell.runs)

    def cell(self, attack: str) -> Cell | None:
        """The cell under that attacker, where it was tried."""
        return next((cell for cell in self.cells if cell.attack == attack), None)

    def reasons(self, attack: str) -> list[str]:
        """Why there is nothing under that attacker; empty where there is something."""
        # Of two recipes under one name, a missing run does not say which it would have had.
        missing = [one.sentence for one in self.missing if one.attack in (attack, attack.partition(" ")[0])]
        return missing or ([] if self.cell(attack) else ["not tried"])

    @property
    def strongest(self) -> Cell | None:
        """The cell of the attacker that gains most; None where not every attacker was tried."""
        return self.cell(self.conclusion.attack)

    @property
    def headline(self) -> Figure:
        """Part of the leak that remains under the strongest attacker, or why it is refused."""
        return self.conclusion.headline

    @property
    def rank(self) -> tuple[int, int] | None:
        """The range of ranks, where the board is ranked."""
        return self.conclusion.rank

    @property
    def comparison(self) -> Comparison | None:
        """The difference to undefended."""
        return self.conclusion.comparison

    @property
    def key(self) -> str:
        """What the defense was made of: equal for the same defense on another target."""
        return made_of(self.first.record)

    @property
    def access(self) -> Access | None:
        """Whether the defense optimised against the attacked model itself; None where against none at all."""
        return self.first.record.spec.access

    @property
    def most_leakage(self) -> Cell | None:
        """The cell with the highest leakage; None where any attacker's, or any run, is missing."""
        values = [(cell.figure("leakage").value, cell) for cell in self.cells]
        known = [(value, cell) for value, cell in values if value is not None]
        return max(known, key=lambda one: one[0])[1] if len(known) == len(values) and not self.missing else None

    @property
    def lowest_utility(self) -> Figure:
        """Utility under the attacker where it is lowest: the one that speaks against the defense."""
        if self.role == "defense" and self.strongest is None:
            return Figure(None, refusal="not every attacker was tried")
        figures = [cell.figure("utility") for cell in self.cells]
        return min(figures, key=lambda one: float("-inf") if one.value is None else one.value)

    @property
    def seconds(self) -> Figure:
        """Seconds to protect one photo."""
        known = [run.seconds_per_photo for run in self.runs if run.seconds_per_photo is not None]
        return seconds_text(known[0] if known else None)

    @property
    def title(self) -> str:
        """The line's name in running text."""
        return {"base": "Base", "undefended": "Undefended"}.get(self.role, defense_name(self.label, self.defense))
