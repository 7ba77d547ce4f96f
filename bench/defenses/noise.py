"""Uniform noise at the full budget: the placebo that a method must beat."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.defenses.base import Defense, DefenseContext
from bench.defenses.photo import Photo
from bench.defenses.registry import defenses


@defenses.register("noise")
class Noise(Defense):
    """Add to each pixel and channel an independent whole number, uniform in [-eps, eps] with both ends."""

    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[npt.NDArray[np.float32]]:
        """Return each photo plus its own noise."""
        import torch

        largest = context.budget.whole_levels
        perturbed = []
        for done, photo in enumerate(photos, start=1):
            generator = context.generator(photo.photo_id)
            noise = torch.randint(-largest, largest + 1, photo.pixels.shape, generator=generator)
            perturbed.append(photo.pixels.astype(np.float32) + noise.numpy().astype(np.float32))
            context.report(done, len(photos), "")
        return perturbed
