"""LoRA layers without their detours through memory, and the last layer for the tokens alone that are asked for.

PEFT adds ``lora_B(lora_A(x)) * scaling`` to a layer's output: two more passes over a tensor of the output's size, and
two in the backward pass. One matrix product that scales and adds what it computes gives the same bits where the scaling
is a power of two, since such a factor never rounds.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class _AddLowRank(torch.autograd.Function):
    """``result + scaling * x @ down.T @ up.T``, in place of ``result``; ``among`` is (index, count) of rows, or None.

    With ``among`` the rows of ``x`` stand for the only ones of ``count`` that have a gradient. Those of the weights are
    then summed over all ``count``, zeros included: leaving rows out of a sum moves its last bits.
    """

    @staticmethod
    def forward(ctx: Any, result: Any, x: Any, down: Any, up: Any, scaling: float, among: Any) -> Any:
        flat = x.reshape(-1, x.shape[-1])
        narrow = flat @ down.t()
        ctx.save_for_backward(flat, narrow, down, up)
        ctx.scaling, ctx.among, ctx.shape = scaling, among, x.shape
        ctx.mark_dirty(result)
        result.view(-1, result.shape[-1]).addmm_(narrow, up.t(), alpha=scaling)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        flat, narrow, down, up = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, up.shape[0])
        of_narrow = (gradient @ up).mul_(ctx.scaling)
        of_x = (of_narrow @ down).view(ctx.shape) if ctx.needs_input_grad[1] else None
        of_down = _among_zeros(of_narrow, ctx.among).t() @ _among_zeros(flat, ctx.among)
        of_up = (_among_zeros(gradient, ctx.among).t() @ _among_zeros(narrow, ctx.among)).mul_(ctx.scaling)
        return gradients[0], of_x, of_down, of_up, None, None


class LowRankForward:
    """What a LoRA layer computes, in place of PEFT's ``forward``; ``among`` as ``_AddLowRank`` takes it."""

    def __init__(self, layer: Any) -> None:
        self.among: tuple[torch.Tensor, int] | None = None
        (name,) = layer.active_adapters
        self._base, self._down, self._up = layer.base_layer, layer.lora_A[name], layer.lora_B[name]
        self._scaling = layer.scaling[name]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output for ``x`` (..., width)."""
        result = self._base(x)
        # Autograd gives a view that was changed in place a history with detours.
        result = result.clone() if result._is_view() else result
        return _AddLowRank.apply(result, x, self._down.weight, self._up.weight, self._scaling, self.among)


def shorten(network: Any) -> None:
    """Let every LoRA layer inside ``network`` whose bits stay the same compute as ``LowRankForward`` does."""
    for layer in network.modules():
        if _keeps_bits(layer):
            layer.forward = LowRankForward(layer)


def _keeps_bits(layer: Any) -> bool:
    """Whether it is plain LoRA in float32 with a power of two as scaling: lower precisions round in between."""
    from peft.tuners.lora.layer import Linear
    from torch import nn

    if type(layer) is not Linear or type(layer.base_layer) is not nn.Linear or len(layer.active_adapters) != 1:
        return False
    (name,) = layer.active_adapters
    weights = [layer.base_layer.weight, layer.lora_A[name].weight, layer.lora_B[name].weight]
    plain = not (layer.merged or layer.disable_adapters or layer.lora_variant or layer.lora_B[name].bias is not None)
    plain = plain and isinstance(layer.lora_dropout[name], nn.Identity)
    return plain and all(w.dtype is torch.float32 for w in weights) and math.frexp(layer.scaling[name])[0] == 0.5


@contextmanager
def only_needed(last: Any, needed: torch.Tensor | None) -> Iterator[None]:
    """For a while the ``last`` layer computes what it makes of its attention for the ``needed`` (rows, length) alone.

    Nothing is added to the other tokens' states. Without ``needed``, and where anything but
    ``LowRankForward`` is trained there, everything is computed.
    """
    blocks = [last.self_attn.o_proj, last.mlp]
    paths = [layer.forward for block in blocks for layer in block.modules() if _is_short(layer)]
    trained = sum(parameter.requires_grad for block in blocks for parameter in block.parameters())
    if needed is None or trained != 2 * len(paths):
        yield
        return
    device = next(last.parameters()).device
    index, count = needed.flatten().nonzero()[:, 0].to(device), needed.numel()

    def choose(block: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (given[0].flatten(0, 1)[index], *given[1:])

    def put_back(block: Any, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        return _among_zeros(output, (index, count)).view(*needed.shape, -1)

    hooks = [block.register_forward_pre_hook(choose) for block in blocks]
    hooks += [block.register_forward_hook(put_back) for block in blocks]
    for path in paths:
        path.among = index, count
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for path in paths:
            path.among = None


def _is_short(layer: Any) -> bool:
    return isinstance(getattr(layer, "forward", None), LowRankForward)


def _among_zeros(rows: torch.Tensor, among: tuple[torch.Tensor, int] | None) -> torch.Tensor:
    """The rows at their places among zeros; as they are where ``among`` is None."""
    if among is None:
        return rows
    index, count = among
    return rows.new_zeros(count, rows.shape[-1]).index_copy(0, index, rows)
