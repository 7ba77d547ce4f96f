"""Image processors written in torch, so that gradients reach the photo: what transformers' own ones do, exactly."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.core.errors import UsageError

if TYPE_CHECKING:
    import torch

BICUBIC = 3
PILLOW_PRECISION = 22
"""Pillow resizes 8-bit pictures with weights of so many fractional bits (src/libImaging/Resample.c)."""


class Preprocessing(ABC):
    """From float images (photos, 3, any height, any width) in [0, 1] to a family's pixel values.

    Equal to the checkpoint's processor, which resizes in two passes and rounds to 8 bits after each; gradients are
    passed straight through the rounding.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @abstractmethod
    def __call__(self, images: "torch.Tensor") -> "torch.Tensor":
        """Normalised pixel values in the family's own layout."""

    def normalise(self, images: "torch.Tensor") -> "torch.Tensor":
        """Subtract the mean and divide by the deviation of each channel."""
        import torch

        mean, std = (
            torch.tensor(v, dtype=images.dtype, device=images.device).view(1, 3, 1, 1) for v in (self.mean, self.std)
        )
        return (images - mean) / std


@dataclass(frozen=True)
class ClipPreprocessing(Preprocessing):
    """Resize the shorter side (bicubic), cut the centre, normalise: what transformers' CLIPImageProcessor does."""

    shortest_edge: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, processor: Any) -> "ClipPreprocessing":
        """Read the settings off a CLIPImageProcessor; raises UsageError where it works in another way."""
        if processor.resample != BICUBIC or not processor.do_center_crop:
            raise UsageError("the image processor is not CLIP's: it must resize the shorter side bicubically and crop")
        shortest = _value(processor.size, "shortest_edge")
        height, width = (_value(processor.crop_size, name) for name in ("height", "width"))
        if not 0 < max(height, width) <= shortest:
            raise UsageError("the image processor is not CLIP's: what it crops must fit into the resized shorter side")
        return cls(
            shortest_edge=shortest,
            height=height,
            width=width,
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a photo of that size once its shorter side is resized, in the processor's arithmetic."""
        longer = int(self.shortest_edge * max(height, width) / min(height, width))
        return (self.shortest_edge, longer) if height <= width else (longer, self.shortest_edge)

    def __call__(self, images: "torch.Tensor") -> "torch.Tensor":
        """Pixel values (photos, 3, height, width)."""
        height, width = self.resized(*images.shape[-2:])
        return self.normalise(resize(images, height, width, centre=(self.height, self.width)))


@dataclass(frozen=True)
class SquarePreprocessing(Preprocessing):
    """Resize to a square whatever the shape (bicubic) and normalise, as MiniGPT-v2's evaluation transform does."""

    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images: "torch.Tensor") -> "torch.Tensor":
        """Pixel values (photos, 3, side, side)."""
        return self.normalise(resize(images, self.side, self.side))


