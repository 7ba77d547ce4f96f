"""Random views of photos (crop, shift, mirror, colour), drawn per photo and applied differentiably."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ViewRange:
    """How far views differ from the photo.

    ``scale`` is the range of the seen part's side as a share of the photo's side (above 1 shows a mirrored rim),
    ``shift`` the largest shift as a share of the side, ``colour`` the largest relative change of brightness and of
    each channel, ``flip`` and ``identity`` the probabilities of a mirrored view and of the photo as it is.
    """

    scale: tuple[float, float] = (0.8, 1.05)
    shift: float = 0.09
    colour: float = 0.15
    flip: float = 0.5
    identity: float = 0.25


@dataclass(frozen=True)
class Views:
    """One view for each of some photos: ``scale``, ``shift_x``, ``shift_y``, ``mirror`` (-1 or 1), ``gains``.

    All have the photos first; ``gains`` is (photos, 3), the others are (photos,).
    """

    scale: "torch.Tensor"
    shift_x: "torch.Tensor"
    shift_y: "torch.Tensor"
    mirror: "torch.Tensor"
    gains: "torch.Tensor"

    def changing(self) -> "torch.Tensor":
        """Indices of the photos that are not seen as they are."""
        same = (self.scale == 1) & (self.shift_x == 0) & (self.shift_y == 0) & (self.mirror == 1)
        return (~(same & (self.gains == 1).all(1))).nonzero()[:, 0]

    def of(self, photos: "torch.Tensor") -> "Views":
        """The views of some photos, by their indices."""
        return Views(
            self.scale[photos], self.shift_x[photos], self.shift_y[photos], self.mirror[photos], self.gains[photos]
        )


NUMBERS_PER_VIEW = 9


def views_from_uniform(numbers: "torch.Tensor", limits: ViewRange) -> Views:
    """Views of (photos, 9) numbers uniform in [0, 1), so that each photo's own generator decides its views."""
    import torch

    as_it_is = numbers[:, 0] < limits.identity
    low, high = limits.scale
    scale = low + (high - low) * numbers[:, 1]
    shift_x, shift_y = (limits.shift * (2 * numbers[:, column] - 1) for column in (2, 3))
    mirror = torch.where(numbers[:, 4] < limits.flip, -1.0, 1.0)
    brightness = 1 + limits.colour * (2 * numbers[:, 5:6] - 1)
    gains = brightness * (1 + limits.colour * (2 * numbers[:, 6:9] - 1))
    return Views(
        scale=scale.masked_fill(as_it_is, 1.0),
        shift_x=shift_x.masked_fill(as_it_is, 0.0),
        shift_y=shift_y.masked_fill(as_it_is, 0.0),
        mirror=mirror.masked_fill(as_it_is, 1.0),
        gains=gains.masked_fill(as_it_is[:, None], 1.0),
    )


def apply_views(images: "torch.Tensor", views: Views) -> "torch.Tensor":
    """Show images (photos, 3, height, width) in [0, 1] as ``views``: bilinear, mirrored at the rim, clamped.

    Crop, shift and mirror act on rows and columns apart, so two matrix products do it: unlike grid sampling these
    have a deterministic gradient on every device.
    """
    import torch

    height, width = images.shape[-2:]
    rows = _resampling(height, views.scale, views.shift_y)
    columns = _resampling(width, views.scale * views.mirror, views.shift_x)
    # All channels of a photo share its columns, so that no copy of them is made for each.
    flat = torch.matmul(rows[:, None], images).flatten(1, 2)
    seen = torch.matmul(flat, columns.transpose(-1, -2)).view(images.shape)
    return (seen * views.gains[:, :, None, None]).clamp(0, 1)


def _resampling(size: int, scale: "torch.Tensor", shift: "torch.Tensor") -> "torch.Tensor":
    """Bilinear weights (photos, size, size): row i says from which pixels along one side pixel i is taken."""
    import torch

    pixels = torch.arange(size, device=scale.device, dtype=scale.dtype)
    middle = (size - 1) / 2
    sources = middle + scale[:, None] * (pixels - middle) + shift[:, None] * size
    sources = sources.abs()
    sources = ((size - 1) - ((size - 1) - sources).abs()).clamp(0, size - 1)
    return (1 - (sources[:, :, None] - pixels).abs()).clamp(min=0)
