"""Published files become a checkpoint that computes what MiniGPT-4's code computes from the same files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_minigpt import WIDTH, letter_tokenizer, small_llama, small_vision, spread_out
from torch.nn import functional
from typer.testing import CliRunner

from bench.core.errors import DataError, UsageError
from bench.targets.base import TargetSpec
from bench.targets.minigpt.conversion import convert, interpolate_positions, main
from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration
from bench.targets.minigpt.vision import EvaVisionModel
from bench.targets.minigpt_v2 import LoadedMiniGPTv2

RANK, DEPTH, TRAINED_SIDE = 4, 2, 16
LORA = "llama_model.base_model.model.model.layers"
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Published:
    """The three downloads, small and with random weights."""

    llama: Path
    eva: Path
    minigpt: Path

    def convert(self, output: Path) -> Path:
        convert(self.llama, self.eva, self.minigpt, output, vision=small_vision(), dtype="float32")
        return output

    def change(self, name: str, edit: Callable[[Tensors], Any]) -> Path:
        """Rewrite one of the two PyTorch files."""
        file = self.eva if name == "eva" else self.minigpt
        content = torch.load(file, weights_only=True)
        edit(content if name == "eva" else content["model"])
        torch.save(content, file)
        return file


@pytest.fixture
def published(tmp_path: Path) -> Published:
    files = Published(tmp_path / "llama", tmp_path / "eva_vit_g.pth", tmp_path / "minigptv2_checkpoint.pth")
    write_llama(files.llama)
    torch.save(eva_tensors(), files.eva)
    torch.save({"model": own_tensors(), "optimizer": {"state": {}}, "scaler": None, "epoch": 3}, files.minigpt)
    return files


def write_llama(folder: Path) -> None:
    from transformers import LlamaForCausalLM

    tokenizer = letter_tokenizer(("<unk>", "<s>", "</s>"))
    llama = LlamaForCausalLM(small_llama(len(tokenizer)))
    spread_out(llama)
    llama.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def eva_tensors() -> Tensors:
    """EVA at fewer pixels, with the block, the normalisation and the head behind that MiniGPT-4 does not use."""
    config = small_vision(TRAINED_SIDE)
    config.num_hidden_layers = DEPTH + 1
    tower = EvaVisionModel(config)
    spread_out(tower)
    found = {name: value for name, value in tower.state_dict().items() if not name.startswith("ln_vision.")}
    return found | {"norm.weight": torch.ones(WIDTH), "head.weight": torch.ones(7, WIDTH)}


def own_tensors() -> Tensors:
    """What MiniGPT-4's training saves: what was trained, and buffers."""
    generator = torch.Generator().manual_seed(2)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) * 0.3

    found = {"llama_proj.weight": random(WIDTH, 4 * WIDTH), "llama_proj.bias": random(WIDTH)}
    for layer in range(3):
        for name in ("q_proj", "v_proj"):
            found[f"{LORA}.{layer}.self_attn.{name}.lora_A.default.weight"] = random(RANK, WIDTH)
            found[f"{LORA}.{layer}.self_attn.{name}.lora_B.default.weight"] = random(WIDTH, RANK)
        found[f"{LORA}.{layer}.self_attn.rotary_emb.inv_freq"] = random(8)
    return found


