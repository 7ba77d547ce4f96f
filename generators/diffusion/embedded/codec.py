"""Photos as small latents and back: principal components of patches, and a few convolutions that hide the seams."""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional


class PatchCodec(ModelMixin, ConfigMixin):
    """A linear code of square patches of ``patch`` pixels a side in ``channels`` numbers of about unit size.

    Decoding sharpens nothing: a small residual network only smooths what neighbouring patches disagree on.
    """

    @register_to_config
    def __init__(self, patch: int = 8, channels: int = 24, hidden: int = 24) -> None:
        super().__init__()
        size = 3 * patch * patch
        self.mean = nn.Parameter(torch.zeros(size))
        self.directions = nn.Parameter(torch.zeros(channels, size))
        self.scale = nn.Parameter(torch.ones(channels))
        self.smooth = nn.Sequential(
            nn.Conv2d(3, hidden, 5, padding=2),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(hidden, 3, 3, padding=1),
        )

    def fit(self, photos: torch.Tensor) -> None:
        """Take mean and principal directions from photos (photos, 3, side, side) in [-1, 1].

        Each number is divided by the square root of its deviation and all by one factor, so that large directions stay
        the larger ones, and the whole has unit variance.
        """
        patches = self._patches(photos).reshape(-1, self.mean.numel())
        mean = patches.mean(0)
        covariance = (patches - mean).T @ (patches - mean) / len(patches)
        values, vectors = torch.linalg.eigh(covariance.double())
        channels = self.config["channels"]
        deviation = values.flip(0)[:channels].clamp(min=1e-12).sqrt().float()
        scale = deviation.sqrt()
        factor = (deviation / scale).square().mean().sqrt()
        with torch.no_grad():
            self.mean.copy_(mean)
            self.directions.copy_(vectors.flip(1)[:, :channels].T.float())
            self.scale.copy_(scale * factor)

    def encode(self, photos: torch.Tensor) -> torch.Tensor:
        """Latents (photos, channels, rows, columns) of photos (photos, 3, side, side) in [-1, 1]."""
        patches = self._patches(photos)
        numbers = (patches - self.mean) @ self.directions.T / self.scale
        rows = photos.shape[-1] // self.config["patch"]
        return numbers.transpose(1, 2).unflatten(2, (rows, rows))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Photos (photos, 3, side, side) in about [-1, 1] of latents (photos, channels, rows, columns)."""
        numbers = latents.flatten(2).transpose(1, 2) * self.scale
        patches = (numbers @ self.directions + self.mean).transpose(1, 2)
        patch = self.config["patch"]
        side = latents.shape[-1] * patch
        photos = functional.fold(patches, (side, side), patch, stride=patch)
        return photos + self.smooth(photos)

    def _patches(self, photos: torch.Tensor) -> torch.Tensor:
        patch = self.config["patch"]
        return functional.unfold(photos, patch, stride=patch).transpose(1, 2)
