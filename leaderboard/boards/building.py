"""From runs to boards: one for each dataset, target and protection ratio, its defenses ranked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from leaderboard.boards.board import Board
from leaderboard.boards.differences import compare_to_undefended
from leaderboard.boards.lines import BoardLine, Cell
from leaderboard.boards.ranks import rank_defenses
from leaderboard.missing import MissingRun
from leaderboard.runs import RecordedRun
from leaderboard.schema import BASE, UNDEFENDED
from leaderboard.settings import Setting, board_titles, made_of


def build_boards(runs: Sequence[RecordedRun], missing: Sequence[MissingRun] = ()) -> tuple[Board, ...]:
    """Boards in the order of dataset, target and ratio; each with the controls that its runs name.

    Controls of photos and a target that no defense met have a board of their own: still worth reading. A line that
    lacks any of its runs (``missing``) has no headline and no rank.
    """
    by_digest = {run.record.run_digest: run for run in runs}
    boards = {}
    for setting, defended in _by_setting(runs).items():
        named = {digest for run in defended for digest in _named_controls(run)}
        named |= {digest for key in named for digest in _named_controls(by_digest[key])}
        controls = [run for run in runs if run.record.run_digest in named]
        boards[setting] = _board(defended, controls, _concerning(setting, missing))
    for setting, controls in _controls_alone(runs).items():
        boards[setting] = _board((), controls, _concerning(setting, missing))
    return _titled([boards[setting] for setting in sorted(boards)])


def _by_setting(runs: Sequence[RecordedRun]) -> dict[Setting, list[RecordedRun]]:
    """Defended runs by their setting."""
    groups: dict[Setting, list[RecordedRun]] = {}
    for run in runs:
        if not (run.record.is_base or run.record.is_undefended):
            groups.setdefault(Setting.of(run.record), []).append(run)
    return groups


def _controls_alone(runs: Sequence[RecordedRun]) -> dict[Setting, list[RecordedRun]]:
    """Controls of photos and a target that no defense met."""
    met = {_without_ratio(setting) for setting in _by_setting(runs)}
    alone: dict[Setting, list[RecordedRun]] = {}
    for run in runs:
        setting = _without_ratio(Setting.of(run.record))
        if setting not in met:
            alone.setdefault(setting, []).append(run)
    return alone


def _titled(boards: Sequence[Board]) -> tuple[Board, ...]:
    titles = board_titles([board.setting for board in boards])
    anchors = ["", *(f"-{place}" for place in range(2, len(boards) + 1))]
    return tuple(
        replace(board, title=title, anchor=anchor) for board, title, anchor in zip(boards, titles, anchors, strict=True)
    )


def _without_ratio(setting: Setting) -> Setting:
    return replace(setting, ratio=1.0)


def _concerning(setting: Setting, missing: Sequence[MissingRun]) -> list[MissingRun]:
    return [one for one in missing if one.concerns(setting.target, setting.ratio)]


def _named_controls(run: RecordedRun) -> set[str]:
    controls = run.record.controls
    return {digest for digest in (controls.base, controls.undefended) if digest is not None}


def _board(defended: Sequence[RecordedRun], controls: Sequence[RecordedRun], missing: Sequence[MissingRun]) -> Board:
    control_lines = _control_lines(controls, missing)
    undefended = [run for run in controls if not run.record.is_base]
    groups: dict[str, list[RecordedRun]] = {}
    for run in defended:
        groups.setdefault(made_of(run.record), []).append(run)
    # An attacker whose every run is missing was asked for all the same: no worst case may pass over it.
    asked = [one.attack for one in missing if one.role != "base"]
    attacks = _attacks([*(run.record.spec.attack for run in (*undefended, *defended)), *asked])
    lines = [_defense_line(group, attacks, missing) for _, group in sorted(groups.items())]
    ranked = _ranked(lines, {run.record.run_digest: run for run in (*controls, *defended)})
    runs = tuple(run for line in (*control_lines, *ranked) for cell in line.cells for run in cell.runs)
    return Board(runs, attacks, tuple(ranked), control_lines)


def _control_lines(controls: Sequence[RecordedRun], missing: Sequence[MissingRun]) -> tuple[BoardLine, ...]:
    base = tuple(run for run in controls if run.record.is_base)
    undefended = [run for run in controls if not run.record.is_base]
    gone = tuple(one for one in missing if one.role == "undefended")
    lines = [BoardLine("base", BASE, BASE, (Cell(BASE, base),))] if base else []
    lines += [BoardLine("undefended", UNDEFENDED, UNDEFENDED, _cells(undefended), missing=gone)] if undefended else []
    return tuple(lines)


def _defense_line(runs: Sequence[RecordedRun], attacks: tuple[str, ...], missing: Sequence[MissingRun]) -> BoardLine:
    record = runs[0].record
    gone = tuple(one for one in missing if one.role == "defense" and one.label == record.title)
    return BoardLine("defense", record.spec.defense, record.title, _cells(runs), attacks, gone)


def _ranked(lines: Sequence[BoardLine], by_digest: Mapping[str, RecordedRun]) -> list[BoardLine]:
    """Best first; a defense whose worst case is refused has no rank and stands last."""
    worst = {str(place): cell.runs for place, line in enumerate(lines) if (cell := line.worst) is not None}
    means = {key: value for key in worst if (value := lines[int(key)].headline.value) is not None}
    metrics = {digest: run.record.metric("leakage") for digest, run in by_digest.items()}
    leakages = {digest: one.value for digest, one in metrics.items() if one is not None and one.value is not None}
    ranks = rank_defenses(means, worst, leakages)
    comparisons = compare_to_undefended(worst, by_digest)
    ranked = [
        replace(line, rank=ranks.get(str(place)), comparison=comparisons.get(str(place)))
        for place, line in enumerate(lines)
    ]
    order = sorted(range(len(ranked)), key=lambda place: (means.get(str(place), float("inf")), ranked[place].label))
    return [ranked[place] for place in order]


def _cells(runs: Sequence[RecordedRun]) -> tuple[Cell, ...]:
    attacks = _attacks(run.record.spec.attack for run in runs)
    return tuple(Cell(attack, tuple(run for run in runs if run.record.spec.attack == attack)) for attack in attacks)


def _attacks(names: Iterable[str]) -> tuple[str, ...]:
    """Attackers in the order of the page: the naive one first, as the others are read beside it."""
    return tuple(sorted(set(names), key=lambda name: (name != "naive", name)))
