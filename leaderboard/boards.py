"""From runs to the tables of the page: one board for each dataset, target and protection ratio."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from leaderboard.differences import Comparison, compare_to_undefended
from leaderboard.figures import NOT_MEASURED, Figure, figure, seconds_text
from leaderboard.ranks import rank_defenses
from leaderboard.runs import Run
from leaderboard.schema import BASE, UNDEFENDED, Access
from leaderboard.settings import Setting, board_titles
from leaderboard.words import COLUMNS, METRICS, SCENARIOS

HEADLINE_METRICS = (("normalised", False), ("leakage", False), ("utility", False), ("ssim", True), ("psnr", True))
"""Metrics of the headline table, and whether they are about photos alone, whoever attacks."""


@dataclass(frozen=True)
class Cell:
    """The runs of one defense under one attacker, one run a training seed."""

    attack: str
    runs: tuple[Run, ...]

    def figure(self, name: str, scenario: str | None = None) -> Figure:
        """A metric of these runs."""
        return figure([run.record.metric(name, scenario) for run in self.runs])


@dataclass(frozen=True)
class Entry:
    """A line of the headline table: a defense, or a control, under every attacker.

    ``attacks`` names all attackers of the board, so that a defense which met only some of them is told.
    """

    role: str
    defense: str
    cells: tuple[Cell, ...]
    attacks: tuple[str, ...] = ()
    rank: tuple[int, int] | None = None
    comparison: Comparison | None = None

    @property
    def first(self) -> Run:
        """A run of this line, for what all its runs share."""
        return self.cells[0].runs[0]

    def cell(self, attack: str) -> Cell | None:
        """The cell under that attacker, where it was tried."""
        return next((cell for cell in self.cells if cell.attack == attack), None)

    @cached_property
    def worst(self) -> Cell | None:
        """The cell with the highest normalised leakage; None where any attacker's number is missing.

        A worst case over the attackers that happen to have a number would be no worst case.
        """
        values = {cell.attack: cell.figure("normalised").value for cell in self.cells}
        known = {attack: value for attack, value in values.items() if value is not None}
        if not known or not known.keys() >= {*values, *self.attacks}:
            return None
        return self.cell(max(known, key=lambda attack: known[attack]))

    @property
    def headline(self) -> Figure:
        """Normalised leakage in the worst case, or why it is refused."""
        if self.worst is not None:
            return self.worst.figure("normalised")
        reasons = []
        for attack in dict.fromkeys((*self.attacks, *(cell.attack for cell in self.cells))):
            cell = self.cell(attack)
            one = cell.figure("normalised") if cell else Figure(None, refusal="not tried")
            reasons += [f"against {attack}: {one.refusal}"] if one.value is None else []
        return Figure(None, refusal="; ".join(reasons))

    @property
    def key(self) -> str:
        """What the defense was made of: equal for the same defense on another target."""
        return _made(self.first)

    @property
    def access(self) -> Access | None:
        """Whether the defense optimised against the attacked model itself; None where against none at all."""
        return self.first.record.spec.access

    @property
    def most_leakage(self) -> Cell | None:
        """The cell with the highest leakage; None where any attacker's is missing."""
        values = [(cell.figure("leakage").value, cell) for cell in self.cells]
        known = [(value, cell) for value, cell in values if value is not None]
        return max(known, key=lambda one: one[0])[1] if len(known) == len(values) else None

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
        return {"base": "Base", "undefended": "Undefended"}.get(self.role, self.defense)

    @property
    def rank_text(self) -> str:
        """One rank, or the range of those that the defense may hold."""
        if self.rank is None:
            return ""
        best, last = self.rank
        return str(best) if best == last else f"{best}\N{EN DASH}{last}"

    @property
    def options_text(self) -> str:
        """The defense's options and budget in one line."""
        spec = self.first.record.spec
        if self.role != "defense":
            return ""
        budget = "held to no budget" if spec.visible else f"{norm_text(spec.budget_norm)} {spec.budget_eps:g}/255"
        options = [f"{key} {_brief(value)}" for key, value in sorted(spec.defense_options.items())]
        surrogates = ", ".join(one.checkpoint for one in spec.surrogates)
        return " · ".join([budget, *options, *([f"optimised against {surrogates}"] if surrogates else [])])


@dataclass(frozen=True)
class Refusal:
    """A number that the page does not give, and why."""

    metric: str
    of: str
    reason: str


