"""What a finished suite says, as tables for people."""

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.publish.results import Described
from leaderboard.schema import UNDEFENDED

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def summary_table(title: str, described: Sequence[Described]) -> "RenderableType":
    """One line a run; the attacker that is worst for a defense is marked, for that is the headline.

    Several targets are told apart by rules, and their headlines stand side by side in a table of their own, first.
    """
    from rich.console import Group

    targets = list(dict.fromkeys(run["target"] for run in described))
    if len(targets) < 2:
        return _runs_table(title, described)
    ordered = sorted(described, key=lambda run: targets.index(run["target"]))
    return Group(_targets_table(title, targets, described), _runs_table("Every run", ordered))


def _runs_table(title: str, described: Sequence[Described]) -> "Table":
    from rich.table import Table

    table = Table(title=title)
    varying = [key for key in ("target", "ratio", "seed") if len({run[key] for run in described}) > 1]
    for heading in ("defense", "attack", *varying):
        table.add_column(heading)
    headings = ("leakage", "95 %", "normalised", "95 %", "open", "name", "member", "strangers", "utility", "s/photo")
    for heading in headings:
        table.add_column(heading, justify="right")
    worst = _worst_cases(described)
    following = [run["target"] for run in described[1:]]
    for place, (run, next_target) in enumerate(zip(described, [*following, None], strict=True)):
        marked = " (worst)" if place in worst else ""
        table.add_row(
            run["label"],
            run["attack"] + marked,
            *(str(run[key]) for key in varying),
            _number(run["leakage"]),
            _range(run["leakage_ci95"]),
            _number(run["normalised"]),
            _range(run["normalised_ci95"]),
            _number(run["open_answer"]),
            _number(run["name_open"]),
            _number(run["member_protected"] if run["member_protected"] is not None else run["member_clean"]),
            _number(run["stranger_rate"]),
            _number(run["utility"]),
            _number(run["seconds_per_photo"]),
            end_section=run["target"] != next_target,
        )
    return table


def _targets_table(title: str, targets: Sequence[str], described: Sequence[Described]) -> "Table":
    """Defense by target: the headline of each, never a mean over targets."""
    from rich.table import Table

    caption = "Normalised leakage under each target's worst attacker; 0: base, 1: undefended on that target."
    table = Table(title=title, caption=caption)
    defended = [run for run in described if run["defense"] != UNDEFENDED]
    varies = len({run["ratio"] for run in defended}) > 1
    for heading in ("defense", *(["ratio"] if varies else [])):
        table.add_column(heading)
    for target in targets:
        table.add_column(target, justify="right")
    for label, ratio in dict.fromkeys((run["label"], run["ratio"]) for run in defended):
        same = [run for run in defended if (run["label"], run["ratio"]) == (label, ratio)]
        cells = [_headline([run for run in same if run["target"] == target]) for target in targets]
        table.add_row(label, *([str(ratio)] if varies else []), *cells)
    return table


def _headline(runs: Sequence[Described]) -> str:
    """The worst case of one defense on one target; several training seeds give their mean, as on the page."""
    if not runs:
        return "not tried"
    attacks = dict.fromkeys(run["attack"] for run in runs)
    values = {attack: [run["normalised"] for run in runs if run["attack"] == attack] for attack in attacks}
    if any(value is None for seeds in values.values() for value in seeds):
        return "no number"
    worst = max(values, key=lambda attack: fmean(values[attack]))
    intervals = [run["normalised_ci95"] for run in runs if run["attack"] == worst and run["normalised_ci95"]]
    # Not in brackets: rich would read them as a style.
    between = _range([min(low for low, _ in intervals), max(high for _, high in intervals)]) if intervals else ""
    access = f", {runs[0]['access']}" if runs[0]["access"] else ""
    return f"{_number(fmean(values[worst]))} ({between + ', ' if between else ''}{worst}{access})"


def _worst_cases(described: Sequence[Described]) -> set[int]:
    """Places of the runs with the highest normalised leakage over attackers, one a defense, target, ratio and seed.

    None of a defense that an attacker's number is refused for: its worst case is not known.
    """
    settings: dict[tuple[Any, ...], list[int]] = {}
    for place, run in enumerate(described):
        if run["defense"] != UNDEFENDED:
            settings.setdefault((run["label"], run["target"], run["ratio"], run["seed"]), []).append(place)
    known = [places for places in settings.values() if all(described[one]["normalised"] is not None for one in places)]
    return {max(places, key=lambda one: described[one]["normalised"]) for places in known}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
