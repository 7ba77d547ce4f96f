"""The registered target families."""

from bench.core.registry import Registry
from bench.targets.base import Target

targets: Registry[type[Target]] = Registry("target", "veilbench.targets", ("bench.targets.llava",))
"""Target classes by family name; a suite names the family and the checkpoint apart."""
