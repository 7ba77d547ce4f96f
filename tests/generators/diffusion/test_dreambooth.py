"""DreamBooth with LoRA on pipelines with random weights: it learns, it is kept, it comes off again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from miniature_pictures import picture

from bench.core.errors import UsageError
from generators.diffusion.checkpoints import find_pipeline
from generators.diffusion.dreambooth import DreamBoothSynthesizer
from generators.diffusion.personalisation import Lesson, encode_photos, train_person
from generators.diffusion.pipelines import load_pipeline
from generators.diffusion.settings import Settings, parse_settings
from generators.diffusion.synthesis import SynthesisRequest
from scenarios.dataset import Dataset

Build = Callable[..., Dataset]
CPU = torch.device("cpu")


@pytest.fixture
def options(sd: Path) -> dict[str, Any]:
    return {
        "method": "dreambooth",
        "checkpoint": str(sd),
        "train_steps": 2,
        "rank": 2,
        "learning_rate": 1e-2,
        "gradient_checkpointing": False,
    }


def settings_of(options: dict[str, Any], **changes: Any) -> Settings:
    return parse_settings({"steps": 2, **options, **changes})


def request(name: str, references: tuple[bytes, ...], seed: int = 1) -> SynthesisRequest:
    return SynthesisRequest(name, name, "a photo of sks woman", references, seed, "woman")


def test_every_person_gets_own_photos(build: Build, options: dict[str, Any], tmp_path: Path) -> None:
    dataset = build(**options)
    assert len(dataset.pairs) == 4 and dataset.pairs["image"].nunique() == 4
    assert len(list((tmp_path / "build" / "people").glob("*.safetensors"))) == 2


def train(checkpoint: Path, options: dict[str, Any], **changes: Any) -> tuple[dict[str, torch.Tensor], list[float]]:
    """The LoRA of a person with one photo, and the losses that were told on the way."""
    settings = settings_of(options, checkpoint=str(checkpoint), **changes)
    weights = find_pipeline(str(checkpoint))
    pipeline = load_pipeline(weights, settings, torch.float32)
    losses: list[float] = []

    def note(text: str) -> None:
        losses.append(float(text.rpartition(" ")[2]))

    lesson = Lesson(encode_photos(pipeline, photos(1), settings, CPU), "a photo of sks woman")
    return train_person(pipeline, weights, settings, [lesson], 0, CPU, note), losses


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_training_lowers_the_loss(family: str, options: dict[str, Any], request: pytest.FixtureRequest) -> None:
    checkpoint = request.getfixturevalue(family)
    changes = {"train_steps": 21, "train_batch_size": 4, "rank": 8}
    state, losses = train(checkpoint, options, **changes, learning_rate=3e-2)
    _, without = train(checkpoint, options, **changes, learning_rate=1e-9)
    assert losses[0] == without[0]
    assert losses[-1] < without[-1] - 0.02
    assert all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in state.values())


def test_checkpointing_gradients_changes_no_lora(sd: Path, options: dict[str, Any]) -> None:
    recomputed, _ = train(sd, options, gradient_checkpointing=True)
    kept, _ = train(sd, options)
    assert recomputed.keys() == kept.keys()
    assert all(torch.allclose(recomputed[name], kept[name], atol=1e-6) for name in kept)


def test_training_leaves_the_global_random_state_alone(sd: Path, options: dict[str, Any]) -> None:
    torch.manual_seed(9)
    first, _ = train(sd, options)
    after = torch.rand(1)
    torch.manual_seed(9)
    second, _ = train(sd, options)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(after, torch.rand(1))


def photos(count: int) -> tuple[bytes, ...]:
    return tuple(picture(seed) for seed in range(count))


def test_a_trained_person_changes_the_photo_and_leaves_no_trace(options: dict[str, Any], tmp_path: Path) -> None:
    def draw(folder: str, requests: list[SynthesisRequest], **changes: Any) -> dict[str, bytes]:
        synthesizer = DreamBoothSynthesizer(settings_of(options, **changes), tmp_path / folder, print)
        return {photo.photo_id: photo.image for photo in synthesizer.synthesize(requests)}

    first, second = photos(2)
    both = draw("both", [request("a", (first,)), request("b", (second,))])
    assert both["a"] != both["b"]
    assert draw("second alone", [request("b", (second,))])["b"] == both["b"]
    assert draw("first alone", [request("a", (first,))])["a"] == both["a"]


def test_a_person_is_trained_once(build: Build, options: dict[str, Any], passes: list[int], tmp_path: Path) -> None:
    first = build(**options)
    whole = len(passes)
    for photo in (tmp_path / "build" / "photos").glob("*.png"):
        photo.unlink()
    passes.clear()
    assert build(**options).digest == first.digest
    # Two steps of training for each of two people are what was saved.
    assert len(passes) == whole - 4
    passes.clear()
    assert build(**options).digest == first.digest
    assert passes == []


def test_more_steps_a_photo_do_not_train_anew(build: Build, options: dict[str, Any], tmp_path: Path) -> None:
    build(**options)
    trained = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "build" / "people").iterdir()}
    build(**{**options, "steps": 3})
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "build" / "people").iterdir()} == trained


def test_people_at_large_are_drawn_once_and_weigh_in(
    build: Build, options: dict[str, Any], passes: list[int], tmp_path: Path
) -> None:
    without = build("without", **options)
    with_prior = build("with", **options, class_images=2)
    assert list((tmp_path / "with" / "people").glob("class-*.safetensors"))
    assert set(without.pairs["image"]) != set(with_prior.pairs["image"])
    assert build("with", **options, class_images=2).digest == with_prior.digest


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_it_learns_in_half_precision(build: Build, options: dict[str, Any], dtype: str) -> None:
    dataset = build(**options, dtype=dtype, limit=1)
    assert f"dtype={dtype}," in dataset.pairs["generator"][0]
    assert len(dataset.pairs) == 2


def test_it_runs_on_sdxl(build: Build, sdxl: Path, options: dict[str, Any]) -> None:
    dataset = build(**{**options, "checkpoint": str(sdxl)}, class_images=1, limit=1)
    assert len(dataset.pairs) == 2


def test_it_says_what_goes_on_before_the_first_photo(reference: str, options: dict[str, Any], tmp_path: Path) -> None:
    from generators.base import BuildOrder
    from generators.registry import make_generator

    said: list[tuple[int, int, str]] = []
    order = BuildOrder(reference, tmp_path / "build", report=lambda *what: said.append(what))
    make_generator("diffusion", {**options, "steps": 2}).build(order)
    assert said[0] == (0, 4, "")
    assert said[1][:2] == (0, 4) and said[1][2].startswith("learning evaluation-00")
    assert said[-1][:2] == (4, 4)


def test_sequential_offloading_cannot_train(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="offload=sequential cannot: use offload=model"):
        settings_of(options, offload="sequential")


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_prompt_that_spells_the_end_of_a_text_goes_on(
    family: str, options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    checkpoint = str(request.getfixturevalue(family))
    pipeline = load_pipeline(find_pipeline(checkpoint), settings_of(options, checkpoint=checkpoint), torch.float32)
    for tokenizer in (pipeline.tokenizer, getattr(pipeline, "tokenizer_2", pipeline.tokenizer)):
        read = tokenizer.convert_ids_to_tokens(tokenizer("a <|endoftext|> dog").input_ids)
        # Of the brackets this small tokenizer knows nothing.
        words = [token.removesuffix("</w>") for token in read if token != "<|endoftext|>"]
        assert words == ["<|startoftext|>", *"aendoftextdog"]
