"""Photos and a small fixed encoder for the tests of defenses."""

import numpy as np
import pytest
import torch

from bench.defenses.base import Photo, Surrogate


class FixedEncoder:
    """Two random convolutions that never change: 16 tokens of width 24 for a photo of any size.

    Brightness and contrast are taken out first: like a trained encoder, it sees through a change of light.
    """

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(7)
        self.first = torch.randn(16, 3, 5, 5, generator=generator) / 75**0.5
        self.second = torch.randn(24, 16, 3, 3, generator=generator) / 144**0.5

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Features (photos, 16, 24), each photo's independent of the batch."""
        centred = images - images.mean((2, 3), keepdim=True)
        levelled = centred / (centred.std((1, 2, 3), keepdim=True) + 0.02)
        hidden = torch.tanh(torch.nn.functional.conv2d(levelled, self.first, stride=2))
        hidden = torch.nn.functional.conv2d(hidden, self.second, stride=2)
        return torch.nn.functional.adaptive_avg_pool2d(torch.tanh(hidden), 4).flatten(2).transpose(1, 2)


@pytest.fixture(scope="session")
def surrogate() -> Surrogate:
    return FixedEncoder()


@pytest.fixture(scope="session")
def photos() -> list[Photo]:
    """Six faint pictures of two sizes."""
    made = []
    for number in range(6):
        generator = np.random.default_rng(number)
        height, width = (40, 32) if number % 3 else (32, 32)
        coarse = generator.uniform(110, 146, (5, 4, 3)).repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
        pixels = coarse.astype(np.uint8)
        made.append(Photo(f"photo-{number}", pixels, face_box=(8, 6, 24, 26)))
    return made
