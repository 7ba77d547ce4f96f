"""The Llama inside a MiniGPT-v2 checkpoint as a checkpoint of its own, for engines that know nothing but Llamas."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import UsageError

if TYPE_CHECKING:
    import torch

INNER, HEAD = "model.language_model.", "lm_head."
SHARD_BYTES = 4 * 2**30


def write_language_model(checkpoint: Path, output: Path) -> Path:
    """Write the Llama of ``checkpoint`` to ``output`` and return it; one that was written whole before is kept.

    Raises UsageError where the checkpoint has no weights of a language model.
    """
    if (output / "config.json").exists():
        return output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    _write_weights(checkpoint, output)
    for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "generation_config.json"):
        if (checkpoint / name).exists():
            shutil.copy(checkpoint / name, output / name)
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    inner = {**config["text_config"], "architectures": ["LlamaForCausalLM"]}
    # Written last: who finds it finds everything.
    (output / "config.json").write_text(json.dumps(inner, indent=1), encoding="utf-8")
    return output


def _write_weights(checkpoint: Path, output: Path) -> None:
    from safetensors.torch import save_file

    index: dict[str, str] = {}
    shard: dict[str, torch.Tensor] = {}
    written, number = 0, 0

    def flush() -> None:
        nonlocal shard, number, written
        number += 1
        name = f"model-{number:05d}.safetensors"
        save_file(shard, output / name, metadata={"format": "pt"})
        index.update(dict.fromkeys(shard, name))
        shard, written = {}, 0

    for name, tensor in _language_tensors(checkpoint):
        if shard and written + tensor.nbytes > SHARD_BYTES:
            flush()
        shard[name] = tensor
        written += tensor.nbytes
    if not shard:
        raise UsageError(f"checkpoint {checkpoint.name} holds no weights of a language model ({INNER}…).")
    flush()
    content: dict[str, Any] = {"metadata": {}, "weight_map": index}
    (output / "model.safetensors.index.json").write_text(json.dumps(content), encoding="utf-8")


def _language_tensors(checkpoint: Path) -> Iterator[tuple[str, "torch.Tensor"]]:
    from safetensors import safe_open

    for file in sorted(checkpoint.glob("*.safetensors")):
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - safe_open is no mapping
                if name.startswith(INNER):
                    yield f"model.{name.removeprefix(INNER)}", opened.get_tensor(name)
                elif name.startswith(HEAD):
                    yield name, opened.get_tensor(name)
