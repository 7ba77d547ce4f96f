"""The renderer reproduces the shipped photos. Needs `make render-deps`."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("mitsuba", reason="needs `make render-deps`")
pytest.importorskip("pyoidn", reason="needs `make render-deps`")

from bench.core.progress import quiet
from generators.registry import generators
from scenarios.dataset import Dataset, load_dataset


def pixels(image: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image))).astype(int)


@pytest.fixture(scope="module")
def rendered() -> Dataset:
    return generators.get("render")().build("veilbench-mini", 1, 1, quiet())


def test_one_person_comes_out_as_shipped(rendered: Dataset) -> None:
    shipped = load_dataset("veilbench-mini").first_people(1)
    assert list(rendered.pairs["pair_id"]) == list(shipped.pairs["pair_id"])
    assert list(rendered.probes["question"]) == list(shipped.probes["question"])
    for ours, theirs in zip(rendered.pairs["image"], shipped.pairs["image"], strict=True):
        # Another processor may round the denoiser's last bit otherwise.
        assert np.abs(pixels(ours) - pixels(theirs)).mean() < 1


def test_equal_plans_give_equal_bytes(rendered: Dataset) -> None:
    again = generators.get("render")().build("veilbench-mini", 1, 1, quiet())
    assert again.digest == rendered.digest


def test_the_face_box_holds_the_face(rendered: Dataset) -> None:
    for row in rendered.pairs.itertuples():
        left, top, right, bottom = row.face_box
        assert 0 <= left < right <= 128 and 0 <= top < bottom <= 128
        assert 0.08 < (right - left) * (bottom - top) / 128**2 < 0.7
