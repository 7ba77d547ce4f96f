"""Every defense by name: the built-in ones and those of installed packages."""

import inspect
from collections.abc import Mapping
from typing import Any

from bench.core.errors import UsageError
from bench.core.registry import Registry, unknown_name
from bench.defenses.base import Defense

defenses: Registry[type[Defense]] = Registry(
    "defense",
    "veilbench.defenses",
    ("bench.defenses.none", "bench.defenses.noise", "bench.defenses.blur", "bench.defenses.dp2vl"),
)


def build_defense(name: str, options: Mapping[str, Any] | None = None) -> Defense:
    """Construct a defense by its registered name; ``UsageError`` for an unknown name, option or value."""
    chosen = defenses.get(name)
    given = dict(options or {})
    allowed = list(inspect.signature(chosen).parameters)
    for option in given:
        if option not in allowed:
            raise unknown_name(f"option of the defense '{name}',", option, allowed)
    try:
        defense = chosen(**given)
    except TypeError as error:
        raise UsageError(f"defense '{name}': an option has a value of the wrong type ({error}).") from error
    defense.name = name
    return defense
