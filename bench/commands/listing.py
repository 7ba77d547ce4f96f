"""``veilbench list``: plugins, suites, recipes and scenarios by name."""

import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Annotated, Any

import typer

from bench.commands.completion import completing
from bench.commands.options import JsonOption, print_json
from bench.core.registry import Registry, unknown_name

app = typer.Typer()


@dataclass(frozen=True)
class Listed:
    """Something that can be named: what it is in a line, and where it comes from, if that needs telling."""

    name: str
    about: str
    origin: str = ""


REGISTRIES = {
    "defenses": "bench.defenses.registry",
    "attacks": "bench.attacks.registry",
    "targets": "bench.targets.registry",
    "generators": "generators.registry",
    "evaluators": "evaluators.registry",
}
"""Kind -> the module whose attribute of that name is its registry."""


def listing(kind: str) -> list[Listed]:
    """Everything of one kind. Raises UsageError for an unknown one."""
    if kind not in KINDS:
        raise unknown_name("kind of list", kind, KINDS)
    found = _plugins(getattr(import_module(REGISTRIES[kind]), kind)) if kind in REGISTRIES else []
    return found + (OTHERS[kind]() if kind in OTHERS else [])


def _plugins(registry: Registry[Any]) -> list[Listed]:
    found = [Listed(name, _summary(registry.get(name)), registry.origin(name)) for name in registry.names()]
    return found + [Listed(name, f"cannot be used: {reason}") for name, reason in sorted(registry.broken().items())]


def _summary(plugin: Any) -> str:
    return (inspect.getdoc(plugin) or "").partition("\n")[0].replace("``", "")


def _checkpoints() -> list[Listed]:
    from bench.targets.checkpoints import family_of, shipped_checkpoints

    return [Listed(name, f"Checkpoint of the family {family_of(name)}.", "shipped") for name in shipped_checkpoints()]


def _suites() -> list[Listed]:
    from bench.plan.suite_files import load_suite, shipped_suites

    return [Listed(name, load_suite(name).title, "shipped") for name in shipped_suites()]


def _recipes() -> list[Listed]:
    from bench.targets.recipes import load_recipe, shipped_recipes

    found = {name: load_recipe(name) for name in shipped_recipes()}
    return [Listed(name, one.title, one.source) for name, one in found.items()]


def _scenarios() -> list[Listed]:
    from scenarios.schema import load_scenarios

    return [Listed(name, f"{one.title} ({one.group})") for name, one in load_scenarios().items()]


OTHERS: dict[str, Callable[[], list[Listed]]] = {
    "targets": _checkpoints,
    "recipes": _recipes,
    "suites": _suites,
    "scenarios": _scenarios,
}
"""Kind -> what no registry holds; of targets, the checkpoints that need no download."""

KINDS = tuple(dict.fromkeys((*REGISTRIES, *OTHERS)))


@app.command("list", epilog="Example:  veilbench list defenses --json")
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            help="defenses, attacks, targets, generators, evaluators, recipes, suites or scenarios.",
            autocompletion=completing(lambda: KINDS),
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """List what can be named in a suite, and where each comes from."""
    found = listing(kind)
    if as_json:
        print_json({kind: [asdict(one) for one in found]})
        return
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        origin = f" [{one.origin}]" if one.origin else ""
        typer.echo(f"{one.name:{width}}  {one.about}{origin}".rstrip())