@dataclass(frozen=True)
class Board:
    """Everything that can be compared: the same photos, questions, target and protection ratio.

    ``title`` tells it from the page's other boards, ``anchor`` ends the names of its places on the page.
    """

    runs: tuple[Run, ...]
    attacks: tuple[str, ...]
    defenses: tuple[Entry, ...]
    controls: tuple[Entry, ...]
    title: str = ""
    anchor: str = ""

    @property
    def first(self) -> Run:
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
            ("Questions on facts", str(self.n_probes)),
            ("Chance", self.chance().text or "–"),
            ("Photos protected", f"{100 * spec.ratio:g} %"),
            ("Training seeds", str(len(self.seeds))),
        )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Controls, then defenses in order of rank."""
        return self.controls + self.defenses

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """Scenarios with a leakage of their own, in the project's order, unknown ones last."""
        found = {m.scenario for run in self.runs for m in run.record.metrics if m.name == "leakage" and m.scenario}
        order = {scenario: place for place, scenario in enumerate(SCENARIOS)}
        return tuple(sorted(found, key=lambda scenario: (order.get(scenario, len(order)), scenario)))

    def chance(self, scenario: str | None = None) -> Figure:
        """What guessing would reach."""
        return Figure(self.first.chance(scenario), refusal="no questions with options")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every training seed in the metrics."""
        return tuple(sorted({seed for run in self.runs for metric in run.record.metrics for seed in metric.seeds}))

    @property
    def n_persons(self) -> int:
        """Persons behind the leakage of the first run."""
        return self._leakage_count("n_persons")

    @property
    def n_probes(self) -> int:
        """Questions behind the leakage of the first run."""
        return self._leakage_count("n_probes")

    @property
    def undefended(self) -> Entry | None:
        """The control that was fine-tuned on photos as they are."""
        return next((entry for entry in self.controls if entry.role == "undefended"), None)

    @property
    def base(self) -> Entry | None:
        """The control that nobody fine-tuned."""
        return next((entry for entry in self.controls if entry.role == "base"), None)

    @property
    def best(self) -> Entry | None:
        """The defense whose worst case is lowest."""
        return next((entry for entry in self.defenses if entry.rank is not None), None)

    @property
    def shares_first_rank(self) -> tuple[str, ...]:
        """The other defenses that may hold the first rank."""
        return tuple(entry.defense for entry in self.defenses[1:] if entry.rank and entry.rank[0] == 1)

    @property
    def refusals(self) -> tuple["Refusal", ...]:
        """Why numbers of the headline table are missing, for readers who cannot hover."""
        headlines = [(entry.title, entry.headline.refusal) for entry in self.defenses]
        found = [Refusal(COLUMNS["worst"].title, title, reason) for title, reason in headlines if reason]
        for name, about_photos in HEADLINE_METRICS:
            for entry in self.entries:
                for cell in entry.cells[:1] if about_photos else entry.cells:
                    reason = cell.figure(name).refusal
                    if reason and reason != NOT_MEASURED:
                        of = entry.title if about_photos else f"{entry.title} against {cell.attack}"
                        found.append(Refusal(METRICS[name].title, of, reason))
        return tuple(found)

    def _leakage_count(self, field: str) -> int:
        metric = self.first.record.metric("leakage")
        return 0 if metric is None else getattr(metric, field)


def build_boards(runs: Sequence[Run]) -> tuple[Board, ...]:
    """Boards in the order of dataset, target and ratio; each with the controls that its runs name.

    Controls of photos and a target that no defense met have a board of their own: still worth reading.
    """
    by_digest = {run.record.run_digest: run for run in runs}
    groups: dict[Setting, list[Run]] = {}
    for run in runs:
        if not (run.record.is_base or run.record.is_undefended):
            groups.setdefault(Setting.of(run.record), []).append(run)
    met = {_without_ratio(setting) for setting in groups}
    alone: dict[Setting, list[Run]] = {}
    for run in runs:
        setting = _without_ratio(Setting.of(run.record))
        if setting not in met:
            alone.setdefault(setting, []).append(run)
    boards = {setting: _board((), controls) for setting, controls in alone.items()}
    for setting, defended in groups.items():
        named = {digest for run in defended for digest in _named_controls(run)}
        named |= {digest for key in named for digest in _named_controls(by_digest[key])}
        boards[setting] = _board(defended, [run for run in runs if run.record.run_digest in named])
    return _titled([boards[setting] for setting in sorted(boards)])


@dataclass(frozen=True)
class ListedRun:
    """One run in the list of all runs."""

    board: Board
    entry: Entry
    cell: Cell
    run: Run


def run_lines(boards: Sequence[Board]) -> tuple[ListedRun, ...]:
    """Every run of the boards, once: a control may serve several."""
    lines: dict[str, ListedRun] = {}
    for board in boards:
        for entry in board.entries:
            for cell in entry.cells:
                for run in cell.runs:
                    lines.setdefault(run.record.run_digest, ListedRun(board, entry, cell, run))
    return tuple(lines.values())


def _titled(boards: Sequence[Board]) -> tuple[Board, ...]:
    titles = board_titles([board.setting for board in boards])
    anchors = ["", *(f"-{place}" for place in range(2, len(boards) + 1))]
    return tuple(
        replace(board, title=title, anchor=anchor) for board, title, anchor in zip(boards, titles, anchors, strict=True)
    )


def _without_ratio(setting: Setting) -> Setting:
    return replace(setting, ratio=1.0)


def _named_controls(run: Run) -> set[str]:
    controls = run.record.controls
    return {digest for digest in (controls.base, controls.undefended) if digest is not None}


def _made(run: Run) -> str:
    """The defense with its options, budget, seed and surrogates, as text that is equal for equal ones."""
    spec = run.record.spec
    surrogates = [one.digest for one in spec.surrogates]
    made = (spec.defense, spec.defense_options, spec.budget_norm, spec.budget_eps, spec.defense_seed, surrogates)
    return json.dumps(made, sort_keys=True)


def _board(defended: Sequence[Run], controls: Sequence[Run]) -> Board:
    base = [run for run in controls if run.record.is_base]
    undefended = [run for run in controls if not run.record.is_base]
    control_entries = []
    if base:
        control_entries.append(Entry("base", BASE, (Cell(BASE, tuple(base)),)))
    if undefended:
        control_entries.append(Entry("undefended", UNDEFENDED, _cells(undefended)))
    groups: dict[str, list[Run]] = {}
    for run in defended:
        groups.setdefault(_made(run), []).append(run)
    attacks = _attacks(run.record.spec.attack for run in (*undefended, *defended))
    entries = [
        Entry("defense", group[0].record.spec.defense, _cells(group), attacks) for _, group in sorted(groups.items())
    ]
    ranked = _ranked(entries, {run.record.run_digest: run for run in (*controls, *defended)})
    runs = (*base, *undefended, *(run for entry in ranked for cell in entry.cells for run in cell.runs))
    return Board(runs, attacks, tuple(ranked), tuple(control_entries))


def _ranked(entries: Sequence[Entry], by_digest: Mapping[str, Run]) -> list[Entry]:
    """Best first; a defense whose worst case is refused has no rank and stands last."""
    worst = {str(place): cell.runs for place, entry in enumerate(entries) if (cell := entry.worst) is not None}
    means = {key: value for key in worst if (value := entries[int(key)].headline.value) is not None}
    metrics = {digest: run.record.metric("leakage") for digest, run in by_digest.items()}
    leakages = {digest: one.value for digest, one in metrics.items() if one is not None and one.value is not None}
    ranks = rank_defenses(means, worst, leakages)
    comparisons = compare_to_undefended(worst, by_digest)
    ranked = [
        replace(entry, rank=ranks.get(str(place)), comparison=comparisons.get(str(place)))
        for place, entry in enumerate(entries)
    ]
    order = sorted(range(len(ranked)), key=lambda place: (means.get(str(place), float("inf")), ranked[place].defense))
    return [ranked[place] for place in order]


def _cells(runs: Sequence[Run]) -> tuple[Cell, ...]:
    attacks = _attacks(run.record.spec.attack for run in runs)
    return tuple(Cell(attack, tuple(run for run in runs if run.record.spec.attack == attack)) for attack in attacks)


def _attacks(names: Iterable[str]) -> tuple[str, ...]:
    """Attackers in the order of the page: the naive one first, as the others are read beside it."""
    return tuple(sorted(set(names), key=lambda name: (name != "naive", name)))


def norm_text(norm: str) -> str:
    """The budget's norm as people write it."""
    return {"linf": "L∞", "l2": "L2"}.get(norm, norm)


def _brief(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
