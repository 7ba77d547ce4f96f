"""Every attacker setting by name: the built-in ones and those of installed packages."""

from bench.attacks.base import Attack
from bench.core.registry import Registry

attacks: Registry[type[Attack]] = Registry(
    "attack",
    "veilbench.attacks",
    ("bench.attacks.naive", "bench.attacks.augment", "bench.attacks.synthesize", "bench.attacks.tower"),
)
