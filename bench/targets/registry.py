"""The registered target families."""

from pathlib import Path

from bench.core.registry import Registry
from bench.targets.base import Target, TargetSpec

FAMILIES = ("bench.targets.llava", "bench.targets.qwen_vl", "bench.targets.minigpt_v2")

targets: Registry[type[Target]] = Registry("target", "veilbench.targets", FAMILIES)
"""Target classes by family name; a suite names the family and the checkpoint apart."""


def build_target(spec: TargetSpec, cache: Path | None = None) -> Target:
    """A target of the spec's family; its weights are read on first use.

    ``cache`` is a folder where frozen vision features are kept. Raises ``UsageError`` for an unknown family.
    """
    return targets.get(spec.family)(spec, cache)
