"""What is asked of a checkpoint on this machine, and the facts that a check gives, one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.core.cost import measured_cost
from bench.targets.base import Recipe

BACKENDS = ("transformers", "vllm")
MODELS = ("base", "finetuned")
PHOTOS = 4

RECIPE = Recipe(
    epochs=1,
    batch_size=PHOTOS,
    learning_rate=1e-3,
    projector_learning_rate=1e-4,
    lora_rank=8,
    lora_alpha=16,
    weight_decay=0.0,
    warmup_steps=1,
    final_learning_rate_share=1.0,
    gradient_clip=1.0,
    questions_per_photo=4,
    source="made for this check: steps that change the answers visibly, no attack",
)
"""An epoch is one step."""


@dataclass(frozen=True)
class CheckOrder:
    """What to check and with what. ``family`` None: by config.json. ``backends`` None: vLLM where it is found.

    ``vllm`` is the command, empty for the configured one; ``endpoint`` the address of an engine that runs already.
    """

    checkpoint: str
    family: str | None = None
    dtype: str = "float32"
    download: bool = False
    backends: tuple[str, ...] | None = None
    vllm: tuple[str, ...] = ()
    endpoint: str | None = None
    quantization: str = "none"
    steps: int = 10


def vllm_command(order: CheckOrder) -> tuple[str, ...]:
    """How vLLM is started: as the order says, else as this machine is set up."""
    from bench.targets.vllm.command import configured_command

    return order.vllm or configured_command()


@dataclass(frozen=True)
class TargetFact:
    """One thing measured: its name and value for programs (SI units), the same for people, and whether it is right."""

    name: str
    value: Any
    shown: str
    passed: bool = True


def count(name: str, value: int, unit: str) -> TargetFact:
    """A whole number as a fact, shown with a decimal prefix."""
    for size, prefix in ((10**9, "G" if unit else " thousand million"), (10**6, "M" if unit else " million")):
        if value >= size:
            return TargetFact(name, value, f"{value / size:.3g}{' ' if unit else ''}{prefix}{unit}")
    return TargetFact(name, value, f"{value:,} {unit}".rstrip())


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """As ``measured_cost``; with a GPU the peak is that of the GPU's memory, as torch hands it out."""
    import torch

    with measured_cost() as cost:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        yield cost
    if torch.cuda.is_available():
        cost["peak_memory_bytes"] = torch.cuda.max_memory_allocated()
