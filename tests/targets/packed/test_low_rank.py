"""What is left out of PEFT's and the last layer's work leaves no trace in loss or gradients."""

from dataclasses import replace

import pytest
import torch

from bench.targets.base import Recipe
from bench.targets.packed import low_rank
from bench.targets.packed.low_rank import LowRankForward
from bench.targets.packed.model import PackedModel
from bench.targets.training.finetuning import packed_loss
from bench.targets.training.tuned_weights import trained_network

PAIRS = (("Which colour?", "red"), ("What is it called in full?", "a longer answer"), ("Why?", "no"))


def gradients(model: PackedModel, photos: list[bytes], recipe: Recipe) -> dict[str, torch.Tensor]:
    """The loss and every gradient of one pass, from weights that are away from their start."""
    with torch.no_grad():
        features = [model.features(model.pixels(photo)[None]) for photo in photos]
    rows = [[model.conversation(*pair) for pair in pairs] for pairs in (PAIRS, PAIRS[:1], PAIRS[1:])]
    torch.manual_seed(3)
    with trained_network(model, recipe) as tuned:
        trained = {name: weight for name, weight in tuned.named_parameters() if weight.requires_grad}
        with torch.no_grad():
            for name in sorted(trained):
                trained[name].add_(0.1 * torch.randn(trained[name].shape))
        loss = packed_loss(model, features, rows)
        loss.backward()
        found = {name: weight.grad.clone() for name, weight in trained.items() if weight.grad is not None}
        assert any("layers." in name for name in found)
        for weight in trained.values():
            weight.grad = None
    return {"loss": loss.detach(), **found}


@pytest.mark.parametrize("tower_rank", [0, 2])
def test_gradients_are_those_of_the_long_way_bit_for_bit(
    model: PackedModel, shapes: list[bytes], recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tower_rank: int
) -> None:
    recipe = replace(recipe, tower_lora_rank=tower_rank)
    short = gradients(model, shapes[:3], recipe)
    monkeypatch.setattr(low_rank, "shorten", lambda network: None)
    whole = gradients(model, shapes[:3], recipe)
    assert short.keys() == whole.keys()
    assert [name for name, values in short.items() if not torch.equal(values, whole[name])] == []


@pytest.mark.parametrize(("alpha", "expected"), [(8, True), (6, False)])
def test_a_scaling_that_rounds_is_left_to_peft(model: PackedModel, recipe: Recipe, alpha: int, expected: bool) -> None:
    recipe = replace(recipe, lora_rank=4, lora_alpha=alpha)
    with trained_network(model, recipe) as tuned:
        found = [isinstance(getattr(layer, "forward", None), LowRankForward) for layer in tuned.modules()]
    assert any(found) == expected


def test_the_base_model_is_itself_again(model: PackedModel, shapes: list[bytes], recipe: Recipe) -> None:
    gradients(model, shapes[:3], recipe)
    assert not any(isinstance(getattr(layer, "forward", None), LowRankForward) for layer in model.network.modules())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in _last_layer(model).modules())


def test_only_what_is_needed_is_computed(model: PackedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = _last_layer(model).get_submodule("mlp.down_proj")
    seen: list[tuple[int, ...]] = []
    inner.register_forward_pre_hook(lambda layer, given: seen.append(tuple(given[0].shape)))
    needed = torch.zeros(2, 5, dtype=torch.bool)
    needed[0, 3] = needed[1, 1] = needed[1, 4] = True
    embedded = torch.randn(2, 5, model.network.get_input_embeddings().weight.shape[1])
    places = torch.arange(5).expand(model.planes, 2, -1)
    try:
        with torch.no_grad():
            chosen, whole = (
                model.run(embedded, torch.zeros(2, 1, 5, 5), places, needed=which) for which in (needed, None)
            )
    finally:
        inner._forward_pre_hooks.clear()
    assert [shape[:-1] for shape in seen] == [(3,), (2, 5)]
    torch.testing.assert_close(chosen[needed], whole[needed])


def _last_layer(model: PackedModel) -> torch.nn.Module:
    layer: torch.nn.Module = model.network.get_submodule(model.language_name).layers[-1]
    return layer
