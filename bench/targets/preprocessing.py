"""A CLIP-style image processor written in torch, so that gradients reach the photo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ClipPreprocessing:
    """Resize the shorter side (bicubic), cut the centre, normalise: what transformers' CLIPImageProcessor does."""

    shortest_edge: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, processor: Any) -> "ClipPreprocessing":
        """Read the settings off a CLIPImageProcessor; raises ValueError where it works in another way."""
        size, crop = processor.size, processor.crop_size
        resample_bicubic = 3
        if not _value(size, "shortest_edge") or processor.resample != resample_bicubic or not processor.do_center_crop:
            raise ValueError("the image processor is not CLIP's: it must resize the shorter side bicubically and crop")
        return cls(
            shortest_edge=_value(size, "shortest_edge"),
            height=_value(crop, "height"),
            width=_value(crop, "width"),
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )

    def __call__(self, images: "torch.Tensor") -> "torch.Tensor":
        """Pixel values (photos, 3, height, width) of float images (photos, 3, any height, any width) in [0, 1].

        Within 1/255 of the processor before normalisation: the processor rounds to 8 bits after each resize pass,
        and so does this, with gradients passed straight through the rounding.
        """
        import torch

        height, width = images.shape[-2:]
        scale = self.shortest_edge / min(height, width)
        resized = images
        if (height, width) != (round(height * scale), round(width * scale)):
            resized = _resized(images, (height, int(width * scale)))
            resized = _resized(resized, (int(height * scale), int(width * scale)))
        top, left = (resized.shape[-2] - self.height) // 2, (resized.shape[-1] - self.width) // 2
        cut = resized[..., top : top + self.height, left : left + self.width]
        mean, std = (
            torch.tensor(v, dtype=cut.dtype, device=cut.device).view(1, 3, 1, 1) for v in (self.mean, self.std)
        )
        return (cut - mean) / std


def _value(size: Any, name: str) -> int:
    return int((size[name] if isinstance(size, Mapping) else getattr(size, name)) or 0)


def _resized(images: "torch.Tensor", size: tuple[int, int]) -> "torch.Tensor":
    import torch

    smooth = torch.nn.functional.interpolate(images, size=size, mode="bicubic", antialias=True, align_corners=False)
    rounded = (smooth.clamp(0, 1) * 255).round() / 255
    return smooth + (rounded - smooth).detach()
