"""Random views of a photo that an attacker trains on: crop, shift, flip and colour."""

from typing import TYPE_CHECKING

from bench.targets.base import Augmentation

if TYPE_CHECKING:
    import torch


def random_view(image: "torch.Tensor", augmentation: Augmentation, generator: "torch.Generator") -> "torch.Tensor":
    """One random view of ``image``, a float tensor (3, height, width) in [0, 1]; same shape and range."""
    import torch
    from torch.nn import functional

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator) * (high - low) + low

    side = uniform(*augmentation.scale, 1)
    shift = uniform(-augmentation.shift, augmentation.shift, 2) * 2
    mirror = torch.where(uniform(0, 1, 1) < augmentation.flip, -1.0, 1.0)
    zero = torch.zeros(1)
    placing = torch.stack([torch.cat([side * mirror, zero, shift[:1]]), torch.cat([zero, side, shift[1:]])])[None]
    grid = functional.affine_grid(placing, [1, *image.shape], align_corners=False)
    view = functional.grid_sample(image[None], grid, padding_mode="reflection", align_corners=False)[0]
    colour = 1 + uniform(-augmentation.colour, augmentation.colour, 1, 1, 1)
    channels = 1 + uniform(-augmentation.colour, augmentation.colour, 3, 1, 1) / 3
    return (view * colour * channels).clamp(0, 1)
