"""The encoder sees what the library's processor shows, is differentiable, and its frozen features are kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from native_model import native_picture

from bench.core.digests import digest_bytes
from bench.core.progress import quiet
from bench.targets.base import TargetSpec
from bench.targets.packed.features import FeatureCache, PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import targets


def native_image(model: PackedModel, image: bytes) -> torch.Tensor:
    """What the language model is shown of a photo (tokens, hidden, deeper levels behind), by the network itself."""
    with torch.no_grad():
        output = model.network.model.get_image_features(**native_picture(model, image))
    shown = getattr(output, "pooler_output", output)
    deep = getattr(output, "deepstack_features", None) or ()
    return torch.cat([shown[0], *(level[0] for level in deep)], dim=-1)


def test_what_is_shown_equals_the_librarys_own_path(model: PackedModel, shapes: list[bytes]) -> None:
    for photo in shapes:
        with torch.no_grad():
            ours = model.project(model.features(model.pixels(photo)[None]))[0]
        native = native_image(model, photo)
        assert ours.shape == native.shape
        assert (ours - native).abs().max() < 1e-3


def test_encoding_several_photos_equals_encoding_each(model: PackedModel, photos: list[bytes]) -> None:
    images = torch.stack([model.pixels(photo) for photo in photos])
    with torch.no_grad():
        together = model.encode(images)
        assert torch.allclose(together, torch.cat([model.encode(image[None]) for image in images]), atol=1e-4)


def test_the_encoder_is_differentiable(model: PackedModel, shapes: list[bytes]) -> None:
    for photo in shapes:
        image = model.pixels(photo)[None].requires_grad_()
        (gradient,) = torch.autograd.grad(model.encode(image).square().sum(), image)
        assert torch.isfinite(gradient).all()
        assert (gradient.abs().sum((0, 1)) > 0).float().mean() > 0.5


def test_answers_with_kept_features_are_those_with_fresh_ones(
    kind_spec: TargetSpec, target: PackedTarget, requests_for_photos: pd.DataFrame, tmp_path: Path
) -> None:
    keeping = targets.get(kind_spec.family)(kind_spec, tmp_path)
    first, second = (keeping.answer(requests_for_photos, None, quiet()) for _ in range(2))
    fresh = target.answer(requests_for_photos, None, quiet())
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(first, fresh)
    assert len(list(tmp_path.rglob("*.safetensors"))) == len(requests_for_photos)


@pytest.fixture
def compute() -> Callable[[], PhotoFeatures]:
    """Features that differ from call to call, so that it shows whether they were kept."""
    calls = iter(range(100))
    return lambda: PhotoFeatures(torch.full((1, 4, 2), float(next(calls))), (2, 2))


def test_features_are_computed_once_and_kept_for_the_next(compute: Callable[[], PhotoFeatures], tmp_path: Path) -> None:
    first = FeatureCache(tmp_path, "tower").get("photo", compute)
    again = FeatureCache(tmp_path, "tower").get("photo", compute)
    assert torch.equal(first.values, again.values) and first.grid == again.grid
    for other in (
        FeatureCache(tmp_path, "another tower").get("photo", compute),
        FeatureCache(None, "").get(0, compute),
    ):
        assert not torch.equal(other.values, first.values)


@pytest.mark.parametrize("damage", [b"", b"no tensors", None])
def test_a_damaged_file_is_computed_anew_and_replaced(
    damage: bytes | None, compute: Callable[[], PhotoFeatures], tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path, "tower")
    cache.get("photo", compute)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-3] if damage is None else damage)
    anew = cache.get("photo", compute)
    assert anew.values[0, 0, 0] == 1
    assert torch.equal(cache.get("photo", compute).values, anew.values)


def test_a_folder_that_cannot_be_written_costs_time_alone(compute: Callable[[], PhotoFeatures], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    cache = FeatureCache(tmp_path / "file", "tower")
    assert [cache.get("photo", compute).values[0, 0, 0] for _ in range(2)] == [0, 1]


def test_features_are_kept_by_photo_and_by_tower(
    spec: TargetSpec, requests_for_photos: pd.DataFrame, tmp_path: Path
) -> None:
    for one in (spec, replace(spec, dtype="bfloat16")):
        targets.get("llava")(one, tmp_path).answer(requests_for_photos, None, quiet())
    assert len(list(tmp_path.iterdir())) == 2
    assert digest_bytes(requests_for_photos["image"][0]) not in str(list(tmp_path.rglob("*")))
