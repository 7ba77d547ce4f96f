"""Fine-tuning learns, repeats itself, and leaves the base model as it was."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from bench.core.digests import digest_tree
from bench.core.errors import DataError, UsageError
from bench.core.progress import quiet
from bench.targets.base import Augmentation, Recipe, TargetSpec, TrainingExample
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.llava import Llava
from bench.targets.packed.target import PackedTarget, is_checkpoint
from bench.targets.training.augmentation import random_view
from scenarios.dataset import load_dataset

VIEWS = Augmentation(views=3, scale=(0.8, 1.0), shift=0.1, colour=0.15, flip=0.5)


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


@pytest.mark.parametrize("changes", [{}, {"tower_lora_rank": 2}, {"method": "full"}])
def test_one_loaded_model_serves_what_was_tuned_and_stays_the_base_model(
    changes: dict[str, Any],
    target: PackedTarget,
    examples: list[TrainingExample],
    requests_for_photos: pd.DataFrame,
    recipe: Recipe,
    tmp_path: Path,
) -> None:
    before = target.answer(requests_for_photos, None, quiet())
    weights = {name: value.clone() for name, value in target.model.network.state_dict().items()}
    target.finetune(examples, replace(recipe, **changes), 0, tmp_path, quiet())
    during = target.answer(requests_for_photos, tmp_path, quiet())
    pd.testing.assert_frame_equal(target.answer(requests_for_photos, None, quiet()), before)
    now = target.model.network.state_dict()
    assert weights.keys() == now.keys() and all(torch.equal(value, now[name]) for name, value in weights.items())
    assert not any(parameter.requires_grad for parameter in target.model.network.parameters())
    differences = np.subtract(during["option_logprobs"].tolist(), before["option_logprobs"].tolist())
    assert np.abs(differences).min() > 1e-3


@pytest.mark.parametrize("method", ["lora", "full"])
def test_every_recipe_learns(
    method: str, target: PackedTarget, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    losses: list[float] = []
    recipe = replace(recipe, method=method, epochs=12, batch_size=3, learning_rate=5e-3, projector_learning_rate=5e-3)
    target.finetune(examples, recipe, 0, tmp_path, lambda done, total, note: losses.append(float(note.split()[-1])))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    "fitted", [{"training_batch_size": 1}, {"training_batch_size": 2}, {"gradient_checkpointing": True}]
)
def test_how_it_is_fitted_into_memory_does_not_change_the_gradient(
    fitted: dict[str, Any], target: PackedTarget, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    uneven = [*examples[:2], replace(examples[2], conversations=(("What?", "an answer of many tokens"),))]
    recipe = replace(recipe, batch_size=3, tower_lora_rank=2)
    found = [
        trained_tensors(target, {}, uneven, recipe, tmp_path / "whole"),
        trained_tensors(target, fitted, uneven, recipe, tmp_path / "fitted"),
    ]
    assert_close(*found, 1e-3)
    # AdamW divides a gradient by its size: where it is nothing but rounding, so is the step. Few entries are like that.
    apart = torch.cat([(found[0][name] - found[1][name]).abs().flatten() for name in found[0]])
    assert float((apart < 1e-4).double().mean()) > 0.999


def trained_tensors(
    target: PackedTarget, fitted: dict[str, Any], examples: list[TrainingExample], recipe: Recipe, folder: Path
) -> dict[str, torch.Tensor]:
    folder.mkdir()
    type(target)(replace(target.spec, **fitted)).finetune(examples, recipe, 0, folder, quiet())
    return load_file(folder / "adapter_model.safetensors")


def assert_close(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], tolerance: float) -> None:
    assert first.keys() == second.keys()
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < tolerance


def test_a_coarse_base_is_tuned_by_fine_weights(
    target: PackedTarget,
    examples: list[TrainingExample],
    requests_for_photos: pd.DataFrame,
    recipe: Recipe,
    tmp_path: Path,
) -> None:
    coarse = type(target)(replace(target.spec, dtype="bfloat16"))
    losses: list[float] = []
    recipe = replace(recipe, epochs=12, batch_size=3, learning_rate=5e-3, projector_learning_rate=5e-3)
    coarse.finetune(examples, recipe, 0, tmp_path, lambda done, total, note: losses.append(float(note.split()[-1])))
    assert losses[-1] < 0.8 * losses[0]
    assert {value.dtype for value in load_file(tmp_path / "adapter_model.safetensors").values()} == {torch.float32}
    assert {parameter.dtype for parameter in coarse.model.network.parameters()} == {torch.bfloat16}
    assert set(coarse.answer(requests_for_photos, tmp_path, quiet())["status"]) <= {"ok", "invalid"}


def test_a_coarse_base_is_tuned_in_full_by_fine_weights(
    target: PackedTarget, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    coarse = type(target)(replace(target.spec, dtype="bfloat16"))
    coarse.finetune(examples, replace(recipe, method="full"), 0, tmp_path, quiet())
    assert {value.dtype for value in load_file(tmp_path / "model.safetensors").values()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in coarse.model.network.parameters()} == {torch.bfloat16}


def test_a_tuned_tower_is_part_of_the_adapter_and_of_the_answers(
    target: PackedTarget,
    examples: list[TrainingExample],
    requests_for_photos: pd.DataFrame,
    recipe: Recipe,
    tmp_path: Path,
) -> None:
    recipe = replace(recipe, augmentation=VIEWS, tower_lora_rank=2)
    keeping = type(target)(target.spec, tmp_path / "features")
    (tmp_path / "adapter").mkdir()
    keeping.finetune(examples, recipe, 0, tmp_path / "adapter", quiet())
    tensors = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    tower = {name: value for name, value in tensors.items() if target.model.tower_name in name and "lora_B" in name}
    assert tower and all(value.shape[1:] == (2,) for value in tower.values())
    assert sum(float(value.abs().max()) > 0 for value in tower.values()) > len(tower) / 2
    keeping.answer(requests_for_photos, None, quiet())
    with_kept = keeping.answer(requests_for_photos, tmp_path / "adapter", quiet())
    pd.testing.assert_frame_equal(with_kept, target.answer(requests_for_photos, tmp_path / "adapter", quiet()))


def test_full_fine_tuning_writes_a_checkpoint_that_loads_by_itself(
    target: PackedTarget,
    examples: list[TrainingExample],
    requests_for_photos: pd.DataFrame,
    recipe: Recipe,
    tmp_path: Path,
) -> None:
    recipe = replace(recipe, method="full", augmentation=VIEWS)
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        target.finetune(examples, recipe, 0, tmp_path / name, quiet())
    first = tmp_path / "first"
    assert digest_tree(first) == digest_tree(tmp_path / "again")
    assert is_checkpoint(first) and resolve_checkpoint(str(first)) == first
    assert str(target.model.folder) not in (first / "config.json").read_text()
    assert {file.name for file in target.model.folder.iterdir()} <= {file.name for file in first.iterdir()}
    alone = type(target)(replace(target.spec, checkpoint=str(first)))
    answers = alone.answer(requests_for_photos, None, quiet())
    pd.testing.assert_frame_equal(answers, target.answer(requests_for_photos, first, quiet()))
    before, after = target.model.network.state_dict(), alone.model.network.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert any("embed_tokens" in name for name in changed) and "lm_head.weight" in changed
    frozen = {name for name in before if name.startswith(f"{target.model.tower_name}.")}
    frozen -= {name for name in before if name.startswith(f"{target.model.projector_name}.")}
    assert frozen and not changed & frozen


def test_a_llava_in_full_has_the_names_that_serving_engines_know(
    spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    Llava(spec).finetune(examples, replace(recipe, method="full"), 0, tmp_path, quiet())
    names = load_file(tmp_path / "model.safetensors")
    assert all("vision_tower.vision_model." in name for name in names if "vision_tower." in name)


def test_what_does_not_go_together_is_refused(
    spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    target = Llava(spec)
    with pytest.raises(UsageError, match="tower_lora_rank goes with method lora"):
        target.finetune(examples, replace(recipe, method="full", tower_lora_rank=2), 0, tmp_path, quiet())
    target.model.spec = replace(spec, quantization="4bit")
    with pytest.raises(UsageError, match="4bit weights do not allow: take method lora"):
        target.finetune(examples, replace(recipe, method="full"), 0, tmp_path, quiet())
    if find_spec("bitsandbytes") is None:
        with pytest.raises(UsageError, match="pip install bitsandbytes"):
            Llava(replace(spec, quantization="4bit")).finetune(examples, recipe, 0, tmp_path, quiet())
    assert list(tmp_path.iterdir()) == []


def test_views_differ_keep_their_range_and_repeat(photos: list[bytes], spec: TargetSpec) -> None:
    image = Llava(spec).model.pixels(photos[0])
    draw = [random_view(image, VIEWS, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])
    assert all(view.shape == image.shape and view.min() >= 0 and view.max() <= 1 for view in draw)


def test_a_photo_that_cannot_be_decoded_is_a_data_error(spec: TargetSpec, photos: list[bytes]) -> None:
    with pytest.raises(DataError, match="decoded"):
        Llava(spec).model.pixels(photos[0][:40])
