"""Reading a checkpoint's parts: weights, tokenizer, image processor; with one sentence where a part is wrong."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bench.core.errors import UsageError, VeilBenchError
from bench.core.files import POINTER_ADVICE, lfs_pointers
from bench.targets.base import TargetSpec

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
IMAGE_PROCESSORS = ("preprocessor_config.json", "processor_config.json")


class Unloaded(Protocol):
    """A model that has no network yet: what it is, and where it goes."""

    spec: TargetSpec
    folder: Path
    device: str

    @property
    def tower_name(self) -> str:
        """Where the vision tower will stand in the network."""

    @property
    def projector_name(self) -> str:
        """Where the projector will stand in the network."""


def load_network(kind: Any, model: Unloaded) -> Any:
    """The frozen network of class ``kind``, in evaluation mode on the model's device.

    Raises UsageError for a checkpoint of another family, for weights that are missing, damaged or not all there, and
    for 4-bit weights without bitsandbytes; VeilBenchError where the GPU's memory is too small.
    """
    import torch
    from transformers.utils import logging

    spec, expected = model.spec, kind.config_class.model_type
    found = model_type(model.folder)
    if found != expected:
        raise UsageError(f"checkpoint '{spec.checkpoint}' is a {found} model, not {expected} (family {spec.family}).")
    check_weights(model.folder)
    logging.disable_progress_bar()  # it would tear ours
    dtype = getattr(torch, spec.dtype)
    placed = {} if spec.quantization == "none" else {"device_map": model.device, **_four_bits(model, dtype)}
    with _one_sentence(model.folder, "its network"):
        network, report = kind.from_pretrained(model.folder, dtype=dtype, output_loading_info=True, **placed)
        if not placed:
            network = network.to(model.device)
    _refuse_invented(model.folder, network, report["missing_keys"])
    return network.eval().requires_grad_(False)


def _four_bits(model: Unloaded, dtype: Any) -> dict[str, Any]:
    """Keyword arguments for nf4 weights of the language model; source: QLoRA, arXiv 2305.14314, section 3."""
    from importlib.util import find_spec

    if find_spec("bitsandbytes") is None:
        raise UsageError("quantization 4bit needs the package bitsandbytes: pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        # What is frozen in full or trained in full keeps its precision.
        llm_int8_skip_modules=[model.tower_name, model.projector_name, "lm_head"],
    )
    return {"quantization_config": quantization}


def _refuse_invented(folder: Path, network: Any, missing: set[str]) -> None:
    """A library that only warns fills parameters that no file holds with random numbers."""
    invented = sorted(set(missing) & {name for name, _ in network.named_parameters()})
    if invented:
        raise UsageError(
            f"checkpoint {checkpoint_label(folder)}: its weights files lack {len(invented)} of the model's tensors,"
            f" {invented[0]} among them: {_get_again(folder)}."
        )


def model_type(folder: Path) -> str:
    """The kind of model that config.json names. Raises UsageError where the file is missing or names none."""
    kind = read_config(folder).get("model_type")
    if not isinstance(kind, str):
        raise UsageError(f"checkpoint {checkpoint_label(folder)}: config.json names no model_type.")
    return kind


def checkpoint_label(folder: Path) -> str:
    """What to call a checkpoint in a message: its folder's name, or its hub id where it lies in the hub's cache."""
    if folder.parent.name == "snapshots":
        return folder.parents[1].name.removeprefix("models--").replace("--", "/")
    return folder.name


def check_weights(folder: Path) -> None:
    """Raise UsageError naming the first weights file that is missing or damaged; only their heads are read."""
    from safetensors import SafetensorError, safe_open

    for file in weight_files(folder):
        try:
            with safe_open(file, "pt"):
                pass
        except (SafetensorError, OSError) as error:
            said = f"{file.name} is damaged ({_told(error)}): delete it and {_get_again(folder)}"
            raise _damaged(folder, said) from error


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights. Raises UsageError naming the first that is missing."""
    index = folder / WEIGHTS_INDEX
    if not index.exists():
        names = [WEIGHTS]
    else:
        try:
            names = sorted(set(_read_json(index)["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(folder, f"{index.name} is damaged: {_get_again(folder)}") from error
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise _missing(folder, "weights", missing[0] if len(missing) == 1 else f"{missing[0]} (one of {len(missing)})")
    return [folder / name for name in names]


def check_parts(folder: Path) -> None:
    """Raise UsageError naming the first of a checkpoint's files that is missing."""
    model_type(folder)
    _has_tokenizer(folder)
    _image_settings(folder)
    weight_files(folder)


def load_tokenizer(folder: Path) -> Any:
    """The checkpoint's tokenizer with its chat template. Raises UsageError naming what is missing or damaged."""
    from transformers import AutoTokenizer

    model_type(folder)  # transformers reads the configuration here, too, and says less about it
    _has_tokenizer(folder)
    if lfs_pointers(folder):  # a template would be taken for one, whatever it says
        raise _damaged(folder, "")
    with _one_sentence(folder, "its tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.chat_template:
        tokenizer.chat_template = _chat_template(folder)
    return tokenizer


def _has_tokenizer(folder: Path) -> None:
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise _missing(folder, "tokenizer", f"{TOKENIZERS[0]} (or {TOKENIZERS[1]})")


def _chat_template(folder: Path) -> str:
    for name in ("chat_template.jinja", "chat_template.json"):
        if (folder / name).exists():
            text = (folder / name).read_text(encoding="utf-8")
            return text if name.endswith("jinja") else json.loads(text)["chat_template"]
    raise _missing(folder, "chat template", "chat_template.jinja")


def load_image_processor(folder: Path) -> Any:
    """The checkpoint's image processor, of which only the settings are read.

    Raises UsageError where it is missing or damaged, and where it makes other image tokens of a photo than the model.
    """
    from transformers import AutoImageProcessor

    file = _image_settings(folder)
    with _one_sentence(folder, "its image processor"):
        processor = AutoImageProcessor.from_pretrained(folder)
    check_image_tokens(folder, processor, file)
    return processor


def _image_settings(folder: Path) -> str:
    """Name of the file that the image processor is described in."""
    found = [name for name in IMAGE_PROCESSORS if (folder / name).exists()]
    if not found:
        raise _missing(folder, "image processor", IMAGE_PROCESSORS[0])
    return found[0]


def check_image_tokens(folder: Path, processor: Any, file: str) -> None:
    """Raise UsageError where ``processor``, read from ``file``, and config.json disagree on a photo's image tokens.

    What either of them leaves unsaid is not compared.
    """
    config = read_config(folder)
    vision = config.get("vision_config")
    if not isinstance(vision, Mapping):
        return
    compared = _merged_patches if getattr(processor, "merge_size", None) else _cut_square
    for setting, own, field, expected in compared(folder, processor, config, vision):
        if own is not None and expected is not None and own != expected:
            raise UsageError(
                f"checkpoint {checkpoint_label(folder)}: processor and model disagree on the image tokens of a photo:"
                f" {setting} is {own} by {file}, but {field} is {expected} by config.json: take both files from one"
                " checkpoint."
            )


Compared = Iterator[tuple[str, int | None, str, int | None]]
"""A setting's name, what the processor says, the model's name for it, what the model says."""


def _merged_patches(folder: Path, processor: Any, config: Mapping[str, Any], vision: Mapping[str, Any]) -> Compared:
    """Any resolution: image tokens are merged patches."""
    for setting, field in (
        ("patch_size", "patch_size"),
        ("merge_size", "spatial_merge_size"),
        ("temporal_patch_size", "temporal_patch_size"),
    ):
        yield setting, getattr(processor, setting, None), f"vision_config.{field}", vision.get(field)


def _cut_square(folder: Path, processor: Any, config: Mapping[str, Any], vision: Mapping[str, Any]) -> Compared:
    """One resolution: a patch is an image token; the class token is one as well where the features are taken whole."""
    name = "crop_size" if getattr(processor, "crop_size", None) else "size"
    size, side, patch = getattr(processor, name, None), vision.get("image_size"), vision.get("patch_size")
    if not size or not side or not patch:
        return
    for edge in ("height", "width"):
        own = size.get(edge) if isinstance(size, Mapping) else getattr(size, edge, None)
        yield f"{name}.{edge}", own, "vision_config.image_size", side
    whole = config.get("vision_feature_select_strategy") == "full"
    tokens = (side // patch) ** 2 + whole
    yield "the number of image tokens", tokens, "image_seq_length", config.get("image_seq_length")
    written = _read_json(folder / IMAGE_PROCESSORS[1]) if (folder / IMAGE_PROCESSORS[1]).exists() else {}
    own_patch, extra = written.get("patch_size"), written.get("num_additional_image_tokens")
    yield "patch_size", own_patch, "vision_config.patch_size", patch
    if extra is not None:
        dropped = written.get("vision_feature_select_strategy") == "default"
        yield "the number of image tokens", (side // patch) ** 2 + extra - dropped, "that number", tokens


def read_config(folder: Path) -> Mapping[str, Any]:
    """What config.json says. Raises UsageError where it is missing, damaged or no mapping."""
    try:
        config = _read_json(folder / "config.json")
    except FileNotFoundError as error:
        raise _missing(folder, "configuration", "config.json") from error
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"config.json is damaged ({_told(error)}): {_get_again(folder)}") from error
    if not isinstance(config, Mapping):
        raise UsageError(f"checkpoint {checkpoint_label(folder)}: config.json holds no mapping: {_get_again(folder)}.")
    for part in ("vision_config", "text_config"):
        if not isinstance(config.get(part, {}), Mapping):
            raise UsageError(f"checkpoint {checkpoint_label(folder)}: config.json: {part} is no mapping.")
    return config


def _read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


@contextmanager
def _one_sentence(folder: Path, what: str) -> Iterator[None]:
    """What transformers raises about a file of the checkpoint, as one sentence."""
    import torch

    try:
        yield
    except VeilBenchError:
        raise
    except torch.OutOfMemoryError as error:
        raise VeilBenchError(
            f"checkpoint {checkpoint_label(folder)} does not fit into the GPU's memory: take --dtype bfloat16 or"
            " --quantization 4bit, in a suite the target's dtype and quantization."
        ) from error
    # A damaged file shows in errors of every kind, those of a tokenizer written in Rust among them.
    except Exception as error:
        raise _damaged(folder, f"{what} cannot be read ({_told(error)}): {_get_again(folder)}") from error


def _damaged(folder: Path, said: str) -> UsageError:
    """What is ``said`` about a file, or where a clone has but a pointer to one, that."""
    for pointer in lfs_pointers(folder):
        said = f"{pointer} {POINTER_ADVICE}"
    return UsageError(f"checkpoint {checkpoint_label(folder)}: {said}.")


def _missing(folder: Path, what: str, file: str) -> UsageError:
    return UsageError(
        f"checkpoint {checkpoint_label(folder)} has no {what}: {file} is missing in its folder: {_get_again(folder)}."
    )


def _get_again(folder: Path) -> str:
    if folder.parent.name == "snapshots":
        hub_id = checkpoint_label(folder)
        return f"run `veilbench target check {hub_id} --download`, which fetches what is missing"
    return "get that file again from where the checkpoint comes from"


def _told(error: Exception) -> str:
    """The beginning of what the error says, on one line."""
    text = " ".join(str(error).split())
    return text[:200].rstrip(" :.") or type(error).__name__