def reference_features(files: Published, pixels: torch.Tensor) -> torch.Tensor:
    """The frozen encoder, put together as in eva_vit.py and in encode_img of minigpt_v2.py."""
    eva = torch.load(files.eva, weights_only=True)
    own = torch.load(files.minigpt, weights_only=True)["model"]
    patches = functional.conv2d(pixels, eva["patch_embed.proj.weight"], eva["patch_embed.proj.bias"], stride=4)
    hidden = torch.cat([eva["cls_token"].expand(len(pixels), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    square = eva["pos_embed"][:, 1:].reshape(1, 4, 4, WIDTH).permute(0, 3, 1, 2)
    larger = functional.interpolate(square, size=(8, 8), mode="bicubic", align_corners=False)
    hidden = hidden + torch.cat([eva["pos_embed"][:, :1], larger.permute(0, 2, 3, 1).reshape(1, 64, WIDTH)], dim=1)
    for number in range(DEPTH):
        block = {name.removeprefix(f"blocks.{number}."): value for name, value in eva.items()}
        hidden = hidden + reference_attention(block, normalised(hidden, block, "norm1", 1e-6))
        inner = functional.linear(
            normalised(hidden, block, "norm2", 1e-6), block["mlp.fc1.weight"], block["mlp.fc1.bias"]
        )
        hidden = hidden + functional.linear(functional.gelu(inner), block["mlp.fc2.weight"], block["mlp.fc2.bias"])
    initial = {"ln_vision.weight": torch.ones(WIDTH), "ln_vision.bias": torch.zeros(WIDTH)}
    return normalised(hidden, initial | own, "ln_vision", 1e-5)[:, 1:]


def normalised(hidden: torch.Tensor, tensors: Tensors, name: str, epsilon: float) -> torch.Tensor:
    return functional.layer_norm(hidden, (WIDTH,), tensors[f"{name}.weight"], tensors[f"{name}.bias"], epsilon)


def reference_attention(block: Tensors, hidden: torch.Tensor) -> torch.Tensor:
    rows, tokens, _ = hidden.shape
    bias = torch.cat([block["attn.q_bias"], torch.zeros(WIDTH), block["attn.v_bias"]])
    joint = functional.linear(hidden, block["attn.qkv.weight"], bias).reshape(rows, tokens, 3, 2, WIDTH // 2)
    query, key, value = joint.permute(2, 0, 3, 1, 4)
    scores = (query * (WIDTH // 2) ** -0.5) @ key.transpose(-2, -1)
    mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(rows, tokens, WIDTH)
    return functional.linear(mixed, block["attn.proj.weight"], block["attn.proj.bias"])


def reference_logits(files: Published, pixels: torch.Tensor, before: list[int], after: list[int]) -> torch.Tensor:
    """As in minigpt_base.py: Llama wrapped by PEFT, the image's embeddings between those of the prompt's two parts."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaForCausalLM

    own = torch.load(files.minigpt, weights_only=True)["model"]
    llama = LlamaForCausalLM.from_pretrained(files.llama)
    lora = LoraConfig(r=RANK, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    tuned = get_peft_model(llama, lora).eval()
    weights = {n.removeprefix("llama_model."): v for n, v in own.items() if ".lora_" in n}
    assert not tuned.load_state_dict(weights, strict=False).unexpected_keys
    image = reference_features(files, pixels).reshape(len(pixels), 16, 4 * WIDTH)
    image = functional.linear(image, own["llama_proj.weight"], own["llama_proj.bias"])
    words = [llama.get_input_embeddings()(torch.tensor([ids])).expand(len(pixels), -1, -1) for ids in (before, after)]
    return tuned(inputs_embeds=torch.cat([words[0], image, words[1]], dim=1)).logits


@pytest.mark.parametrize("norm", ["initial", "trained"])
def test_a_converted_checkpoint_computes_the_published_logits(
    published: Published, pixels: torch.Tensor, tmp_path: Path, norm: str
) -> None:
    if norm == "trained":
        trained = {"ln_vision.weight": torch.rand(WIDTH) + 0.5, "ln_vision.bias": torch.randn(WIDTH)}
        published.change("minigpt", lambda tensors: tensors.update(trained))
    model = LoadedMiniGPTv2(TargetSpec(str(published.convert(tmp_path / "made")), family="minigpt_v2"))
    before, after = list(model.text.before_image), list(model.text.conversation("Which colour?", "red").tokens)
    ids = torch.tensor([[*before, *[model.image_token] * 16, *after]] * 2)
    with torch.no_grad():
        logits = model.network(input_ids=ids, pixel_values=pixels).logits
        expected = reference_logits(published, pixels, before, after)
    assert expected.std() > 0.5
    assert torch.allclose(logits, expected, atol=1e-4)


def test_the_tower_of_minigpts_own_file_goes_first(published: Published, tmp_path: Path) -> None:
    mine = {"visual_encoder.blocks.1.mlp.fc1.bias": torch.full((2 * WIDTH,), 3.0)}
    published.change("minigpt", lambda tensors: tensors.update(mine))
    made = MiniGPTv2ForConditionalGeneration.from_pretrained(published.convert(tmp_path / "made"))
    assert made.model.vision_tower.blocks[1].mlp.fc1.bias.unique().tolist() == [3.0]


def test_lora_under_the_names_of_old_peft_is_the_same(published: Published, tmp_path: Path) -> None:
    new = MiniGPTv2ForConditionalGeneration.from_pretrained(published.convert(tmp_path / "new"))

    def rename(tensors: Tensors) -> None:
        for name in [name for name in tensors if ".default." in name]:
            tensors[name.replace(".default.", ".")] = tensors.pop(name)

    published.change("minigpt", rename)
    old = MiniGPTv2ForConditionalGeneration.from_pretrained(published.convert(tmp_path / "old"))
    assert all(torch.equal(value, old.state_dict()[name]) for name, value in new.state_dict().items())


BROKEN: dict[str, tuple[str, Callable[[Tensors], Any], str]] = {
    "no projector": ("minigpt", lambda t: t.pop("llama_proj.bias"), "tensor 'llama_proj.bias' is missing"),
    "half a LoRA": (
        "minigpt",
        lambda t: t.pop(f"{LORA}.1.self_attn.v_proj.lora_B.default.weight"),
        f"tensor '{LORA}.1.self_attn.v_proj.lora_B.default.weight' is missing",
    ),
    "LoRA elsewhere": (
        "minigpt",
        lambda t: t.update({f"{LORA}.9.mlp.up_proj.lora_A.default.weight": torch.zeros(4, WIDTH)}),
        "LoRA changes 'model.layers.9.mlp.up_proj', which the Llama has not",
    ),
    "LoRA of another Llama": (
        "minigpt",
        lambda t: t.update({f"{LORA}.0.self_attn.q_proj.lora_A.default.weight": torch.zeros(4, 7)}),
        "LoRA of 'model.layers.0.self_attn.q_proj' does not fit the Llama's weight (32, 32)",
    ),
    "another model": (
        "minigpt",
        lambda t: t.update({"query_tokens": torch.zeros(1)}),
        "tensor 'query_tokens' has no place in MiniGPT-v2",
    ),
    "no block": ("eva", lambda t: t.pop("blocks.1.attn.q_bias"), "tensor 'blocks.1.attn.q_bias' is missing"),
    "another tower": ("eva", lambda t: t.update({"rope.freqs": torch.zeros(1)}), "tensor 'rope.freqs' has no place"),
    "another width": (
        "eva",
        lambda t: t.update({"cls_token": torch.zeros(1, 1, 5)}),
        "tensor 'cls_token' has the shape (1, 1, 5), not (1, 1, 32)",
    ),
    "positions of no square": (
        "eva",
        lambda t: t.update({"pos_embed": torch.zeros(1, 12, WIDTH)}),
        "tensor 'pos_embed' has the shape (1, 12, 32), not (1, 65, 32)",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_does_not_fit_is_named_with_its_tensor(published: Published, tmp_path: Path, case: str) -> None:
    name, edit, message = BROKEN[case]
    file = published.change(name, edit)
    with pytest.raises(DataError) as raised:
        published.convert(tmp_path / "made")
    assert str(raised.value).startswith(f"{file}: {message}")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("content", "message"), [(b"<html>", "damaged, or more than plain tensors"), (None, "no such file")]
)
def test_a_file_that_cannot_be_read_is_named(
    published: Published, tmp_path: Path, content: bytes | None, message: str
) -> None:
    published.eva.unlink()
    if content is not None:
        published.eva.write_bytes(content)
    with pytest.raises((DataError, UsageError), match=f"eva_vit_g.pth: {message}"):
        published.convert(tmp_path / "made")


def test_code_in_a_file_is_not_run(published: Published, tmp_path: Path) -> None:
    torch.save({"model": Path("anything that is no tensor")}, published.minigpt)
    with pytest.raises(DataError, match="more than plain tensors"):
        published.convert(tmp_path / "made")


@pytest.mark.parametrize(
    ("removed", "message"),
    [("config.json", "config.json is missing"), ("model.safetensors", "llama: no Llama with its tokenizer")],
)
def test_a_folder_without_a_whole_llama_is_named(
    published: Published, tmp_path: Path, removed: str, message: str
) -> None:
    (published.llama / removed).unlink()
    with pytest.raises(UsageError, match=message):
        published.convert(tmp_path / "made")


def test_a_llama_that_lacks_a_tensor_is_named(published: Published, tmp_path: Path) -> None:
    weights = load_file(published.llama / "model.safetensors")
    del weights["model.layers.2.mlp.up_proj.weight"]
    save_file(weights, published.llama / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match=r"llama: tensor 'model.layers.2.mlp.up_proj.weight' is missing"):
        published.convert(tmp_path / "made")


def test_a_folder_of_another_model_is_named(published: Published, tmp_path: Path) -> None:
    config = published.llama / "config.json"
    config.write_text(config.read_text().replace('"model_type": "llama"', '"model_type": "mistral"'))
    with pytest.raises(UsageError, match="llama: a mistral model, not llama"):
        published.convert(tmp_path / "made")


def test_positions_of_the_same_grid_stay() -> None:
    positions = torch.randn(1, 17, 8)
    assert torch.equal(interpolate_positions(positions, 16), positions)
    assert torch.equal(interpolate_positions(positions, 64)[:, 0], positions[:, 0])


def test_the_command_ends_with_one_sentence(published: Published, tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(main)
    files = ["--llama", str(published.llama), "--minigpt", str(published.minigpt)]
    done = CliRunner().invoke(app, [*files, "--eva", str(tmp_path / "none.pth"), "--output", str(tmp_path / "made")])
    assert done.exit_code == 2
    assert done.stderr == f"Error: {tmp_path / 'none.pth'}: no such file.\n"
