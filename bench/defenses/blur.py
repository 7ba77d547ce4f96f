"""A blurred face: the visible edit that people make by hand."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.core.errors import UsageError
from bench.defenses.base import Defense, DefenseContext
from bench.defenses.photo import Photo
from bench.defenses.registry import defenses


@defenses.register("blur")
class Blur(Defense):
    """Blur the face box with a Gaussian whose standard deviation is ``strength`` times the box's shorter side.

    A visible edit: it is not held to the budget.
    """

    visible = True
    needs = frozenset({"face_box"})

    def __init__(self, *, strength: float = 0.15) -> None:
        if not 0 < strength <= 10:
            raise UsageError(f"blur: strength must be above 0 and at most 10, got {strength}.")
        self.strength = strength

    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[npt.NDArray[np.float32]]:
        """Return each photo with its face box blurred and everything else as it was."""
        blurred = []
        for done, photo in enumerate(photos, start=1):
            blurred.append(self._blur(photo))
            context.report(done, len(photos), "")
        return blurred

    def _blur(self, photo: Photo) -> npt.NDArray[np.float32]:
        from scipy.ndimage import gaussian_filter

        assert photo.face_box is not None, "it is among the needs"
        left, top, right, bottom = photo.face_box
        deviation = self.strength * min(right - left, bottom - top)
        levels = photo.pixels.astype(np.float32)
        # The whole photo is filtered, so that the box's rim takes its colours from what is really around it.
        smooth = gaussian_filter(levels, sigma=(deviation, deviation, 0), mode="nearest")
        levels[top:bottom, left:right] = smooth[top:bottom, left:right]
        return levels
