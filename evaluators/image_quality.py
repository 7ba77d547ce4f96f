"""How far a protected photo is from the original to the eye: SSIM and PSNR."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.core.errors import DataError
from evaluators.base import Evaluator, Metric, value_rows
from evaluators.registry import evaluators
from scenarios.pixels import decode_pixels

PSNR_CEILING = 100.0
"""Given for equal photos, whose PSNR is infinite, and as the largest value of all."""

WINDOW = 11
"""Side in pixels of the Gaussian window that SSIM looks through."""


def psnr(original: npt.NDArray[np.uint8], protected: npt.NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels, peak 255, at most ``PSNR_CEILING``."""
    error = float(np.mean((original.astype(np.float64) - protected.astype(np.float64)) ** 2))
    return PSNR_CEILING if error == 0 else min(float(10 * np.log10(255.0**2 / error)), PSNR_CEILING)


def ssim(original: npt.NDArray[np.uint8], protected: npt.NDArray[np.uint8]) -> float:
    """Structural similarity in [-1, 1] (Wang et al. 2004), uint8 (height, width, 3), mean of the three channels.

    Gaussian window of 11 pixels with standard deviation 1.5, K1 .01, K2 .03, population covariance, and only
    positions where the whole window lies in the photo.
    """
    first, second = original.astype(np.float64), protected.astype(np.float64)
    mean_first, mean_second = _window_mean(first), _window_mean(second)
    variance_first = _window_mean(first**2) - mean_first**2
    variance_second = _window_mean(second**2) - mean_second**2
    covariance = _window_mean(first * second) - mean_first * mean_second
    small_mean, small_variance = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = (2 * mean_first * mean_second + small_mean) * (2 * covariance + small_variance)
    similarity /= (mean_first**2 + mean_second**2 + small_mean) * (variance_first + variance_second + small_variance)
    return float(similarity.mean())


def _window_mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Gaussian-weighted mean around each pixel whose window lies in the photo, channels apart."""
    from scipy.ndimage import gaussian_filter

    radius = WINDOW // 2
    blurred: Any = gaussian_filter(values, sigma=(1.5, 1.5, 0), radius=(radius, radius, 0))
    inner: npt.NDArray[np.float64] = blurred[radius:-radius, radius:-radius]
    return inner


@evaluators.register("image_quality")
class ImageQuality(Evaluator):
    """SSIM and PSNR of each protected photo against its original."""

    subject = "photos"
    metrics = (
        Metric("ssim", "index", "up", "Structural similarity to the original, 1 for equal photos."),
        Metric("psnr", "dB", "up", f"Peak signal-to-noise ratio, {PSNR_CEILING:g} for equal photos."),
    )

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Decode and compare each pair; ``DataError`` names a photo that is broken, resized, or under 11 pixels."""
        similarities, ratios = [], []
        for photo_id, first, second in zip(rows["photo_id"], rows["original"], rows["protected"], strict=True):
            original, protected = decode_pixels(str(photo_id), first), decode_pixels(str(photo_id), second)
            if original.shape != protected.shape:
                raise DataError(
                    f"photo '{photo_id}': the original is {original.shape}, the protected one {protected.shape}."
                )
            if min(original.shape[:2]) < WINDOW:
                raise DataError(f"photo '{photo_id}' is smaller than SSIM's window of {WINDOW} pixels.")
            similarities.append(ssim(original, protected))
            ratios.append(psnr(original, protected))
        return pd.concat(
            [value_rows("ssim", rows, "photo_id", similarities), value_rows("psnr", rows, "photo_id", ratios)],
            ignore_index=True,
        )
