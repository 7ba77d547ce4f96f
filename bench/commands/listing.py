"""What the command line lists: plugins, suites, scenarios, and the stages of a plan."""

import inspect
from typing import TYPE_CHECKING, Any

from bench.core.digests import short
from bench.core.registry import Registry, unknown_name
from bench.core.store import ArtifactStore
from bench.plan.estimates import estimated_seconds, expected_seconds, finish_seconds
from bench.plan.plan import Plan
from generators.registry import generators

if TYPE_CHECKING:
    from rich.table import Table

KINDS = ("defenses", "targets", "generators", "evaluators", "attacks", "recipes", "suites", "scenarios")


def listing(kind: str) -> list[tuple[str, str]]:
    """(name, what it is and where it comes from) of everything of one kind. Raises UsageError for an unknown one."""
    if kind not in KINDS:
        raise unknown_name("kind of list", kind, KINDS)
    if kind == "suites":
        return _suites()
    if kind == "recipes":
        return _recipes()
    if kind == "scenarios":
        from scenarios.schema import load_scenarios

        return [(name, f"{one.title} ({one.group})") for name, one in load_scenarios().items()]
    if kind == "targets":
        return _targets()
    return _plugins(_registry(kind))


def _registry(kind: str) -> Registry[Any]:
    if kind == "defenses":
        from bench.defenses.registry import defenses

        return defenses
    if kind == "evaluators":
        from evaluators.registry import evaluators

        return evaluators
    if kind == "attacks":
        from evaluators.attacks import attacks

        return attacks
    return generators


def _plugins(registry: Registry[Any]) -> list[tuple[str, str]]:
    rows = [(name, f"{_summary(registry.get(name))} [{registry.origin(name)}]") for name in registry.names()]
    return [*rows, *((name, f"cannot be used: {reason}") for name, reason in sorted(registry.broken().items()))]


def _summary(plugin: Any) -> str:
    return (inspect.getdoc(plugin) or "").partition("\n")[0].replace("``", "")


def _targets() -> list[tuple[str, str]]:
    """Families by their registry, and the checkpoints that need no download."""
    from bench.targets.checkpoints import shipped_checkpoints
    from bench.targets.registry import targets

    families = [(name, f"family: {about}") for name, about in _plugins(targets)]
    return [*families, *((name, "checkpoint: shipped") for name in shipped_checkpoints())]


def _suites() -> list[tuple[str, str]]:
    from bench.plan.suites import load_suite, shipped_suites

    return [(name, load_suite(name).title) for name in shipped_suites()]


def _recipes() -> list[tuple[str, str]]:
    from bench.targets.recipes import load_recipe, shipped_recipes

    found = {name: load_recipe(name) for name in shipped_recipes()}
    return [(name, f"{one.title} [{one.source}]") for name, one in found.items()]


def plan_rows(plan: Plan, store: ArtifactStore) -> list[dict[str, Any]]:
    """One row a stage: name, kind, key, state (``hit``, ``miss`` or ``unneeded``), estimate in seconds or None."""
    states = plan.states(store)
    estimates = estimated_seconds(list(plan.stages.values()), store)
    return [
        {
            "stage": name,
            "kind": stage.kind,
            "key": stage.key,
            "state": states[name],
            "estimate_seconds": estimates[name] if states[name] == "miss" else None,
        }
        for name, stage in plan.stages.items()
    ]


def plan_table(plan: Plan, rows: list[dict[str, Any]], store: ArtifactStore, workers: int | None) -> "Table":
    """The rows as a table, with the total below: at least the longest chain, or the work shared by the workers."""
    from rich.table import Table

    from bench.core.device import detect_device
    from bench.execute.local import default_workers

    missing = plan.missing(store)
    number = workers or default_workers(detect_device())
    total = finish_seconds(missing, expected_seconds(missing, store), number)
    on = "1 worker" if number == 1 else f"{number} workers"
    guessed = "" if all(row["estimate_seconds"] is not None for row in rows if row["state"] == "miss") else ", guessed"
    caption = f"{len(missing)} of {len(rows)} stages to compute, about {_duration(total)} on {on}{guessed}"
    table = Table(title=plan.suite.title, caption=caption)
    for heading in ("stage", "key", "state"):
        table.add_column(heading, no_wrap=True)
    table.add_column("estimate", justify="right")
    for row in rows:
        estimate = row["estimate_seconds"]
        shown = "" if row["state"] != "miss" else "?" if estimate is None else _duration(estimate)
        table.add_row(row["stage"], short(row["key"]), row["state"], shown)
    return table


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
