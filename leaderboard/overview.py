"""Every defense on every target, side by side. Nothing is averaged over targets: each number stands for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from leaderboard.boards import Board, Entry
from leaderboard.figures import Figure
from leaderboard.schema import TRANSFER, WHITE_BOX, Access
from leaderboard.settings import model_titles


@dataclass(frozen=True)
class Column:
    """A target: the board that its numbers come from, and its name among the others."""

    board: Board
    title: str


@dataclass(frozen=True)
class Place:
    """A defense, or a control, on one target; ``entry`` is None where it was not tried."""

    column: Column
    entry: Entry | None

    @property
    def headline(self) -> Figure:
        """Normalised leakage under the worst attacker, or why there is none."""
        return Figure(None, refusal="not tried on this target") if self.entry is None else self.entry.headline


@dataclass(frozen=True)
class Line:
    """One defense, or one control, on every target."""

    places: tuple[Place, ...]

    @property
    def entry(self) -> Entry:
        """The line on some target, for what it shares on all of them."""
        return next(place.entry for place in self.places if place.entry is not None)

    @cached_property
    def worst(self) -> Place | None:
        """The target on which most of the leak remains; None where the number of any is missing."""
        values = [(place.headline.value, place) for place in self.places]
        known = [(value, place) for value, place in values if value is not None]
        return max(known, key=lambda one: one[0])[1] if len(known) == len(values) else None

    @property
    def highest(self) -> Figure:
        """Normalised leakage on that target, or why it is refused."""
        if self.worst is not None:
            return self.worst.headline
        reasons = [f"{one.column.title}: {one.headline.refusal}" for one in self.places if one.headline.value is None]
        return Figure(None, refusal="; ".join(reasons))

    @property
    def known(self) -> tuple[Place, ...]:
        """Targets that the defense optimised against."""
        return self._with(WHITE_BOX)

    @property
    def unseen(self) -> tuple[Place, ...]:
        """Targets that the defense never saw, though it optimised against another model."""
        return self._with(TRANSFER)

    def _with(self, access: Access) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.entry and place.entry.access == access)


@dataclass(frozen=True)
class Overview:
    """The defenses, best first by the target that speaks most against each, and the controls below."""

    columns: tuple[Column, ...]
    defenses: tuple[Line, ...]
    controls: tuple[Line, ...]
    title: str = ""
    anchor: str = ""

    @property
    def optimised(self) -> tuple[Line, ...]:
        """Defenses that optimised against some model."""
        return tuple(line for line in self.defenses if line.known or line.unseen)


def build_overviews(boards: Sequence[Board]) -> tuple[Overview, ...]:
    """One overview for each dataset and protection ratio that more than one target was tried on."""
    groups: dict[tuple[str, str, float], list[Board]] = {}
    for board in boards:
        groups.setdefault(board.setting.photos, []).append(board)
    several = [group for group in groups.values() if len(group) > 1]
    titles = [""] if len(several) == 1 else [f"{one[0].setting.dataset}, {_protected(one[0])}" for one in several]
    return tuple(
        _overview(group, title, "" if place == 0 else f"-{place + 1}")
        for place, (group, title) in enumerate(zip(several, titles, strict=True))
    )


def shared_facts(boards: Sequence[Board]) -> tuple[tuple[str, str], ...]:
    """Facts that are the same on every board, in the order of the first."""
    return tuple(fact for fact in boards[0].facts if all(fact in board.facts for board in boards))


def _overview(boards: Sequence[Board], title: str, anchor: str) -> Overview:
    names = model_titles([board.setting for board in boards])
    columns = tuple(Column(board, name) for board, name in zip(boards, names, strict=True))
    keys = dict.fromkeys(entry.key for board in boards for entry in board.defenses)
    lines = [_line(columns, [_defense(board, key) for board in boards]) for key in keys]
    lines.sort(key=lambda line: (_last_if_unknown(line.highest.value), line.entry.defense, line.entry.key))
    controls = [[board.base for board in boards], [board.undefended for board in boards]]
    return Overview(
        columns, tuple(lines), tuple(_line(columns, found) for found in controls if any(found)), title, anchor
    )


def _line(columns: Sequence[Column], entries: Sequence[Entry | None]) -> Line:
    return Line(tuple(Place(column, entry) for column, entry in zip(columns, entries, strict=True)))


def _defense(board: Board, key: str) -> Entry | None:
    return next((entry for entry in board.defenses if entry.key == key), None)


def _last_if_unknown(value: float | None) -> float:
    return float("inf") if value is None else value


def _protected(board: Board) -> str:
    return f"protection ratio {board.setting.ratio:g}"
