"""Digest of exactly the code that a stage runs: its modules and everything of ours that they import.

Coarser digests would repeat hours of fine-tuning because a page template changed; hand-kept lists would miss a file.
"""

import ast
import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from bench.core.digests import digest_file, digest_json

OURS = ("bench", "scenarios", "generators", "evaluators", "leaderboard")


def code_digest(modules: Sequence[str]) -> str:
    """Digest of the source of ``modules``, of what they import from us, and of the YAML files beside them.

    Nothing is imported but packages, so a module that needs an accelerator library costs nothing here. A plugin's
    module counts with everything that it imports from its own distribution's top-level package.
    """
    packages = frozenset((*OURS, *(module.partition(".")[0] for module in modules)))
    sources: dict[str, str] = {}
    for module in _closure(modules, packages):
        path = _source(module)
        if path is not None:
            sources[module] = digest_file(path)
            sources.update({f"{module}/{data.name}": digest_file(data) for data in path.parent.glob("*.yaml")})
    return digest_json(sources)


def _closure(modules: Iterable[str], packages: frozenset[str]) -> list[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if not module or module in found:
            continue
        found.add(module)
        waiting.append(module.rpartition(".")[0])  # importing a module runs the packages above it
        path = _source(module)
        if path is not None:
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            waiting += [name for name in _imports(path.read_bytes(), package) if name.partition(".")[0] in packages]
    return sorted(found)


@cache
def _imports(source: bytes, package: str) -> tuple[str, ...]:
    """Names of modules imported anywhere in a source, also inside functions; ``from a import b`` counts a and a.b."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                start = ".".join([*above, start] if start else above)
            names += [start, *(f"{start}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _source(module: str) -> Path | None:
    """The module's file; None for what is no module of ours, such as a name inside one.

    ``importlib.util.find_spec`` on a dotted name would run the modules above it; looking along the path does not.
    """
    top, *below = module.split(".")
    found = importlib.util.find_spec(top)
    if found is None:
        return None
    if not below and found.origin and found.origin.endswith(".py"):
        return Path(found.origin)
    for location in found.submodule_search_locations or ():
        place = Path(location).joinpath(*below)
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if below and candidate.is_file():
                return candidate
    return None
