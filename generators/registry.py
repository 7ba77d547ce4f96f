"""The registered photo sources, and how one is chosen and given its options."""

from collections.abc import Mapping
from typing import Any

from bench.core.errors import UsageError
from bench.core.registry import Registry, construct, unknown_name
from generators.base import Generator

generators: Registry[type[Generator]] = Registry(
    "generator",
    "veilbench.generators",
    (
        "generators.render.generator",
        "generators.folder.generator",
        "generators.hub.generator",
        "generators.diffusion.generator",
    ),
)
"""Generator classes by name."""


def make_generator(kind: str, options: Mapping[str, Any] | None = None) -> Generator:
    """Construct a photo source by its registered name; UsageError for an unknown name, option or value."""
    return construct(generators, kind, options or {})


def generator_for(name: str, options: Mapping[str, Any] | None = None) -> Generator:
    """The photo source that claims ``name``. Raises UsageError with the nearest names that are known."""
    kinds = [kind for kind in generators.names() if generators.get(kind)().claims(name)]
    if not kinds:
        known = [known for kind in generators.names() for known in generators.get(kind)().names()]
        raise UsageError(
            f"{unknown_name('dataset', name, known)}; a folder with metadata.csv or metadata.jsonl, or a hub id"
            " 'owner/name@revision', can be built, too."
        )
    return make_generator(kinds[0], options)
