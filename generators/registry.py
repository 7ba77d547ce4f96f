"""The registered photo sources."""

from bench.core.registry import Registry
from generators.base import Generator

generators: Registry[type[Generator]] = Registry("generator", "veilbench.generators", ("generators.render.generator",))
"""Generator classes by name."""
