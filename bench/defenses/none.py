"""No defense: the control whose leakage every defense is compared with."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.defenses.base import Defense, DefenseContext
from bench.defenses.photo import Photo
from bench.defenses.registry import defenses


@defenses.register("none")
class NoDefense(Defense):
    """Leave every photo as it is."""

    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[npt.NDArray[np.float32]]:
        """Return the photos' own grey levels."""
        return [photo.pixels.astype(np.float32) for photo in photos]
