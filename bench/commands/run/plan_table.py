"""A plan as people and programs see it before anything runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.core.device import detect_device
from bench.core.digests import short
from bench.core.store import ArtifactStore
from bench.execute.local import default_workers
from bench.plan.estimates import estimated_seconds, expected_seconds, finish_seconds
from bench.plan.plan import Plan
from bench.stages.base import Stage

if TYPE_CHECKING:
    from rich.table import Table

PlanRow = dict[str, Any]


def plan_rows(plan: Plan, store: ArtifactStore) -> list[PlanRow]:
    """One row a stage: name, kind, key, state (``hit``, ``miss`` or ``unneeded``), what it needs, estimate in seconds.

    The estimate is None where the stage will not run, and where no earlier one of its kind is known.
    """
    states = plan.states(store)
    estimates = estimated_seconds(list(plan.stages.values()), store)
    return [
        {
            "stage": name,
            "kind": stage.kind,
            "key": stage.key,
            "state": states[name],
            "needs": vars(stage.spec.needs),
            "estimate_seconds": estimates[name] if states[name] == "miss" else None,
        }
        for name, stage in plan.stages.items()
    ]


def plan_table(plan: Plan, rows: Sequence[PlanRow], store: ArtifactStore, workers: int | None) -> "Table":
    """The rows as a table, with the total below: at least the longest chain, or the work shared by the workers."""
    from rich.table import Table

    missing = [plan.stages[row["stage"]] for row in rows if row["state"] == "miss"]
    guessed = "" if all(row["estimate_seconds"] is not None for row in rows if row["state"] == "miss") else ", guessed"
    caption = f"{len(missing)} of {len(rows)} stages to compute, about {_total(missing, store, workers)}{guessed}"
    table = Table(title=plan.suite.title, caption=caption)
    for heading in ("stage", "key", "state"):
        table.add_column(heading, no_wrap=True)
    table.add_column("estimate", justify="right")
    for row in rows:
        estimate = row["estimate_seconds"]
        shown = "" if row["state"] != "miss" else "?" if estimate is None else _duration(estimate)
        table.add_row(row["stage"], short(row["key"]), row["state"], shown)
    return table


def _total(missing: Sequence[Stage], store: ArtifactStore, workers: int | None) -> str:
    number = workers or default_workers(detect_device())
    total = finish_seconds(missing, expected_seconds(missing, store), number)
    return f"{_duration(total)} on {'1 worker' if number == 1 else f'{number} workers'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
