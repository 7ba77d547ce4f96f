"""The registered photo sources, and how one is chosen and given its options."""

import inspect
from collections.abc import Mapping
from typing import Any

from bench.core.errors import UsageError
from bench.core.registry import Registry, unknown_name
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
    chosen = generators.get(kind)
    given = dict(options or {})
    allowed = list(inspect.signature(chosen).parameters)
    for option in given:
        if option not in allowed:
            raise unknown_name(f"option of the generator '{kind}',", option, allowed)
    try:
        return chosen(**given)
    except TypeError as error:
        raise UsageError(f"generator '{kind}': an option has a value of the wrong type ({error}).") from error


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
