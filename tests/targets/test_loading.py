"""A checkpoint with a wrong or missing part is refused with one sentence that names the file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import UsageError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.llava import Llava
from bench.targets.loading import load_image_processor
from bench.targets.qwen_vl import QwenVL

Spoil = Callable[[Path], None]
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:12ab\nsize 1234567\n"


@pytest.fixture
def copied(checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint to spoil."""
    return Path(shutil.copytree(checkpoint, tmp_path / "spoiled"))


def changed(file: str, *path: str, to: Any) -> Spoil:
    """Set a field of a JSON file."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to
        (folder / file).write_text(json.dumps(content))

    return spoil


def written(file: str, content: str) -> Spoil:
    return lambda folder: (folder / file).write_text(content) and None


def removed(file: str) -> Spoil:
    return lambda folder: (folder / file).unlink()


def halved(file: str) -> Spoil:
    """What a full disk or a broken line leaves."""

    def spoil(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])

    return spoil


def one_tensor_left_out(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors[next(name for name in tensors if name.endswith("multi_modal_projector.linear_1.weight"))]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def one_shard_left_out(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (written("config.json", "{"), r"config\.json is damaged"),
        (written("config.json", "[]"), r"config\.json holds no mapping"),
        (written("config.json", "{}"), r"config\.json names no model_type"),
        (changed("config.json", "model_type", to="bert"), r"is a bert model, not llava"),
        (changed("config.json", "vision_config", to=5), r"config\.json: vision_config is no mapping"),
        (changed("config.json", "vision_config", "hidden_size", to="big"), r"cannot be read .*hidden_size"),
        (removed("tokenizer.json"), r"has no tokenizer: tokenizer\.json .*is missing"),
        (halved("tokenizer.json"), r"its tokenizer cannot be read"),
        (removed("chat_template.jinja"), r"has no chat template: chat_template\.jinja is missing"),
        (removed("processor_config.json"), r"has no image processor: preprocessor_config\.json is missing"),
        (halved("processor_config.json"), r"its image processor cannot be read"),
        (removed("model.safetensors"), r"has no weights: model\.safetensors is missing"),
        (halved("model.safetensors"), r"model\.safetensors is damaged"),
        (written("model.safetensors", ""), r"model\.safetensors is damaged"),
        (written("model.safetensors", LFS_POINTER), r"model\.safetensors is a pointer of Git LFS"),
        (written("tokenizer.json", LFS_POINTER), r"tokenizer\.json is a pointer of Git LFS"),
        (written("chat_template.jinja", LFS_POINTER), r"chat_template\.jinja is a pointer of Git LFS"),
        (written("processor_config.json", LFS_POINTER), r"processor_config\.json is a pointer of Git LFS"),
        (written("model.safetensors.index.json", LFS_POINTER), r"index\.json is a pointer of Git LFS"),
        (written("config.json", LFS_POINTER), r"config\.json is a pointer of Git LFS"),
        (one_tensor_left_out, r"lack 1 of the model's tensors, model\.multi_modal_projector\.linear_1\.weight"),
        (one_shard_left_out, r"has no weights: model-00002-of-00002\.safetensors is missing"),
        (written("model.safetensors.index.json", "{}"), r"model\.safetensors\.index\.json is damaged"),
        (
            changed("processor_config.json", "image_processor", "crop_size", to={"height": 64, "width": 64}),
            r"crop_size\.height is 64 by processor_config\.json, but vision_config\.image_size is 32",
        ),
        (changed("processor_config.json", "patch_size", to=8), r"patch_size is 8 by .*vision_config\.patch_size is 16"),
        (
            changed("processor_config.json", "num_additional_image_tokens", to=2),
            r"number of image tokens is 5 by processor_config\.json, but that number is 4",
        ),
        (changed("config.json", "image_seq_length", to=9), r"image tokens is 4 .*but image_seq_length is 9"),
    ],
)
def test_a_spoiled_checkpoint_is_one_sentence(copied: Path, spoil: Spoil, said: str) -> None:
    spoil(copied)
    with pytest.raises(UsageError, match=said) as caught:
        assert Llava(TargetSpec(str(copied))).model
    assert "\n" not in str(caught.value) and str(copied.parent) not in str(caught.value).replace(str(copied), "")


def test_a_checkpoint_of_another_family_is_refused_by_either(checkpoint: Path, copied: Path) -> None:
    with pytest.raises(UsageError, match=r"is a llava model: the family qwen_vl takes qwen2_vl"):
        assert QwenVL(TargetSpec(str(checkpoint), "qwen_vl")).model
    changed("config.json", "model_type", to="qwen2_vl")(copied)
    with pytest.raises(UsageError, match=r"is a qwen2_vl model, not llava \(family llava\)"):
        assert Llava(TargetSpec(str(copied))).model


def write_qwen(folder: Path, **processor: Any) -> None:
    """What says how many image tokens a photo has in a Qwen2-VL checkpoint."""
    vision = {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2_vl", "vision_config": vision}))
    settings = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2, **processor}
    settings |= {"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 784, "max_pixels": 7840}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def test_a_merging_processor_must_cut_as_the_model_does(tmp_path: Path) -> None:
    write_qwen(tmp_path)
    assert load_image_processor(tmp_path).merge_size == 2
    write_qwen(tmp_path, merge_size=4)
    with pytest.raises(UsageError, match=r"merge_size is 4 by preprocessor_config\.json.*spatial_merge_size is 2"):
        load_image_processor(tmp_path)
    write_qwen(tmp_path, patch_size=16)
    with pytest.raises(UsageError, match=r"patch_size is 16 .*vision_config\.patch_size is 14"):
        load_image_processor(tmp_path)


def test_four_bits_need_their_package(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install bitsandbytes"):
        assert Llava(TargetSpec(str(checkpoint), quantization="4bit")).model


@pytest.fixture(scope="module")
def adapter(checkpoint: Path, examples: list[TrainingExample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of the miniature checkpoint after one step."""
    folder = tmp_path_factory.mktemp("adapter")
    recipe = Recipe(1, 4, 1e-3, 1e-3, 2, 4, 0.0, 1, 1.0, 1.0, 1)
    Llava(TargetSpec(str(checkpoint))).finetune(examples, recipe, 0, folder, quiet())
    return folder


def test_an_adapter_for_another_base_is_refused(
    adapter: Path, checkpoint: Path, copied: Path, photos: list[bytes]
) -> None:
    import pandas as pd

    asked = pd.DataFrame([{"request_id": "1", "image": photos[0], "question": "Which?", "options": ["red", "blue"]}])
    assert list(Llava(TargetSpec(str(checkpoint))).answer(asked, adapter, quiet())["request_id"]) == ["1"]
    other = Llava(TargetSpec(str(copied)))
    with pytest.raises(UsageError, match=rf"adapter was made for '{checkpoint.name}', not for 'spoiled'"):
        other.answer(asked, adapter, quiet())
    with pytest.raises(UsageError, match=r"is no adapter: adapter_config\.json is missing"):
        other.answer(asked, copied.parent, quiet())
