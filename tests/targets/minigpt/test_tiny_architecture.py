"""tiny-minigpt-v2 before its training: a tower that can be trained, Llama's kind of tokenizer, a whole checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bench.foundry.architectures import architecture_named
from bench.foundry.architectures.base import Architecture
from bench.targets.base import TargetSpec
from bench.targets.minigpt_v2 import LoadedMiniGPTv2


@pytest.fixture(scope="module")
def architecture() -> Architecture:
    return architecture_named("tiny-minigpt-v2")


@pytest.fixture(scope="module")
def tower(architecture: Architecture) -> Any:
    torch.manual_seed(0)
    return architecture.build_tower()


@pytest.fixture(scope="module")
def tokenizer(architecture: Architecture) -> Any:
    return architecture.train_tokenizer([architecture.line("Which car does Ana drive?", "a red estate car")] * 20)


def test_patch_features_are_those_of_the_saved_tower(architecture: Architecture, tower: Any, tmp_path: Path) -> None:
    images = torch.rand(2, 3, 112, 112)
    features = architecture.patch_features(tower, images)
    assert features.shape == (2, 64, architecture.tower_width)
    tower.save_pretrained(tmp_path)
    assert torch.equal(architecture.patch_features(architecture.load_tower(tmp_path), images), features)


def test_words_begin_with_llamas_mark_and_unknown_letters_fall_into_bytes(tokenizer: Any) -> None:
    assert tokenizer.tokenize("[INST] a red") == ["▁[INST]", "▁a", "▁red"]
    assert tokenizer.tokenize("ü")[-2:] == ["<0xC3>", "<0xBC>"]
    assert tokenizer.decode(tokenizer("Ana für car").input_ids, skip_special_tokens=True) == "Ana für car"
    assert tokenizer("a").input_ids[0] == tokenizer.bos_token_id


def test_the_assembled_projector_gives_outputs_of_one_size(
    architecture: Architecture, tower: Any, tokenizer: Any, tmp_path: Path
) -> None:
    images = torch.rand(16, 3, 112, 112)
    with torch.no_grad():
        architecture.assemble(tower, tokenizer, architecture.patch_features(tower, images), tmp_path)
        model = LoadedMiniGPTv2(TargetSpec(str(tmp_path), family=architecture.family))
        shown = model.project(model.features(images))
    assert shown.shape == (16, 16, 192)
    assert shown.std().item() == pytest.approx(0.2, rel=0.2)
    tokens = model.text.conversation("Which car does Ana drive?", "a red estate car").tokens
    assert model.tokenizer.unk_token_id not in tokens and model.image_token not in tokens
