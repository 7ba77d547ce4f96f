"""What a finished suite says, as tables for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.publish.results import Described

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def summary_table(result: Mapping[str, Any], title: str) -> "RenderableType":
    """What the runs say of each defense, then one line a run; ``result`` as ``bench.publish.results.as_json`` gives it.

    Targets are told apart by rules; nothing is averaged over them.
    """
    from rich.console import Group

    runs = [*result["controls"], *result["runs"]]
    targets = list(dict.fromkeys(run["target"] for run in runs))
    ordered = sorted(runs, key=lambda run: targets.index(run["target"]))
    if not result["headlines"]:
        return _runs_table(title, ordered)
    return Group(_headlines_table(title, result["headlines"]), _runs_table("Every run", ordered))


def _headlines_table(title: str, headlines: Sequence[Described]) -> "Table":
    """One line a defense and target: raw leakage and its attacker first, then what remains of the leak."""
    from rich.table import Table

    among = ", ".join(dict.fromkeys(one["attackers_in_words"] for one in headlines))
    unranked = next((one["unranked"] for one in headlines if one["unranked"]), "")
    caption = f"Highest of {among}; remains: 0 is permutation chance, 1 is undefended on that target. {unranked}"
    table = Table(title=title, caption=caption.strip())
    varying = [key for key in ("target", "ratio") if len({one[key] for one in headlines}) > 1]
    for heading in ("defense", *varying):
        table.add_column(heading)
    for heading in ("leakage", "95 %", "attack"):
        table.add_column(heading, justify="left" if heading == "attack" else "right")
    for heading in ("remains", "95 %", "at most"):
        table.add_column(heading, justify="right")
    following = [one["target"] for one in headlines[1:]]
    for one, next_target in zip(headlines, [*following, None], strict=True):
        access = f" ({one['access']})" if one["access"] else ""
        table.add_row(
            one["label"] + access,
            *(str(one[key]) for key in varying),
            _number(one["leakage"]),
            _range(one["leakage_ci95"]),
            one["attack"] or "-",
            "no number" if one["headline"] is None else _number(one["headline"]),
            _range(one["headline_ci95"]),
            _number(one["upper_bound"]),
            end_section=one["target"] != next_target,
        )
    return table


def _runs_table(title: str, described: Sequence[Described]) -> "Table":
    from rich.table import Table

    table = Table(title=title)
    varying = [key for key in ("target", "cohort", "ratio", "seed") if len({run[key] for run in described}) > 1]
    for heading in ("defense", "attack", *varying):
        table.add_column(heading)
    headings = ("leakage", "95 %", "zero", "half told", "open", "name", "member", "strangers", "utility", "s/photo")
    for heading in headings:
        table.add_column(heading, justify="right")
    following = [run["target"] for run in described[1:]]
    for run, next_target in zip(described, [*following, None], strict=True):
        table.add_row(
            run["label"],
            run["attack"],
            *(str(run[key]) for key in varying),
            _number(run["leakage"]),
            _range(run["leakage_ci95"]),
            _number(run["zero"]),
            _number(run["exposed"]),
            _number(run["open_answer"]),
            _number(run["name_open"]),
            _number(run["member_protected"] if run["member_protected"] is not None else run["member_clean"]),
            _number(run["stranger_rate"]),
            _number(run["utility"]),
            _number(run["seconds_per_photo"]),
            end_section=run["target"] != next_target,
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
