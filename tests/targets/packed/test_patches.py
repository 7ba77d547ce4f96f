"""The shorter way back through a patch convolution gives the library's gradient."""

import pytest
import torch

from bench.targets.packed.patches import PatchForward, shorten_patches


@pytest.mark.parametrize(("size", "bias"), [((16, 24), False), ((19, 30), True)])
def test_features_and_gradient_are_the_convolutions_own(size: tuple[int, int], bias: bool) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 32, 8, stride=8, bias=bias).requires_grad_(False)
    images = torch.rand(2, 3, *size, requires_grad=True)
    own = layer(images)
    weight = torch.randn_like(own)
    (expected,) = torch.autograd.grad(own, images, weight)
    shorten_patches(layer)
    assert isinstance(layer.forward, PatchForward)
    features = layer(images)
    (gradient,) = torch.autograd.grad(features, images, weight)
    torch.testing.assert_close(features, own, rtol=0, atol=0)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(("stride", "padding"), [(4, 0), (8, 1)])
def test_overlapping_or_padded_patches_are_left_alone(stride: int, padding: int) -> None:
    layer = torch.nn.Conv2d(3, 16, 8, stride=stride, padding=padding).requires_grad_(False)
    shorten_patches(layer)
    assert "forward" not in vars(layer)


def test_a_trained_convolution_is_left_alone() -> None:
    layer = torch.nn.Conv2d(3, 16, 8, stride=8)
    shorten_patches(layer)
    assert "forward" not in vars(layer)
