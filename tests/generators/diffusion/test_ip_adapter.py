"""IP-Adapter on pipelines with random weights: who is in a photo, batches, resuming."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import UsageError
from bench.defenses.photo import encode_png
from generators.base import BuildOrder
from generators.registry import make_generator
from scenarios.dataset import Dataset
from scenarios.pixels import decode_pixels

Build = Callable[..., Dataset]


def pixels(image: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"), np.int16)


def largest_difference(one: Dataset, other: Dataset) -> int:
    pairs = zip(one.pairs["image"], other.pairs["image"], strict=True)
    return max(int(np.abs(pixels(first) - pixels(second)).max()) for first, second in pairs)


@pytest.fixture
def options(sd: Path, adapter: Path) -> dict[str, Any]:
    return {"method": "ip-adapter", "checkpoint": str(sd), "adapter": str(adapter)}


def test_every_person_gets_a_photo_of_every_fact(build: Build, options: dict[str, Any]) -> None:
    dataset = build(**options)
    assert set(dataset.pairs["pair_id"]) == {
        "evaluation-000-friends",
        "evaluation-000-home",
        "evaluation-001-home",
        "evaluation-001-pet",
    }
    assert {pixels(image).shape for image in dataset.pairs["image"]} == {(32, 32, 3)}
    assert dataset.pairs["image"].nunique() == 4


def test_the_batch_size_changes_no_photo(build: Build, options: dict[str, Any]) -> None:
    alone = build("alone", **options, batch_size=1)
    together = build("together", **options, batch_size=3)
    assert largest_difference(alone, together) <= 1


def test_equal_orders_give_equal_photos_and_another_seed_gives_others(build: Build, options: dict[str, Any]) -> None:
    first, second, other = (build(str(number), **options, seed=seed) for number, seed in enumerate((0, 0, 1)))
    assert first.digest == second.digest
    assert largest_difference(first, other) > 20


def test_the_references_decide_on_the_photo(build: Build, options: dict[str, Any]) -> None:
    looking = build("looking", **options)
    blind = build("blind", **options, adapter_scale=0.0)
    assert largest_difference(looking, blind) > 1


def test_people_in_one_batch_each_get_their_own_references(options: dict[str, Any]) -> None:
    from generators.diffusion.ip_adapter import IPAdapterSynthesizer
    from generators.diffusion.settings import parse_settings
    from generators.diffusion.synthesis import SynthesisRequest

    synthesizer = IPAdapterSynthesizer(parse_settings({**options, "steps": 2, "adapter_scale": 1.5}))
    faces = [solid_photo(colour) for colour in ("black", "white")]
    requests = [SynthesisRequest(str(index), str(index), "a photo", (faces[index % 2],), 7) for index in range(4)]
    first, second, third, fourth = (photo.image for photo in synthesizer.synthesize(requests))
    assert np.abs(pixels(first) - pixels(second)).max() > 1
    assert np.abs(pixels(first) - pixels(third)).max() <= 1
    assert np.abs(pixels(second) - pixels(fourth)).max() <= 1


def solid_photo(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def test_people_with_fewer_references_keep_their_photo_in_any_batch(options: dict[str, Any]) -> None:
    from generators.diffusion.ip_adapter import IPAdapterSynthesizer
    from generators.diffusion.settings import parse_settings
    from generators.diffusion.synthesis import SynthesisRequest

    synthesizer = IPAdapterSynthesizer(parse_settings({**options, "steps": 2}))
    black, white = solid_photo("black"), solid_photo("white")
    requests = [
        SynthesisRequest("two", "a", "a photo", (black, white), 1),
        SynthesisRequest("one", "b", "a photo", (white,), 2),
    ]
    together = {photo.photo_id: photo.image for photo in synthesizer.synthesize(requests)}
    for request in requests:
        (alone,) = synthesizer.synthesize([request])
        assert np.abs(pixels(alone.image) - pixels(together[request.photo_id])).max() <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"attention_slicing": True},
        {"vae_slicing": False},
        {"guidance": 1.0},
        {"dtype": "bfloat16"},
        {"size": 48},
        {"adapter_weights": "models/ip-adapter_sd15.safetensors"},
    ],
)
def test_it_runs_with(build: Build, options: dict[str, Any], changes: dict[str, Any]) -> None:
    assert len(build(**{**options, **changes}, limit=1).pairs) == 2


def test_slicing_changes_no_photo(build: Build, options: dict[str, Any]) -> None:
    sliced = build("sliced", **options, attention_slicing=True)
    whole = build("whole", **options, vae_slicing=False)
    assert largest_difference(sliced, whole) <= 1


def test_it_runs_on_sdxl(build: Build, sdxl: Path, options: dict[str, Any]) -> None:
    alone = build("alone", **{**options, "checkpoint": str(sdxl)}, batch_size=1)
    together = build("together", **{**options, "checkpoint": str(sdxl)}, batch_size=3)
    assert largest_difference(alone, together) <= 1
    assert alone.pairs["image"].nunique() == 4


def test_a_second_build_computes_nothing(build: Build, options: dict[str, Any], passes: list[int]) -> None:
    first = build(**options)
    assert passes
    passes.clear()
    assert build(**options).digest == first.digest
    assert passes == []


def test_a_stopped_build_goes_on_where_it_was(reference: str, options: dict[str, Any], tmp_path: Path) -> None:
    generator = make_generator("diffusion", {**options, "steps": 2, "batch_size": 3})

    def stop_at_the_second_photo(done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.build(BuildOrder(reference, tmp_path / "build", report=stop_at_the_second_photo))
    resumed = generator.build(BuildOrder(reference, tmp_path / "build"))
    assert resumed.digest == generator.build(BuildOrder(reference, tmp_path / "fresh")).digest


def test_only_what_a_stop_left_over_is_made(
    reference: str, options: dict[str, Any], passes: list[int], tmp_path: Path
) -> None:
    generator = make_generator("diffusion", {**options, "steps": 2, "batch_size": 1})

    def stop_at_the_third_photo(done: int, total: int, note: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.build(BuildOrder(reference, tmp_path, report=stop_at_the_third_photo))
    for_three = len(passes)
    passes.clear()
    generator.build(BuildOrder(reference, tmp_path))
    assert 3 * len(passes) == for_three


@pytest.mark.parametrize("left", [lambda image: image[:100], lambda image: encode_png(0 * decode_pixels("", image))])
def test_a_photo_that_is_damaged_or_black_is_made_again(
    build: Build, options: dict[str, Any], passes: list[int], tmp_path: Path, left: Callable[[bytes], bytes]
) -> None:
    whole = build(**options)
    photo = next((tmp_path / "build" / "photos").glob("*.png"))
    photo.write_bytes(left(photo.read_bytes()))
    passes.clear()
    assert build(**options).digest == whole.digest
    assert passes


def test_other_settings_do_not_take_the_finished_photos(
    build: Build, options: dict[str, Any], passes: list[int]
) -> None:
    build(**options)
    passes.clear()
    build(**{**options, "guidance": 3.0})
    assert passes


def test_an_adapter_for_another_pipeline_is_refused_in_one_sentence(
    build: Build, sdxl: Path, options: dict[str, Any]
) -> None:
    wrong = {**options, "checkpoint": str(sdxl), "adapter_weights": "models/ip-adapter-plus-face_sd15.safetensors"}
    with pytest.raises(UsageError, match=r"adapter 'tiny-ip-adapter' .* does not fit the checkpoint 'tiny-sdxl'"):
        build(**wrong)


def test_a_missing_adapter_file_is_named(build: Build, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"there is no models/none\.safetensors in it"):
        build(**options, adapter_weights="models/none.safetensors")


def test_a_folder_checkpoint_fetches_no_adapter(build: Build, sd: Path) -> None:
    with pytest.raises(UsageError, match="option adapter is missing: the checkpoint is a folder"):
        build(method="ip-adapter", checkpoint=str(sd))
