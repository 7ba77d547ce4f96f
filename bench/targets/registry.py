"""The registered target families."""

from bench.core.registry import Registry
from bench.targets.base import Target

FAMILIES = ("bench.targets.llava", "bench.targets.qwen_vl", "bench.targets.minigpt_v2")

targets: Registry[type[Target]] = Registry("target", "veilbench.targets", FAMILIES)
"""Target classes by family name; a suite names the family and the checkpoint apart."""
