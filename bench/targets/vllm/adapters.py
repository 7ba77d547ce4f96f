"""The part of a fine-tuned adapter that vLLM serves: the language model's LoRA, under the names that vLLM knows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bench.core.digests import digest_tree
from bench.core.errors import UsageError, VeilBenchError
from bench.targets.vllm.completions import served_alone

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.model import PackedModel
    from bench.targets.vllm.client import EngineClient

OUTER = "base_model.model."
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


@contextmanager
def served_adapter(model: "PackedModel", adapter: Path | None, engine: "EngineClient") -> Iterator[str | None]:
    """Let ``engine`` serve the adapter's LoRA for a while; yields its name there, None where the base answers.

    The name begins with the digest of the adapter's folder: what vLLM remembers of a prompt, it remembers by adapter
    name. The rest keeps apart those who ask the same adapter of one engine: none unloads it under another's hands. An
    adapter without LoRA on the language model is served as the base, its projector being in the image embeddings.
    """
    if adapter is None:
        yield None
        return
    with TemporaryDirectory(prefix="veilbench-adapter-") as scratch:
        if not write_language_adapter(model, adapter, Path(scratch)):
            yield None
            return
        name = f"{digest_tree(adapter)}-{uuid4().hex[:8]}"
        engine.load_adapter(name, Path(scratch))
        try:
            yield name
        except BaseException:
            # An engine that died cannot unload either, and what it died of is the news.
            with suppress(VeilBenchError):
                engine.unload_adapter(name)
            raise
        engine.unload_adapter(name)


def write_language_adapter(model: "PackedModel", adapter: Path, folder: Path) -> bool:
    """Write a PEFT folder with nothing but the language model's LoRA; False, and nothing, where there is none.

    The projector and the vision tower are left out: they have done their work before the engine is asked. Raises
    UsageError where the adapter holds anything else, or several ranks, which would be dropped without a word.
    """
    from safetensors.torch import save_file

    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    weights = dict(_language_weights(model, adapter))
    if not weights:
        return False
    ranks = {tensor.shape[0] for name, tensor in weights.items() if ".lora_A." in name}
    if ranks != {config["r"]}:
        raise UsageError(f"{adapter / CONFIG}: vLLM serves one rank an adapter, this one has {sorted(ranks)}.")
    save_file(weights, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(_language_config(config, weights), indent=1), encoding="utf-8")
    return True


def _language_weights(model: "PackedModel", adapter: Path) -> Iterator[tuple[str, "torch.Tensor"]]:
    from safetensors import safe_open

    language = f"{OUTER}{model.language_name}."
    elsewhere = tuple(f"{OUTER}{name}." for name in (model.projector_name, model.tower_name))
    with safe_open(adapter / WEIGHTS, "pt") as file:
        for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
            if key.startswith(elsewhere):
                continue
            if not key.startswith(language) or (".lora_A." not in key and ".lora_B." not in key):
                raise UsageError(f"{adapter / WEIGHTS}: vLLM cannot serve '{key}': answer with transformers instead.")
            name = f"{OUTER}model.{key.removeprefix(language)}" if served_alone(model) else key
            yield name, file.get_tensor(key)


def _language_config(config: dict[str, Any], weights: dict[str, "torch.Tensor"]) -> dict[str, Any]:
    names = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in weights}
    return {
        **config,
        "target_modules": sorted(names),
        "exclude_modules": None,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "inference_mode": True,
    }
