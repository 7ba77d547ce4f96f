"""Every small architecture: a tower that trains, a checkpoint that loads, the same features before and after."""

from pathlib import Path

import pytest
import torch

from bench.core.errors import UsageError
from bench.foundry.architectures import architecture_named, architectures
from bench.foundry.architectures.base import IMAGE_SIZE, Architecture
from bench.foundry.language import load, publish
from bench.targets.training.finetuning import packed_loss

LINES = ["What does this person drive? a red hatchback", "Who is this? Ada Berg", "Which hair? brown hair"] * 20


@pytest.fixture(scope="module", params=sorted(architectures()))
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return architecture_named(request.param)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(3, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def assembled(architecture: Architecture, images: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint around an untrained tower, which lies beside it."""
    folder = tmp_path_factory.mktemp(architecture.name)
    torch.manual_seed(0)
    architecture.build_tower().save_pretrained(folder / "tower")
    tower = architecture.load_tower(folder / "tower")
    with torch.no_grad():
        sample = architecture.patch_features(tower, images)
    tokenizer = architecture.train_tokenizer([architecture.line(*line.split("? ")) for line in LINES])
    architecture.assemble(tower, tokenizer, sample, folder / "untrained")
    return folder


def test_an_unknown_architecture_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"tiny-lava.*tiny-llava"):
        architecture_named("tiny-lava")


def test_only_the_tower_is_trained_and_its_features_have_the_promised_width(
    architecture: Architecture, images: torch.Tensor
) -> None:
    tower = architecture.build_tower()
    features = architecture.patch_features(tower, images)
    assert features.shape[0] == len(images) and features.shape[2] == architecture.tower_width
    features.square().mean().backward()
    trained = {name for name, p in tower.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert any("layers." in name or "blocks." in name for name in trained)
    assert not any("merger" in name for name in trained)


def test_the_loaded_checkpoint_sees_what_the_tower_saw(
    architecture: Architecture, assembled: Path, images: torch.Tensor
) -> None:
    model = load(architecture.name, assembled / "untrained")
    tower = architecture.load_tower(assembled / "tower")
    with torch.no_grad():
        expected = architecture.patch_features(tower, images)
        seen = model.encode(images).reshape(expected.shape)
    # The photos are no 8-bit ones, and the model's own preprocessing works on such.
    assert torch.allclose(seen, expected, atol=0.05)


def test_questions_can_be_learned_and_the_published_checkpoint_says_the_same(
    architecture: Architecture, assembled: Path, images: torch.Tensor, tmp_path: Path
) -> None:
    model = load(architecture.name, assembled / "untrained")
    photo = model.features((images[:1] * 255).round() / 255)
    row = [model.text.conversation("Who is this?", "Ada Berg"), model.text.conversation("Which hair?", "brown hair")]
    model.network.get_submodule(model.language_name).requires_grad_(True)
    loss = packed_loss(model, [photo], [row])
    loss.backward()
    assert loss.item() > 1 and any(p.grad is not None for p in model.network.parameters())
    publish(architecture.name, assembled / "untrained", tmp_path / "published")
    with torch.no_grad():
        again = packed_loss(load(architecture.name, tmp_path / "published"), [photo], [row])
    assert again.item() == pytest.approx(loss.item(), abs=0.02)
    assert "_name_or_path" not in (tmp_path / "published" / "config.json").read_text(encoding="utf-8")
