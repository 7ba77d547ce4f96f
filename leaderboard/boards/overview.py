"""Every defense on every target, side by side. Nothing is averaged over targets: each number stands for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from leaderboard.boards.board import Board
from leaderboard.boards.lines import BoardLine
from leaderboard.figures import Figure
from leaderboard.missing import MissingRun
from leaderboard.schema import TRANSFER, WHITE_BOX, Access
from leaderboard.settings import model_titles


@dataclass(frozen=True)
class Column:
    """A target: the board that its numbers come from, and its name among the others."""

    board: Board
    title: str


@dataclass(frozen=True)
class Place:
    """A defense, or a control, on one target; ``line`` is None where it was not tried or none of its runs is left."""

    column: Column
    line: BoardLine | None
    missing: tuple[MissingRun, ...] = ()

    @property
    def headline(self) -> Figure:
        """What remains of the leak under the strongest attacker, or why there is no number."""
        if self.line is not None:
            return self.line.headline
        return Figure(None, refusal=self.missing[0].sentence if self.missing else "not tried on this target")


@dataclass(frozen=True)
class OverviewLine:
    """One defense, or one control, on every target. ``elsewhere`` are missing runs on targets without a board."""

    places: tuple[Place, ...]
    elsewhere: tuple[MissingRun, ...] = ()

    @property
    def shared(self) -> BoardLine:
        """The line on some target, for what it shares on all of them."""
        return next(place.line for place in self.places if place.line is not None)

    @cached_property
    def most_left(self) -> Place | None:
        """The target on which most of the leak remains; None where the number of any is missing."""
        values = [(place.headline.value, place) for place in self.places]
        known = [(value, place) for value, place in values if value is not None]
        return max(known, key=lambda one: one[0])[1] if len(known) == len(values) and not self.elsewhere else None

    @property
    def highest(self) -> Figure:
        """What remains on that target, or why it is refused."""
        if self.most_left is not None:
            return self.most_left.headline
        reasons = [f"{one.column.title}: {one.headline.refusal}" for one in self.places if one.headline.value is None]
        reasons += [f"{one.target}: {one.sentence}" for one in self.elsewhere]
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
        return tuple(place for place in self.places if place.line and place.line.access == access)


@dataclass(frozen=True)
class Overview:
    """The defenses, best first by the target that speaks most against each, and the controls below."""

    columns: tuple[Column, ...]
    defenses: tuple[OverviewLine, ...]
    controls: tuple[OverviewLine, ...]
    title: str = ""
    anchor: str = ""

    @property
    def optimised(self) -> tuple[OverviewLine, ...]:
        """Defenses that optimised against some model."""
        return tuple(line for line in self.defenses if line.known or line.unseen)


def build_overviews(boards: Sequence[Board], missing: Sequence[MissingRun] = ()) -> tuple[Overview, ...]:
    """One overview for each dataset and protection ratio that more than one target was tried on."""
    groups: dict[tuple[str, str, float], list[Board]] = {}
    for board in boards:
        groups.setdefault(board.setting.photos, []).append(board)
    several = [group for group in groups.values() if len(group) > 1]
    titles = [""] if len(several) == 1 else [f"{one[0].setting.dataset}, {_protected(one[0])}" for one in several]
    return tuple(
        _overview(group, missing, title, "" if place == 0 else f"-{place + 1}")
        for place, (group, title) in enumerate(zip(several, titles, strict=True))
    )


def shared_facts(boards: Sequence[Board]) -> tuple[tuple[str, str], ...]:
    """Facts that are the same on every board, in the order of the first."""
    return tuple(fact for fact in boards[0].facts if all(fact in board.facts for board in boards))


def _overview(boards: Sequence[Board], missing: Sequence[MissingRun], title: str, anchor: str) -> Overview:
    names = model_titles([board.setting for board in boards])
    columns = tuple(Column(board, name) for board, name in zip(boards, names, strict=True))
    keys = dict.fromkeys(line.key for board in boards for line in board.defenses)
    lines = [_defense(columns, key, missing) for key in keys]
    lines.sort(key=lambda line: (_last_if_unknown(line.highest.value), line.shared.label, line.shared.key))
    controls = [[board.base for board in boards], [board.undefended for board in boards]]
    placed = [_places(columns, found) for found in controls if any(found)]
    return Overview(columns, tuple(lines), tuple(OverviewLine(places) for places in placed), title, anchor)


def _defense(columns: Sequence[Column], key: str, missing: Sequence[MissingRun]) -> OverviewLine:
    """A defense on every target, with the runs of it that are missing at this protection ratio."""
    lines = [next((line for line in column.board.defenses if line.key == key), None) for column in columns]
    label = next(line.label for line in lines if line is not None)
    ratio = columns[0].board.setting.ratio
    gone = [one for one in missing if one.role == "defense" and (one.label, one.ratio) == (label, ratio)]
    shown = {column.board.setting.target for column in columns}
    return OverviewLine(_places(columns, lines, gone), tuple(one for one in gone if one.target not in shown))


def _places(
    columns: Sequence[Column], lines: Sequence[BoardLine | None], missing: Sequence[MissingRun] = ()
) -> tuple[Place, ...]:
    return tuple(
        Place(column, line, tuple(one for one in missing if one.target == column.board.setting.target))
        for column, line in zip(columns, lines, strict=True)
    )


def _last_if_unknown(value: float | None) -> float:
    return float("inf") if value is None else value


def _protected(board: Board) -> str:
    return f"protection ratio {board.setting.ratio:g}"
