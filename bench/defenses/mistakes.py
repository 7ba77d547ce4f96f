"""Mistakes of scale and order that clipping to the budget would hide, so that a darkened photo counts as protected."""

import numpy as np
import numpy.typing as npt

from scenarios.pixels import Pixels

LARGEST_CUT = 0.8
"""A defense of whose change the budget cuts off a larger share means other values than grey levels near the photo's.

One that ends on a whole sign step of ten times the budget would lose nine tenths; one that draws normal noise with the
budget as deviation loses a sixth.
"""


def likely_mistake(original: Pixels, levels: npt.NDArray[np.float64]) -> str | None:
    """What ``levels``, of the same shape, seem to be where they are no picture in grey levels, or None."""
    # Standardised pictures reach from about -2.2 to 2.7, and no photo but a black one lies there.
    if original.max() > 32 and np.abs(levels).max() <= 3 and (levels != np.rint(levels)).any():
        return (
            f"values from {levels.min():.2f} to {levels.max():.2f}, where grey levels 0 to 255 are expected"
            " (multiply by 255?)"
        )
    turned = original[..., ::-1]
    from_turned, from_original = np.abs(levels - turned).mean(), np.abs(levels - original).mean()
    if from_turned < from_original / 2:
        return (
            "a picture that is nearer to the photo's in the order blue, green, red, where red, green, blue is expected"
        )
    return None
