"""SSIM and PSNR against values worked out another way."""

import math

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import DataError
from bench.defenses.photo import encode_png
from evaluators.image_quality import PSNR_CEILING, ImageQuality, psnr, ssim


def picture(seed: int, height: int = 24, width: int = 20) -> np.ndarray:
    smooth = np.random.default_rng(seed).integers(20, 236, (height // 4, width // 4, 3))
    return smooth.repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)


def noisy(pixels: np.ndarray, amount: int, seed: int = 9) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-amount, amount + 1, pixels.shape)
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


def ssim_by_hand(first: np.ndarray, second: np.ndarray) -> float:
    """Wang et al. 2004, window by window."""
    steps = np.arange(-5, 6)
    line = np.exp(-(steps**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    found = []
    for channel in range(3):
        a, b = first[:, :, channel].astype(float), second[:, :, channel].astype(float)
        for top in range(a.shape[0] - 10):
            for left in range(a.shape[1] - 10):
                x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
                mean_x, mean_y = (window * x).sum(), (window * y).sum()
                variance_x, variance_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
                covariance = (window * (x - mean_x) * (y - mean_y)).sum()
                luminance = (2 * mean_x * mean_y + 6.5025) / (mean_x**2 + mean_y**2 + 6.5025)
                structure = (2 * covariance + 58.5225) / (variance_x + variance_y + 58.5225)
                found.append(luminance * structure)
    return float(np.mean(found))


@pytest.mark.parametrize("amount", [2, 8, 60])
def test_ssim_agrees_with_the_definition(amount: int) -> None:
    first = picture(1)
    second = noisy(first, amount)
    assert ssim(first, second) == pytest.approx(ssim_by_hand(first, second), abs=1e-9)


def test_ssim_of_equal_photos_is_one_and_falls_with_noise() -> None:
    first = picture(2)
    assert ssim(first, first) == pytest.approx(1.0)
    assert 1 > ssim(first, noisy(first, 4)) > ssim(first, noisy(first, 30)) > 0


@pytest.mark.parametrize("level", [1, 8, 100])
def test_psnr_of_an_even_change(level: int) -> None:
    first = np.full((12, 12, 3), 100, dtype=np.uint8)
    assert psnr(first, first + np.uint8(level)) == pytest.approx(20 * math.log10(255 / level))


def test_psnr_has_a_ceiling_so_that_it_stays_a_number() -> None:
    first = np.full((400, 400, 3), 100, dtype=np.uint8)
    second = first.copy()
    second[0, 0, 0] += 1
    assert psnr(first, first) == psnr(first, second) == PSNR_CEILING


def rows(photo_id: str, original: np.ndarray, protected: np.ndarray) -> pd.DataFrame:
    row = {"photo_id": photo_id, "person_id": "p1", "scenario": "pet"}
    return pd.DataFrame([row | {"original": encode_png(original), "protected": encode_png(protected)}])


def test_one_value_a_photo_and_metric() -> None:
    first, second = picture(1), noisy(picture(1), 8)
    measured = ImageQuality().evaluate(pd.concat([rows("a", first, second), rows("b", first, first)]))
    found = {(row.metric, row.item_id): row.value for row in measured.itertuples()}
    assert found == {
        ("ssim", "a"): ssim(first, second),
        ("ssim", "b"): pytest.approx(1.0),
        ("psnr", "a"): psnr(first, second),
        ("psnr", "b"): PSNR_CEILING,
    }


def test_bad_photos_are_named() -> None:
    with pytest.raises(DataError, match="'beach-3': the original is"):
        ImageQuality().evaluate(rows("beach-3", picture(1), picture(1)[:20]))
    with pytest.raises(DataError, match="'beach-3' is smaller"):
        ImageQuality().evaluate(rows("beach-3", picture(1)[:8], picture(1)[:8]))
    broken = rows("beach-3", picture(1), picture(1)).assign(protected=[b"cut off"])
    with pytest.raises(DataError, match="'beach-3' cannot be decoded"):
        ImageQuality().evaluate(broken)
