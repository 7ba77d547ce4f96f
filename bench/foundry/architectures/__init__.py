"""The small models that this project trains, one module a family: tower, tokenizer, assembly."""

from bench.core.registry import unknown_name
from bench.foundry.architectures.base import Architecture
from bench.foundry.architectures.llava import TinyLlava
from bench.foundry.architectures.minigpt_v2 import TinyMiniGPTv2
from bench.foundry.architectures.qwen2_vl import TinyQwen2VL


def architectures() -> dict[str, Architecture]:
    """Every architecture by the name of its checkpoint."""
    return {one.name: one for one in (TinyLlava(), TinyQwen2VL(), TinyMiniGPTv2())}


def architecture_named(name: str) -> Architecture:
    """Raises UsageError with the nearest names where there is none."""
    known = architectures()
    if name not in known:
        raise unknown_name("architecture", name, known)
    return known[name]
