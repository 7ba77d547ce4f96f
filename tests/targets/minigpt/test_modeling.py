"""The network of MiniGPT-v2: it computes what its parts compute, is saved and loaded whole, and generates."""

from pathlib import Path

import pytest
import torch
from small_minigpt import small_vision

from bench.targets.minigpt.configuration import MiniGPTv2Config
from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration, register
from bench.targets.minigpt.vision import EvaVisionModel

BEFORE, AFTER = [1, 300, 301], [302, 303, 304, 305]


def prompt(network: MiniGPTv2ForConditionalGeneration, photos: int) -> torch.Tensor:
    image = [network.config.image_token_id] * network.config.image_tokens
    return torch.tensor([[*BEFORE, *image, *AFTER]] * photos)


def test_four_neighbours_in_a_row_make_an_image_token(network: MiniGPTv2ForConditionalGeneration) -> None:
    features = torch.arange(64.0).view(1, 64, 1).expand(-1, -1, 32)
    together = network.model.neighbouring_patches(features)
    assert together.shape == (1, 16, 128)
    assert together[0, 5].view(4, 32)[:, 0].tolist() == [20, 21, 22, 23]


def test_the_whole_is_what_its_parts_compute(network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor) -> None:
    inner, words = network.model, network.get_input_embeddings()
    with torch.no_grad():
        logits = network(input_ids=prompt(network, 2), pixel_values=pixels).logits
        features = inner.vision_tower(pixels).last_hidden_state
        assert features.shape == (2, 65, 32)
        image = inner.multi_modal_projector(features[:, 1:].reshape(2, 16, 128))
        before, after = (words(torch.tensor([ids, ids])) for ids in (BEFORE, AFTER))
        hidden = inner.language_model(inputs_embeds=torch.cat([before, image, after], dim=1)).last_hidden_state
        assert torch.allclose(logits, network.lm_head(hidden), atol=1e-5)
        assert not torch.allclose(logits[0], logits[1], atol=1e-2)


def test_it_is_saved_and_loaded_whole(
    network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor, tmp_path: Path
) -> None:
    network.save_pretrained(tmp_path)
    register()
    from transformers import AutoModelForImageTextToText

    loaded, report = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert isinstance(loaded, MiniGPTv2ForConditionalGeneration)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    ids = prompt(network, 2)
    with torch.no_grad():
        expected = network(input_ids=ids, pixel_values=pixels).logits
        assert torch.equal(loaded.eval()(input_ids=ids, pixel_values=pixels).logits, expected)


def test_the_tower_is_saved_and_loaded_alone(pixels: torch.Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tower = EvaVisionModel(small_vision())
    tower.save_pretrained(tmp_path)
    loaded = EvaVisionModel.from_pretrained(tmp_path)
    assert torch.equal(loaded(pixels).last_hidden_state, tower(pixels).last_hidden_state)
    assert {"blocks.0.attn.q_bias", "blocks.1.mlp.fc2.weight", "ln_vision.bias"} <= set(loaded.state_dict())


@pytest.mark.parametrize("photos", [1, 2])
def test_generating_with_a_cache_equals_generating_without(
    network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor, photos: int
) -> None:
    network.generation_config.eos_token_id = None
    given = {"input_ids": prompt(network, photos), "pixel_values": pixels[:photos]}
    settings = {"do_sample": False, "max_new_tokens": 8}
    cached = network.generate(**given, use_cache=True, **settings)
    assert torch.equal(cached, network.generate(**given, use_cache=False, **settings))
    assert cached.shape[1] == given["input_ids"].shape[1] + 8
    blind = network.generate(**(given | {"pixel_values": -pixels[:photos]}), use_cache=True, **settings)
    assert not torch.equal(cached, blind)


def test_the_loss_is_that_of_the_labels(network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor) -> None:
    ids = prompt(network, 2)
    labels = torch.full_like(ids, -100)
    labels[:, -2:] = ids[:, -2:]
    with torch.no_grad():
        done = network(input_ids=ids, pixel_values=pixels, labels=labels)
    scores = done.logits[:, -3:-1].log_softmax(-1).gather(2, ids[:, -2:, None])
    assert done.loss.item() == pytest.approx(-scores.mean().item(), abs=1e-5)


def test_gradients_reach_the_photo_with_checkpointing_and_without(
    network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor
) -> None:
    found = []
    for checkpointing in (False, True):
        if checkpointing:
            network.gradient_checkpointing_enable({"use_reentrant": False})
            network.train()
        photo = pixels.clone().requires_grad_(True)
        network(input_ids=prompt(network, 2), pixel_values=photo, labels=prompt(network, 2)).loss.backward()
        found.append(photo.grad)
    assert found[0].abs().max() > 0
    assert torch.allclose(found[0], found[1], atol=1e-6)


def test_an_image_token_beyond_the_vocabulary_needs_no_embedding(
    network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor
) -> None:
    ids = prompt(network, 2)
    with torch.no_grad():
        expected = network(input_ids=ids, pixel_values=pixels).logits
        ids[ids == network.config.image_token_id] = network.config.text_config.vocab_size
        network.config.image_token_id = network.config.text_config.vocab_size
        assert torch.equal(network(input_ids=ids, pixel_values=pixels).logits, expected)


def test_too_few_image_tokens_are_refused(network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="hold 15 image tokens, the 1 photos need 16"):
        network(input_ids=prompt(network, 1)[:, 4:], pixel_values=pixels[:1])
    with pytest.raises(ValueError, match="inputs_embeds alone"):
        network(inputs_embeds=torch.zeros(1, 3, 32), pixel_values=pixels)


def test_lora_on_the_fused_projection_takes_part(
    network: MiniGPTv2ForConditionalGeneration, pixels: torch.Tensor
) -> None:
    from peft import LoraConfig, get_peft_model

    with torch.no_grad():
        before = network.model.vision_tower(pixels).last_hidden_state
        get_peft_model(network, LoraConfig(target_modules=r".*vision_tower.*\.qkv", init_lora_weights=False))
        assert (network.model.vision_tower(pixels).last_hidden_state - before).abs().max() > 1e-3


def test_the_defaults_are_the_published_sizes() -> None:
    config = MiniGPTv2Config()
    vision = config.vision_config
    sizes = (vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers, vision.num_attention_heads)
    assert sizes == (1408, int(1408 * 4.3637), 39, 1408 // 88)
    assert (vision.patches, config.image_tokens) == (1024, 256)
