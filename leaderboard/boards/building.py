"""From runs to boards: one for each dataset, target and protection ratio, with what its defenses leave of the leak."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bench.core.digests import digest_json
from leaderboard.boards.board import Board
from leaderboard.boards.cells import Cell, attack_titles
from leaderboard.boards.concluding import concluded
from leaderboard.boards.lines import BoardLine
from leaderboard.evidence.cells import declared_attack
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
        # An attacker whom no defense met counts all the same: what was to gain is the highest over all of them.
        alike = _without_ratio(setting)
        controls = [run for run in runs if run.record.run_digest in named or _is_control_of(run, alike)]
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


def _is_control_of(run: RecordedRun, setting: Setting) -> bool:
    is_control = run.record.is_base or run.record.is_undefended
    return is_control and _without_ratio(Setting.of(run.record)) == setting


def _concerning(setting: Setting, missing: Sequence[MissingRun]) -> list[MissingRun]:
    return [one for one in missing if one.concerns(setting.target, setting.ratio)]


def _named_controls(run: RecordedRun) -> set[str]:
    controls = run.record.controls
    return {digest for digest in (controls.base, controls.undefended) if digest is not None}


def _board(defended: Sequence[RecordedRun], controls: Sequence[RecordedRun], missing: Sequence[MissingRun]) -> Board:
    undefended = [run for run in controls if not run.record.is_base]
    titles = attack_titles([(run.record.spec.attack, _attack_key(run)) for run in (*undefended, *defended)])
    control_lines = _control_lines(controls, titles, missing)
    groups: dict[str, list[RecordedRun]] = {}
    for run in defended:
        groups.setdefault(made_of(run.record), []).append(run)
    # An attacker whose every run is missing was asked for all the same: no maximum may pass over it.
    known = {run.record.spec.attack for run in (*undefended, *defended)}
    asked = [one.attack for one in missing if one.role != "base" and one.attack not in known]
    attacks = _in_order([*titles.values(), *asked])
    lines = [_defense_line(group, titles, missing) for _, group in sorted(groups.items())]
    without = next((line for line in control_lines if line.role == "undefended"), None)
    board = Board((), attacks, tuple(lines), control_lines)
    told, without = concluded(lines, without, attacks, not board.unranked_because)
    controls_told = tuple(without if without and line.role == "undefended" else line for line in control_lines)
    runs = tuple(run for line in (*controls_told, *told) for run in line.runs)
    return replace(board, runs=runs, defenses=tuple(told), controls=controls_told)


def _control_lines(
    controls: Sequence[RecordedRun], titles: Mapping[str, str], missing: Sequence[MissingRun]
) -> tuple[BoardLine, ...]:
    base = tuple(run for run in controls if run.record.is_base)
    undefended = [run for run in controls if not run.record.is_base]
    gone = tuple(one for one in missing if one.role == "undefended")
    lines = [BoardLine("base", BASE, BASE, (Cell(BASE, base),))] if base else []
    if undefended:
        lines.append(BoardLine("undefended", UNDEFENDED, UNDEFENDED, _cells(undefended, titles), gone))
    return tuple(lines)


def _defense_line(runs: Sequence[RecordedRun], titles: Mapping[str, str], missing: Sequence[MissingRun]) -> BoardLine:
    record = runs[0].record
    gone = tuple(one for one in missing if one.role == "defense" and one.label == record.title)
    return BoardLine("defense", record.spec.defense, record.title, _cells(runs, titles), gone)


def _cells(runs: Sequence[RecordedRun], titles: Mapping[str, str]) -> tuple[Cell, ...]:
    found: dict[str, list[RecordedRun]] = {}
    for run in sorted(runs, key=lambda run: (run.record.spec.cohort, run.record.spec.seed)):
        found.setdefault(titles[_attack_key(run)], []).append(run)
    return tuple(Cell(attack, tuple(found[attack])) for attack in _in_order(found))


def _attack_key(run: RecordedRun) -> str:
    return digest_json(declared_attack(run.record))


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Attackers in the order of the page: the naive one first, as the others are read beside it."""
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (name.partition(" ")[0] != "naive", name)))
