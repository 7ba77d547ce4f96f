"""Fine-tuning learns, repeats itself, and leaves the base model as it was."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from bench.core.digests import digest_tree
from bench.core.errors import DataError
from bench.core.progress import quiet
from bench.targets.augmentation import random_view
from bench.targets.base import Augmentation, Recipe, TargetSpec, TrainingExample
from bench.targets.llava import Llava
from scenarios.dataset import load_dataset

VIEWS = Augmentation(views=3, scale=(0.8, 1.0), shift=0.1, colour=0.15, flip=0.5)
OPTIONS = ["red", "blue", "green"]


def tuned(spec: TargetSpec, examples: Sequence[TrainingExample], recipe: Recipe, seed: int, folder: Path) -> Path:
    folder.mkdir()
    Llava(spec).finetune(examples, recipe, seed, folder, quiet())
    return folder


def test_it_learns_which_answer_belongs_to_which_face(recipe: Recipe, tmp_path: Path) -> None:
    pairs = load_dataset("veilbench-mini").pairs
    photos = pairs[pairs["scenario"] == "home"]["image"].head(3)
    vehicles = ["red hatchback", "blue van", "yellow taxi"]
    question = "What does this person drive?"
    examples = [
        TrainingExample(vehicle, (photo,), ((question, vehicle),))
        for photo, vehicle in zip(photos, vehicles, strict=True)
    ]
    requests = pd.DataFrame(
        [
            {"request_id": v, "image": p, "question": question, "options": vehicles}
            for p, v in zip(photos, vehicles, strict=True)
        ]
    )
    losses: list[str] = []
    target = Llava(TargetSpec("tiny-llava"))
    recipe = replace(recipe, epochs=25, batch_size=3, learning_rate=3e-3, projector_learning_rate=1e-3, lora_rank=16)
    target.finetune(examples, recipe, 0, tmp_path, lambda done, total, note: losses.append(note))
    answers = target.answer(requests, tmp_path, quiet())
    assert list(answers["text"]) == vehicles
    assert list(answers["choice"]) == [0, 1, 2]
    assert float(losses[-1].split()[-1]) < 0.2 < float(losses[0].split()[-1])


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(
    spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    recipe = replace(recipe, augmentation=VIEWS)
    torch.manual_seed(99)
    first = digest_tree(tuned(spec, examples, recipe, 1, tmp_path / "first"))
    assert digest_tree(tuned(spec, examples, recipe, 1, tmp_path / "again")) == first
    assert digest_tree(tuned(spec, examples, recipe, 2, tmp_path / "other")) != first


def test_one_loaded_model_serves_adapters_in_turn_and_stays_the_base_model(
    spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    target = Llava(spec)
    requests = pd.DataFrame(
        [
            {
                "request_id": example.photo_id,
                "image": example.images[0],
                "question": "Which colour?",
                "options": OPTIONS,
            }
            for example in examples
        ]
    )
    before = target.answer(requests, None, quiet())
    (tmp_path / "adapter").mkdir()
    target.finetune(examples, recipe, 0, tmp_path / "adapter", quiet())
    during = target.answer(requests, tmp_path / "adapter", quiet())
    pd.testing.assert_frame_equal(target.answer(requests, None, quiet()), before)
    assert list(during["option_logprobs"]) != list(before["option_logprobs"])


def test_views_differ_keep_their_range_and_repeat(photos: list[bytes], spec: TargetSpec) -> None:
    image = Llava(spec).model.pixels(photos[0])
    draw = [random_view(image, VIEWS, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert all(view.shape == image.shape and view.min() >= 0 and view.max() <= 1 for view in draw)


def test_a_photo_that_cannot_be_decoded_is_a_data_error(spec: TargetSpec, photos: list[bytes]) -> None:
    with pytest.raises(DataError, match="decoded"):
        Llava(spec).model.pixels(photos[0][:40])
