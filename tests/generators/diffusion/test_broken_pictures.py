"""A diffusion model that computes nothing makes no photo: it is told, with what helps, and nothing is stored."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bench.core.errors import VeilBenchError
from generators.diffusion.embedded.synthesizer import EMBEDDED, EmbeddedSynthesizer
from generators.diffusion.synthesis import SynthesisRequest, finished_photo
from scenarios.dataset import Dataset, load_dataset

Build = Callable[..., Dataset]
METHODS = ("dreambooth", "ip-adapter")
FLOAT32, FLOAT16 = "get its files again", "overflows in float16, so build with -o dtype=float32"


@pytest.fixture
def spoilt(sd: Path, tmp_path: Path) -> Callable[[str, str, float], str]:
    """A copy of the pipeline in which every number of one tensor of one file is replaced."""

    def spoil(file: str, tensor: str, value: float) -> str:
        folder = tmp_path / "spoilt-sd"
        shutil.copytree(sd, folder)
        state = load_file(folder / file)
        state[tensor] = torch.full_like(state[tensor], value)
        save_file(state, folder / file, metadata={"format": "pt"})
        return str(folder)

    return spoil


def build_with(build: Build, method: str, checkpoint: str, adapter: Path, **options: Any) -> Dataset:
    own = {"train_steps": 1, "rank": 2} if method == "dreambooth" else {"adapter": str(adapter)}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return build(method=method, checkpoint=checkpoint, **own, **options)


def nothing_is_stored(tmp_path: Path) -> bool:
    return not list((tmp_path / "build" / "photos").glob("*.png"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("value", "said"), [(float("nan"), "is not finite"), (-1e9, "shows nothing.*0, 0, 0")])
def test_a_decoder_that_computes_nothing_is_told_with_the_photo(
    method: str, value: float, said: str, build: Build, spoilt: Callable[..., str], adapter: Path, tmp_path: Path
) -> None:
    broken = spoilt("vae/diffusion_pytorch_model.safetensors", "decoder.conv_out.bias", value)
    with pytest.raises(VeilBenchError, match=rf"^photo '.+': the model's picture {said}: .*{FLOAT32}\.$"):
        build_with(build, method, broken, adapter)
    assert nothing_is_stored(tmp_path)


@pytest.mark.parametrize("method", METHODS)
def test_a_decoder_that_overflows_in_half_precision_is_told_with_the_cure(
    method: str, build: Build, spoilt: Callable[..., str], adapter: Path, tmp_path: Path
) -> None:
    weak = spoilt("vae/diffusion_pytorch_model.safetensors", "decoder.conv_in.bias", 1e6)
    with pytest.raises(VeilBenchError, match=rf"^photo '.+': the model's picture is not finite: .*{FLOAT16}\.$"):
        build_with(build, method, weak, adapter, dtype="float16")
    assert nothing_is_stored(tmp_path)
    assert len(build_with(build, method, weak, adapter, dtype="float32").pairs) == 4


@pytest.mark.parametrize(
    ("file", "tensor", "said"),
    [
        ("vae/diffusion_pytorch_model.safetensors", "encoder.conv_out.bias", "reference photo's latents are"),
        ("unet/diffusion_pytorch_model.safetensors", "conv_out.bias", "loss of step 1 is"),
    ],
)
def test_nobody_is_learnt_from_what_is_not_finite(
    file: str, tensor: str, said: str, build: Build, spoilt: Callable[..., str], adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(VeilBenchError, match=rf"{said} not finite: .*{FLOAT32}"):
        build_with(build, "dreambooth", spoilt(file, tensor, float("nan")), adapter)
    assert not list((tmp_path / "build" / "people").glob("*.safetensors"))


def test_the_embedded_model_tells_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(EMBEDDED, folder)
    (file,) = (folder / "codec").glob("*.safetensors")
    state = {name: torch.full_like(tensor, float("nan")) for name, tensor in load_file(file).items()}
    save_file(state, file, metadata={"format": "pt"})
    row = load_dataset("veilbench-mini").pairs.iloc[0]
    request = SynthesisRequest("photo-0", row["person_id"], "a portrait", (row["image"],), 0)
    said = r"^photo 'photo-0': the model's picture is not finite: the weights in own"
    with pytest.raises(VeilBenchError, match=said):
        list(EmbeddedSynthesizer(str(folder), steps=1).synthesize([request]))


def test_a_picture_with_content_is_a_photo() -> None:
    levels = np.linspace(0, 1, 3 * 12 * 12, dtype=np.float32).reshape(12, 12, 3)
    assert finished_photo("p", levels, "").image.startswith(b"\x89PNG")
