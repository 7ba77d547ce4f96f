"""Which weights a recipe trains, and how they are saved: an adapter, or a whole checkpoint."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import StoreFullError, UsageError
from bench.targets.base import Recipe

if TYPE_CHECKING:
    from bench.targets.packed.model import PackedModel

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LAST_FILES = ("adapter_config.json", "config.json")
"""By these a folder is known as an adapter or a checkpoint, so that they come last."""
WEIGHTS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".md")
INDEX_SUFFIX = ".index.json"


@contextmanager
def trained_network(model: "PackedModel", recipe: Recipe) -> Iterator[Any]:
    """The network with what the recipe trains in float32 and requiring gradients; afterwards the base model again."""
    with _full(model, recipe) if recipe.method == "full" else _adapted(model, recipe) as tuned, _checkpointed(model):
        tuned.train()
        yield tuned


def _adapted(model: "PackedModel", recipe: Recipe) -> AbstractContextManager[Any]:
    from peft import get_peft_model

    def adapt(network: Any) -> Any:
        tuned = get_peft_model(network, model.lora(recipe))
        for parameter in tuned.parameters():
            if parameter.requires_grad:
                # PEFT leaves its copy of the projector in the base's precision, too coarse for small steps.
                parameter.data = parameter.data.float()
        return tuned

    return model.adapted(adapt)


@contextmanager
def _full(model: "PackedModel", recipe: Recipe) -> Iterator[Any]:
    """Every weight of the projector and the language model, its embeddings and output layer included."""
    import torch

    if model.spec.quantization != "none":
        raise UsageError(
            f"the recipe's method full trains every weight, which {model.spec.quantization} weights do not allow: "
            "take method lora, or quantization none."
        )
    if recipe.tower_lora_rank:
        raise UsageError("the recipe's tower_lora_rank goes with method lora: method full leaves the tower as it is.")
    network = model.network
    parts = [network.get_submodule(name) for name in (model.projector_name, model.language_name)]
    parts.append(network.get_output_embeddings())
    before = {parameter: parameter.data for part in parts for parameter in part.parameters()}
    try:
        for parameter, values in before.items():
            parameter.data = values.to(dtype=torch.float32, copy=True)
            parameter.requires_grad_(True)
        yield network
    finally:
        for parameter, values in before.items():
            parameter.data, parameter.grad = values, None
            parameter.requires_grad_(False)
        network.eval()


@contextmanager
def _checkpointed(model: "PackedModel") -> Iterator[None]:
    """Where the spec asks for it, layers' inner values are computed again in the backward pass instead of kept."""
    if not model.spec.gradient_checkpointing:
        yield
        return
    model.network.gradient_checkpointing_enable({"use_reentrant": False})
    try:
        yield
    finally:
        model.network.gradient_checkpointing_disable()


def save_trained(model: "PackedModel", tuned: Any, recipe: Recipe, output: Path) -> None:
    """Write the adapter or the checkpoint to ``output``, whole or not at all.

    Raises StoreFullError where the disk is full.
    """
    partial = output / ".partial"
    try:
        partial.mkdir()
        if recipe.method == "full":
            _write_checkpoint(model, partial)
        else:
            _write_adapter(model, tuned, partial)
        for file in sorted(partial.iterdir(), key=lambda file: file.name in LAST_FILES):
            file.replace(output / file.name)
    except Exception as error:
        if not _means_full(error):
            raise
        raise StoreFullError(
            f"The disk under {output} is full, so that the fine-tuned weights were not saved: free space on it, for "
            "example with `veilbench store gc SUITE`, and run again."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _means_full(error: Exception) -> bool:
    # safetensors raises errors of its own, which quote the system's.
    return getattr(error, "errno", None) in FULL or any(os.strerror(number) in str(error) for number in FULL)


def _write_adapter(model: "PackedModel", tuned: Any, folder: Path) -> None:
    # PEFT writes down where the base model lay on this machine; the adapter must not depend on that.
    tuned.peft_config["default"].base_model_name_or_path = model.checkpoint
    # "auto" would look the base model up on the hub to see whether its vocabulary changed.
    tuned.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def _write_checkpoint(model: "PackedModel", folder: Path) -> None:
    """The network in its own precision, and the base's tokenizer and image processor as they are."""
    import torch

    dtype = getattr(torch, model.spec.dtype)
    for parameter in model.network.parameters():
        parameter.data = parameter.data.to(dtype)
    model.network.save_pretrained(folder)
    rename_tensors(folder, model.published_name)
    for file in sorted(model.folder.iterdir()):
        is_weights = file.suffix in WEIGHTS_SUFFIXES or file.name.endswith(INDEX_SUFFIX)
        if file.is_file() and not is_weights and not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)


def rename_tensors(folder: Path, name: Callable[[str], str]) -> None:
    """Give every tensor of a saved network another name."""
    import json

    from safetensors.torch import load_file, save_file

    for file in sorted(folder.glob("*.safetensors")):
        tensors = load_file(file)
        if any(name(old) != old for old in tensors):
            save_file({name(old): values for old, values in tensors.items()}, file, metadata={"format": "pt"})
    for index in folder.glob(f"*{INDEX_SUFFIX}"):
        content = json.loads(index.read_text(encoding="utf-8"))
        content["weight_map"] = {name(old): file for old, file in content["weight_map"].items()}
        index.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