@dataclass(frozen=True)
class QwenPreprocessing(Preprocessing):
    """Resize to whole merge groups within a number of pixels, normalise, cut into patches.

    Source: transformers' Qwen2VLImageProcessor, which Qwen2-VL, Qwen2.5-VL and Qwen3-VL share.
    """

    patch_size: int
    merge_size: int
    temporal_patch_size: int
    fewest_pixels: int
    most_pixels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, processor: Any) -> "QwenPreprocessing":
        """Read the settings off a Qwen2VLImageProcessor; raises UsageError where it works in another way."""
        if not hasattr(processor, "merge_size") or processor.resample != BICUBIC:
            raise UsageError("the image processor is not Qwen2-VL's: it must resize bicubically and merge patches")
        return cls(
            patch_size=processor.patch_size,
            merge_size=processor.merge_size,
            temporal_patch_size=processor.temporal_patch_size,
            fewest_pixels=_value(processor.size, "shortest_edge"),
            most_pixels=_value(processor.size, "longest_edge"),
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches that a photo of that size is cut into."""
        factor = self.patch_size * self.merge_size
        rows, columns = round(height / factor) * factor, round(width / factor) * factor
        if rows * columns > self.most_pixels:
            shrink = math.sqrt(height * width / self.most_pixels)
            rows = max(factor, math.floor(height / shrink / factor) * factor)
            columns = max(factor, math.floor(width / shrink / factor) * factor)
        elif rows * columns < self.fewest_pixels:
            grow = math.sqrt(self.fewest_pixels / (height * width))
            rows, columns = (math.ceil(side * grow / factor) * factor for side in (height, width))
        return rows // self.patch_size, columns // self.patch_size

    def __call__(self, images: "torch.Tensor") -> "torch.Tensor":
        """Flattened patches (photos, patches, 3 x temporal_patch_size x patch_size²), merge group by merge group."""
        rows, columns = self.grid(*images.shape[-2:])
        resized = resize(images, rows * self.patch_size, columns * self.patch_size)
        return patchify(self.normalise(resized), self.patch_size, self.merge_size, self.temporal_patch_size)


def patchify(images: "torch.Tensor", patch: int, merge: int, temporal: int) -> "torch.Tensor":
    """Patches (photos, patches, 3 x temporal x patch²) of images (photos, 3, height, width), group by group.

    A still picture is shown to the temporal axis ``temporal`` times.
    """
    photos, channels, height, width = images.shape
    group = patch * merge
    cut = images.reshape(photos, channels, height // group, merge, patch, width // group, merge, patch)
    ordered = cut.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
    repeated = ordered.expand(*ordered.shape[:6], temporal, patch, patch)
    return repeated.reshape(photos, (height // patch) * (width // patch), channels * temporal * patch * patch)


def resize(images: "torch.Tensor", height: int, width: int, centre: tuple[int, int] | None = None) -> "torch.Tensor":
    """Bicubic resize of images (…, height, width) in [0, 1], bit for bit what Pillow makes of the same 8-bit picture.

    Pillow resizes along one axis at a time and rounds to 8 bits in between: the width first, and from Pillow 13 on the
    height where it shrinks by more than twice as many pixels. An axis that keeps its length is left alone. Of a long
    strip all but the ``centre``, a height and a width, would be made for nothing: where it is given, no more than that
    is made.
    """
    rows, columns = centre or (height, width)
    lost_rows, lost_columns = images.shape[-2] - height, images.shape[-1] - width
    if lost_rows > max(0, 2 * lost_columns):
        upended = _along_last_axis(images.transpose(-1, -2), height, rows)
        return _along_last_axis(upended.transpose(-1, -2), width, columns)
    resized = _along_last_axis(images, width, columns)
    return _along_last_axis(resized.transpose(-1, -2), height, rows).transpose(-1, -2)


def _along_last_axis(images: "torch.Tensor", size: int, kept: int) -> "torch.Tensor":
    """The middle ``kept`` of ``size`` new pixels along the last axis."""
    import torch

    first = (size - kept) // 2
    if images.shape[-1] == size:
        return images[..., first : first + kept]
    weights = _weights(images.shape[-1], size, first, kept).to(images.device)
    smooth = images @ weights.to(images.dtype).T
    with torch.no_grad():
        # In place: of a large photo, each of these steps takes as long as memory takes to pass it on.
        levels = images.to(torch.float64, copy=True).mul_(255).round_() @ weights.T
        # Adding half and cutting off is what Pillow's integer arithmetic does.
        rounded = levels.add_(0.5).floor_().clamp_(0, 255).to(images.dtype).div_(255)
        correction = rounded.sub_(smooth)
    return smooth + correction


@lru_cache(maxsize=32)
def _weights(before: int, after: int, first: int, kept: int) -> "torch.Tensor":
    """Row i (of ``kept``) has the weights of the ``before`` old pixels in new pixel first + i, in steps of 2^-22."""
    import torch

    # One made in inference mode could not be used again where gradients are wanted.
    with torch.inference_mode(False):
        weights = torch.zeros(kept, before, dtype=torch.float64)
        for row in range(kept):
            start, steps = _pillow_weights(before, after, first + row)
            weights[row, start : start + len(steps)] = torch.tensor(steps, dtype=torch.float64)
        return weights / 2**PILLOW_PRECISION


def _pillow_weights(before: int, after: int, index: int) -> tuple[int, list[int]]:
    """The first of the ``before`` old pixels that new pixel ``index`` is made of, and the weights from there on."""
    scale = before / after
    stretch = max(scale, 1.0)
    support = 2.0 * stretch
    centre = (index + 0.5) * scale
    first, last = max(0, int(centre - support + 0.5)), min(before, int(centre + support + 0.5))
    raw = [_bicubic((place - centre + 0.5) / stretch) for place in range(first, last)]
    total = sum(raw)
    return first, [_rounded_away_from_zero(value / total * 2**PILLOW_PRECISION) for value in raw]


def _bicubic(distance: float) -> float:
    """Keys' cubic with a = -0.5, as Pillow has it."""
    near = abs(distance)
    if near < 1:
        return (1.5 * near - 2.5) * near * near + 1
    return ((-0.5 * near + 2.5) * near - 4) * near + 2 if near < 2 else 0.0


def _rounded_away_from_zero(value: float) -> int:
    return int(value - 0.5) if value < 0 else int(value + 0.5)


def _value(size: Any, name: str) -> int:
    return int((size[name] if isinstance(size, Mapping) else getattr(size, name)) or 0)
