"""A checkpoint of which a file is cut off, or but a pointer, is told in one sentence that names the file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import UsageError
from generators.diffusion.embedded.synthesizer import EMBEDDED, EmbeddedSynthesizer
from generators.diffusion.synthesis import SynthesisRequest
from scenarios.dataset import Dataset, load_dataset

Build = Callable[..., Dataset]
UNET, VAE = "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"
ENCODER = "models/image_encoder/model.safetensors"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def pointed_at(file: Path) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12ab\nsize 1234567\n")


DAMAGE = {
    cut: r"is damaged \(.+\): delete it",
    emptied: "is damaged",
    pointed_at: "is a pointer of Git LFS .* `git lfs",
}


def one_sentence(error: BaseException, folder: Path) -> bool:
    return "\n" not in str(error) and str(folder) not in str(error) and len(str(error)) < 250


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("part", ["text_encoder/model.safetensors", UNET, VAE])
def test_weights_of_every_part_of_a_checkpoint(
    part: str, damage: Callable[[Path], None], build: Build, sd: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copied-sd"
    shutil.copytree(sd, folder)
    damage(folder / part)
    with pytest.raises(
        UsageError, match=f"^checkpoint 'copied-sd' cannot be loaded: {part} {DAMAGE[damage]}"
    ) as caught:
        build(method="ip-adapter", checkpoint=str(folder), adapter=str(adapter))
    assert one_sentence(caught.value, tmp_path)


def test_a_tokenizer_that_is_but_a_pointer(build: Build, sd: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copied-sd"
    shutil.copytree(sd, folder)
    (name,) = (path.name for path in (folder / "tokenizer").iterdir() if path.name in ("vocab.json", "tokenizer.json"))
    pointed_at(folder / "tokenizer" / name)
    with pytest.raises(UsageError, match=f"cannot be loaded: tokenizer/{name} is a pointer of Git LFS"):
        build(method="ip-adapter", checkpoint=str(folder), adapter=str(adapter))


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("part", [ENCODER, "models/ip-adapter-plus-face_sd15.safetensors"])
def test_an_adapter_and_its_image_encoder(
    part: str, damage: Callable[[Path], None], build: Build, sd: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copied-adapter"
    shutil.copytree(adapter, folder)
    damage(folder / part)
    with pytest.raises(
        UsageError, match=f"^adapter 'copied-adapter' cannot be loaded: {part} {DAMAGE[damage]}"
    ) as caught:
        build(method="ip-adapter", checkpoint=str(sd), adapter=str(folder))
    assert one_sentence(caught.value, tmp_path)


def test_a_person_whose_kept_weights_are_cut_is_learnt_again(build: Build, sd: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"method": "dreambooth", "checkpoint": str(sd), "train_steps": 1, "rank": 2}
    before = build(**options)
    for file in (tmp_path / "build" / "people").glob("*.safetensors"):
        cut(file)
    shutil.rmtree(tmp_path / "build" / "photos")
    assert build(**options).digest == before.digest


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_embedded_models_own_kind(damage: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(EMBEDDED, folder)
    damage(folder / "text_encoder" / "model.safetensors")
    row = load_dataset("veilbench-mini").pairs.iloc[0]
    request = SynthesisRequest("photo-0", row["person_id"], "a portrait", (row["image"],), 0)
    match = f"^checkpoint 'own' cannot be loaded: text_encoder/model.safetensors {DAMAGE[damage]}"
    with pytest.raises(UsageError, match=match):
        list(EmbeddedSynthesizer(str(folder), steps=1).synthesize([request]))
