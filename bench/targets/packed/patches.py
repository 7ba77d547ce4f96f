"""Cutting a picture into patches, with a gradient that takes no longer than the cut itself."""

from typing import Any

import torch


class _Patches(torch.autograd.Function):
    """A convolution whose patches do not overlap; backwards it is one matrix product, and the same bits.

    A library's convolution is not told that no pixel lies in two patches, and takes many times as long.
    """

    @staticmethod
    def forward(ctx: Any, images: Any, weight: Any, bias: Any, size: tuple[int, int]) -> Any:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.size = images.shape, size
        return torch.nn.functional.conv2d(images, weight, bias, stride=size)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (weight,), (rows, columns) = ctx.saved_tensors, ctx.size
        photos, channels, height, width = ctx.shape
        down, across = gradients[0].shape[-2:]
        patches = gradients[0].permute(0, 2, 3, 1).reshape(-1, weight.shape[0]) @ weight.flatten(1)
        cut = patches.view(photos, down, across, channels, rows, columns).permute(0, 3, 1, 4, 2, 5)
        whole = cut.reshape(photos, channels, down * rows, across * columns)
        # Pixels behind the last whole patch are in none.
        return torch.nn.functional.pad(whole, (0, width - across * columns, 0, height - down * rows)), None, None, None


class PatchForward:
    """What a frozen convolution over patches computes, in place of its ``forward``."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Features (photos, width, rows, columns) of images (photos, channels, height, width)."""
        return _Patches.apply(images, self._layer.weight, self._layer.bias, self._layer.kernel_size)


def shorten_patches(tower: Any) -> None:
    """Let every frozen convolution inside ``tower`` whose patches do not overlap compute as ``PatchForward`` does."""
    for layer in tower.modules():
        if _cuts_patches(layer):
            layer.forward = PatchForward(layer)


def _cuts_patches(layer: Any) -> bool:
    if not isinstance(layer, torch.nn.Conv2d):
        return False
    frozen = not any(parameter.requires_grad for parameter in layer.parameters())
    plain = layer.padding in ((0, 0), "valid") and layer.dilation == (1, 1) and layer.groups == 1
    return frozen and plain and layer.kernel_size == layer.stride
