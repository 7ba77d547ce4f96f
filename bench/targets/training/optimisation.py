"""The optimiser, its learning rates, and one step of it over processes."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.core.errors import VeilBenchError
from bench.targets.base import Recipe

if TYPE_CHECKING:
    from bench.targets.packed.model import PackedModel


@dataclass(frozen=True)
class Processes:
    """One process among those that train together: each holds all weights and takes its rows of every batch."""

    rank: int = 0
    count: int = 1

    @classmethod
    def joined(cls) -> "Processes":
        """Those of the running ``accelerate launch``, or this one alone."""
        import torch.distributed

        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return cls()
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size())

    def wait(self) -> None:
        """Go on when every process is here."""
        import torch.distributed

        if self.count > 1:
            torch.distributed.barrier()

    def add_up(self, parameters: list[Any], loss: float) -> float:
        """Replace each gradient by its sum over the processes, a missing one counting as zero; the sum of the losses.

        One exchange for everything: gradients of adapters are many and small.
        """
        import torch
        import torch.distributed

        if self.count == 1:
            return loss
        last = torch.tensor([loss], device=parameters[0].device)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([*(grad.flatten() for grad in grads), last])
        torch.distributed.all_reduce(flat)
        parts = flat[:-1].split([parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        return float(flat[-1])


def make_optimiser(model: "PackedModel", tuned: Any, recipe: Recipe) -> Any:
    """AdamW over what requires a gradient; the projector has a learning rate of its own."""
    import torch

    named = [(name, p) for name, p in tuned.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if model.projector_name not in name], "peak": recipe.learning_rate},
        {"params": [p for name, p in named if model.projector_name in name], "peak": recipe.projector_learning_rate},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def set_learning_rate(optimiser: Any, recipe: Recipe, done: int, steps: int) -> None:
    """The rate of step ``done`` (from 0) of ``steps``: warm up, then fall linearly to the recipe's last share."""
    warm = min(1.0, (done + 1) / max(recipe.warmup_steps, 1))
    share = warm * max(recipe.final_learning_rate_share, 1 - done / steps)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share


def step(optimiser: Any, recipe: Recipe, loss: float, processes: Processes, name: str) -> float:
    """Clip the gradients and take one step; returns the loss summed over the processes.

    Raises VeilBenchError with the step's ``name`` where loss or gradients are not finite, before any weight changes.
    """
    import torch

    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    total = processes.add_up(parameters, loss)
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, recipe.gradient_clip))
    for what, value in (("the loss is", total), ("the gradients' norm is", norm)):
        if not math.isfinite(value):
            raise VeilBenchError(
                f"{name}: {what} not finite ({value}): lower the recipe's learning rates, or compute in float32 or"
                " bfloat16 where it was float16."
            )
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total
