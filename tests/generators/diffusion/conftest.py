"""Pipelines with random weights in the layout of the published ones, small enough to run in a test."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from generators.base import BuildOrder
from scenarios.dataset import Dataset, build_dataset, save_dataset
from scenarios.photos import PHOTO_COLUMNS

# Tests are imported without their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from miniature_pictures import PEOPLE, photo_rows

SIDE = 32
WIDTH = 32
"""Features a token, in text, attention and adapter alike."""
PATCH_WIDTH = 24
RESAMPLER_LAYERS = 4


def _text_parts(projected: int | None) -> tuple[Any, Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz,.'-"
    pieces = [piece for letter in letters for piece in (letter, f"{letter}</w>")]
    words = [*pieces, "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
        pad_token_id=len(words) - 1,
        projection_dim=projected or WIDTH,
    )
    model = CLIPTextModelWithProjection if projected else CLIPTextModel
    return model(config).eval(), tokenizer


def _vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=[8, 8],
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIDE,
    ).eval()


def _unet(cross: int, **more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=SIDE // 2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=cross,
        attention_head_dim=2,
        norm_num_groups=4,
        **more,
    ).eval()


@pytest.fixture(scope="session")
def sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Stable Diffusion pipeline of the layout of 1.5."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    torch.manual_seed(0)
    text, tokenizer = _text_parts(None)
    scheduler = PNDMScheduler(beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1)
    folder = tmp_path_factory.mktemp("sd") / "tiny-sd"
    StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=text,
        tokenizer=tokenizer,
        unet=_unet(WIDTH),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Stable Diffusion XL pipeline."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    torch.manual_seed(1)
    text, tokenizer = _text_parts(None)
    second_text, second_tokenizer = _text_parts(WIDTH)
    unet = _unet(
        2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=6 * 4 + WIDTH,
        use_linear_projection=True,
    )
    folder = tmp_path_factory.mktemp("sdxl") / "tiny-sdxl"
    StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=text,
        tokenizer=tokenizer,
        text_encoder_2=second_text,
        tokenizer_2=second_tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        add_watermarker=False,
    ).save_pretrained(folder)
    return folder


def _resampler(cross: int) -> dict[str, torch.Tensor]:
    """The image projection of the published plus adapters, under its published names."""
    inner = 64
    state = {
        "latents": torch.randn(1, 4, WIDTH),
        "proj_in.weight": torch.randn(WIDTH, PATCH_WIDTH) / 5,
        "proj_in.bias": torch.zeros(WIDTH),
        "proj_out.weight": torch.randn(cross, WIDTH) / 5,
        "proj_out.bias": torch.zeros(cross),
        "norm_out.weight": torch.ones(cross),
        "norm_out.bias": torch.zeros(cross),
    }
    for layer in range(RESAMPLER_LAYERS):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            state[f"layers.{layer}.{norm}.weight"] = torch.ones(WIDTH)
            state[f"layers.{layer}.{norm}.bias"] = torch.zeros(WIDTH)
        state[f"layers.{layer}.0.to_q.weight"] = torch.randn(inner, WIDTH) / 5
        state[f"layers.{layer}.0.to_kv.weight"] = torch.randn(2 * inner, WIDTH) / 5
        state[f"layers.{layer}.0.to_out.weight"] = torch.randn(WIDTH, inner) / 5
        state[f"layers.{layer}.1.1.weight"] = torch.randn(4 * WIDTH, WIDTH) / 5
        state[f"layers.{layer}.1.3.weight"] = torch.randn(WIDTH, 4 * WIDTH) / 5
    return state


def _plain_projection(cross: int, projected: int) -> dict[str, torch.Tensor]:
    """The image projection of the published adapter without "plus"."""
    return {
        "proj.weight": torch.randn(4 * cross, projected) / 5,
        "proj.bias": torch.zeros(4 * cross),
        "norm.weight": torch.ones(cross),
        "norm.bias": torch.zeros(cross),
    }


def _write_adapter(file: Path, pipeline: Path, projection: dict[str, torch.Tensor]) -> None:
    from diffusers import UNet2DConditionModel
    from safetensors.torch import save_file

    unet = UNet2DConditionModel.from_pretrained(pipeline / "unet")
    state = {f"image_proj.{name}": tensor for name, tensor in projection.items()}
    for index, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            attention = unet.get_submodule(name.removesuffix(".processor"))
            for part in ("to_k", "to_v"):
                shape = getattr(attention, part).weight.shape
                state[f"ip_adapter.{index}.{part}_ip.weight"] = torch.randn(shape) / 2
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)


@pytest.fixture(scope="session")
def adapter(sd: Path, sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the published IP-Adapter repository."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("adapter") / "tiny-ip-adapter"
    config = CLIPVisionConfig(
        hidden_size=PATCH_WIDTH,
        intermediate_size=PATCH_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        projection_dim=16,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder / "models" / "image_encoder")
    _write_adapter(folder / "models/ip-adapter-plus-face_sd15.safetensors", sd, _resampler(WIDTH))
    _write_adapter(folder / "models/ip-adapter_sd15.safetensors", sd, _plain_projection(WIDTH, 16))
    sdxl_file = folder / "sdxl_models/ip-adapter-plus-face_sdxl_vit-h.safetensors"
    _write_adapter(sdxl_file, sdxl, _resampler(2 * WIDTH))
    return folder


@pytest.fixture
def save_reference(tmp_path: Path) -> Callable[[Sequence[dict[str, Any]]], str]:
    """Save a dataset of photo rows and hand back its folder."""

    def save(rows: Sequence[dict[str, Any]]) -> str:
        photos = pd.DataFrame(list(rows), columns=list(PHOTO_COLUMNS))
        folder = tmp_path / "tiny-people"
        save_dataset(build_dataset("tiny-people", PEOPLE, photos), folder)
        return str(folder)

    return save


@pytest.fixture
def reference(save_reference: Callable[[Sequence[dict[str, Any]]], str]) -> str:
    """The folder of a dataset of two people and a stranger."""
    return save_reference(photo_rows())


@pytest.fixture
def build(reference: str, tmp_path: Path) -> Callable[..., Dataset]:
    """Build from the reference dataset with some options, in a work folder of this test."""
    from generators.registry import make_generator

    def build_with(work: str = "build", limit: int | None = None, **options: Any) -> Dataset:
        chosen = {"steps": 2, "references": 2, **options}
        return make_generator("diffusion", chosen).build(BuildOrder(reference, tmp_path / work, limit))

    return build_with


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The batch sizes that went through any UNet, one entry a pass; diffusers' own code stays in place."""
    from diffusers import UNet2DConditionModel

    seen: list[int] = []
    forward = UNet2DConditionModel.forward

    def counted(self: Any, sample: torch.Tensor, *arguments: Any, **named: Any) -> Any:
        seen.append(len(sample))
        return forward(self, sample, *arguments, **named)

    monkeypatch.setattr(UNet2DConditionModel, "forward", counted)
    return seen
