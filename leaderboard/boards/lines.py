"""A line of a board: one defense, or one control, under every attacker."""

from dataclasses import dataclass
from functools import cached_property

from leaderboard.boards.differences import Comparison
from leaderboard.boards.wording import defense_name
from leaderboard.figures import Figure, figure, seconds_text
from leaderboard.missing import MissingRun
from leaderboard.runs import RecordedRun
from leaderboard.schema import Access, Role
from leaderboard.settings import made_of


@dataclass(frozen=True)
class Cell:
    """The runs of one defense under one attacker, one run a training seed."""

    attack: str
    runs: tuple[RecordedRun, ...]

    def figure(self, name: str, scenario: str | None = None) -> Figure:
        """A metric of these runs."""
        return figure([run.record.metric(name, scenario) for run in self.runs])


@dataclass(frozen=True)
class BoardLine:
    """A line of the headline table. ``defense`` is the registered name, ``label`` what the suite calls it.

    ``attacks`` names all attackers of the board, so that a defense which met only some of them is told. ``missing``
    holds the runs that this line should rest on and does not.
    """

    role: Role
    defense: str
    label: str
    cells: tuple[Cell, ...]
    attacks: tuple[str, ...] = ()
    missing: tuple[MissingRun, ...] = ()
    rank: tuple[int, int] | None = None
    comparison: Comparison | None = None

    @property
    def first(self) -> RecordedRun:
        """A run of this line, for what all its runs share."""
        return self.cells[0].runs[0]

    def cell(self, attack: str) -> Cell | None:
        """The cell under that attacker, where it was tried."""
        return next((cell for cell in self.cells if cell.attack == attack), None)

    @cached_property
    def worst(self) -> Cell | None:
        """The cell with the highest normalised leakage; None where any attacker's number, or any run, is missing.

        A worst case over the attackers that happen to have a number would be no worst case.
        """
        values = {cell.attack: cell.figure("normalised").value for cell in self.cells}
        known = {attack: value for attack, value in values.items() if value is not None}
        if self.missing or not known or not known.keys() >= {*values, *self.attacks}:
            return None
        return self.cell(max(known, key=lambda attack: known[attack]))

    @property
    def headline(self) -> Figure:
        """Normalised leakage in the worst case, or why it is refused."""
        if self.worst is not None:
            return self.worst.figure("normalised")
        attacks = dict.fromkeys((*self.attacks, *(cell.attack for cell in self.cells)))
        reasons = [f"against {attack}: {reason}" for attack in attacks for reason in self._reasons(attack)]
        return Figure(None, refusal="; ".join(reasons))

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
        figures = [cell.figure("utility") for cell in self.cells]
        return min(figures, key=lambda one: float("inf") if one.value is None else one.value)

    @property
    def seconds(self) -> Figure:
        """Seconds to protect one photo."""
        known = [run.seconds_per_photo for cell in self.cells for run in cell.runs if run.seconds_per_photo is not None]
        return seconds_text(known[0] if known else None)

    @property
    def title(self) -> str:
        """The line's name in running text."""
        return {"base": "Base", "undefended": "Undefended"}.get(self.role, defense_name(self.label, self.defense))

    def _reasons(self, attack: str) -> list[str]:
        """Why there is no number under that attacker; empty where there is one."""
        missing = [one.sentence for one in self.missing if one.attack == attack]
        cell = self.cell(attack)
        if missing or cell is None:
            return missing or ["not tried"]
        number = cell.figure("normalised")
        return [str(number.refusal)] if number.value is None else []
