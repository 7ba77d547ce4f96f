"""Every defense by name: the built-in ones and those of installed packages."""

from collections.abc import Mapping
from typing import Any

from bench.core.registry import Registry, construct
from bench.defenses.base import Defense

defenses: Registry[type[Defense]] = Registry(
    "defense",
    "veilbench.defenses",
    ("bench.defenses.none", "bench.defenses.noise", "bench.defenses.blur", "bench.defenses.dp2vl"),
)


def build_defense(name: str, options: Mapping[str, Any] | None = None) -> Defense:
    """Construct a defense by its registered name; ``UsageError`` for an unknown name, option or value."""
    defense = construct(defenses, name, options or {})
    defense.name = name
    return defense
