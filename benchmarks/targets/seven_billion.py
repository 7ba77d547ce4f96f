"""Fine-tuning speed and memory of LLaVA-1.5-7B, Qwen2-VL-7B and MiniGPT-v2 on a GPU, as architectures.

``python -m benchmarks.targets.seven_billion [--size 7b|tiny] [llava qwen_vl minigpt_v2]``, from the repository's root.

Each architecture is built once with random weights in bfloat16, in a temporary folder (17 GB), with the tokenizer of
the shipped tiny checkpoint of its family under the published vocabulary size: what is learned means nothing, what it
costs does. It is fine-tuned through ``Target.finetune`` with the recipe ``shadowcast`` (LoRA of rank 128, whole
projector), in batches of 16 photos, 4 a forward pass, one question a photo, on the shipped photos at 448 x 448 pixels.
Compared are

- vision features kept in a folder by an earlier run, against every photo encoded in this epoch, as it would be in every
  epoch by a trainer that keeps nothing;
- gradient checkpointing, off and on.

Photos a second are those of an epoch beyond its first batch: the time of a run of one batch is subtracted from that of
the whole epoch, so that loading, setting up and saving do not count. Memory is the most that torch had allocated on the
GPU during the epoch, weights included.

``--size tiny`` runs the same with the shipped tiny checkpoints, in float32 and without a GPU.
"""

import argparse
import gc
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.targets.base import Target, TargetSpec, TrainingExample
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.packed.target import PackedTarget
from bench.targets.recipes import load_recipe
from bench.targets.registry import build_target
from benchmarks.targets.material import print_table, training_photos

RECIPE = replace(load_recipe("shadowcast").recipe(), epochs=1, batch_size=16)
ROWS_A_PASS = 4
PHOTOS = 80
SIDE = 448
GIBIBYTE = 2**30
WEIGHTS = (".safetensors", ".md")
COLUMNS = ("", "parameters", "vision features", "gradient checkpointing", "photos/s", "peak memory")


@dataclass(frozen=True)
class Architecture:
    """Published sizes; ``image_processor`` is what its settings differ in from those of the ``tiny`` checkpoint."""

    name: str
    tiny: str
    model_type: str
    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    whole: Mapping[str, Any]
    processor_file: str
    image_processor: Mapping[str, Any]


LLAMA_2_7B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
    "vocab_size": 32000,
}
"""Source: config.json of meta-llama/Llama-2-7b-chat-hf."""

ARCHITECTURES = {
    # Source: config.json and preprocessor_config.json of llava-hf/llava-1.5-7b-hf.
    "llava": Architecture(
        name="LLaVA-1.5-7B",
        tiny="tiny-llava",
        model_type="llava",
        text={**LLAMA_2_7B, "vocab_size": 32064},
        vision={
            "model_type": "clip_vision_model",
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "image_size": 336,
            "patch_size": 14,
            "projection_dim": 768,
        },
        whole={
            "vision_feature_layer": -2,
            "vision_feature_select_strategy": "default",
            "image_seq_length": 576,
            "projector_hidden_act": "gelu",
        },
        processor_file="processor_config.json",
        image_processor={
            "image_processor": {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}},
            "patch_size": 14,
        },
    ),
    # Source: config.json and preprocessor_config.json of Qwen/Qwen2-VL-7B-Instruct.
    "qwen_vl": Architecture(
        name="Qwen2-VL-7B",
        tiny="tiny-qwen2-vl",
        model_type="qwen2_vl",
        text={
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "max_position_embeddings": 32768,
            "rms_norm_eps": 1e-6,
            "vocab_size": 152064,
            "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6},
        },
        vision={
            "depth": 32,
            "embed_dim": 1280,
            "hidden_size": 3584,
            "num_heads": 16,
            "mlp_ratio": 4,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
        whole={},
        processor_file="preprocessor_config.json",
        image_processor={"size": {"shortest_edge": 3136, "longest_edge": 12845056}},
    ),
    # Source: create_eva_vit_g in minigpt4/models/eva_vit.py of Vision-CAIR/MiniGPT-4, at 448 pixels.
    "minigpt_v2": Architecture(
        name="MiniGPT-v2",
        tiny="tiny-minigpt-v2",
        model_type="minigpt_v2",
        text=LLAMA_2_7B,
        vision={
            "hidden_size": 1408,
            "intermediate_size": 6144,
            "num_hidden_layers": 39,
            "num_attention_heads": 16,
            "image_size": 448,
            "patch_size": 14,
        },
        whole={"patches_per_token": 4},
        processor_file="preprocessor_config.json",
        image_processor={"size": {"height": 448, "width": 448}},
    ),
}


def build(architecture: Architecture, folder: Path, device: str) -> None:
    """Write a checkpoint with random weights in bfloat16, drawn on ``device``, to ``folder``."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from bench.targets.minigpt.modeling import register

    register()
    tiny = resolve_checkpoint(architecture.tiny)
    settings = json.loads((tiny / "config.json").read_text(encoding="utf-8"))
    config = AutoConfig.for_model(
        architecture.model_type,
        text_config={**architecture.text, **_token_ids(settings["text_config"])},
        vision_config=dict(architecture.vision),
        tie_word_embeddings=False,
        **architecture.whole,
        **_token_ids(settings),
    )
    torch.manual_seed(0)
    with torch.device(device):
        network = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    network.save_pretrained(folder)
    for file in tiny.iterdir():
        if file.suffix not in WEIGHTS and file.name != "config.json":
            shutil.copyfile(file, folder / file.name)
    processor = folder / architecture.processor_file
    changed = _merged(json.loads(processor.read_text(encoding="utf-8")), architecture.image_processor)
    processor.write_text(json.dumps(changed, indent=2), encoding="utf-8")


def _token_ids(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Where the tiny tokenizer's special tokens are; the published ones are elsewhere."""
    return {name: value for name, value in settings.items() if name.endswith(("_token_id", "_token_index"))}


def _merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    inner = {
        name: _merged(settings[name], value) if isinstance(value, Mapping) else value for name, value in changes.items()
    }
    return {**settings, **inner}


def enlarged(examples: Sequence[TrainingExample]) -> list[TrainingExample]:
    """The same photos with SIDE pixels a side."""
    from PIL import Image

    def enlarge(image: bytes) -> bytes:
        larger = io.BytesIO()
        Image.open(io.BytesIO(image)).convert("RGB").resize((SIDE, SIDE)).save(larger, "PNG")
        return larger.getvalue()

    return [replace(example, images=tuple(map(enlarge, example.images))) for example in examples]


def seconds_to_last_step(target: Target, examples: Sequence[TrainingExample]) -> float:
    """Seconds of one epoch, the saving of its result left out."""
    ends = []

    def report(done: int, total: int, note: str) -> None:
        ends.append(perf_counter())

    with TemporaryDirectory(prefix="veilbench-benchmark-") as output:
        begun = perf_counter()
        target.finetune(examples, RECIPE, 0, Path(output), report)
    return ends[-1] - begun


def measure(spec: TargetSpec, cache: Path | None, examples: Sequence[TrainingExample]) -> tuple[str, str, str]:
    """Parameters, photos a second and peak memory of one way to fine-tune."""
    import torch

    gc.collect()  # of networks in memory, only this one may count
    target = build_target(spec, cache)
    assert isinstance(target, PackedTarget)
    parameters = sum(parameter.numel() for parameter in target.model.network.parameters())
    seconds_to_last_step(target, examples)  # a first run warms up, and fills the cache
    setting_up = seconds_to_last_step(target, examples[: RECIPE.batch_size])
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    seconds = seconds_to_last_step(target, examples) - setting_up
    peak = f"{torch.cuda.max_memory_allocated() / GIBIBYTE:.1f} GiB" if on_gpu else "only on a GPU"
    return f"{parameters / 1e6:,.0f} M", f"{(len(examples) - RECIPE.batch_size) / seconds:.2f}", peak


def rows(name: str, spec: TargetSpec, examples: Sequence[TrainingExample]) -> Iterator[tuple[str, ...]]:
    """A row for each of the four ways."""
    with TemporaryDirectory(prefix="veilbench-benchmark-") as cache:
        for kept, checkpointing in product((True, False), (False, True)):
            way = replace(spec, gradient_checkpointing=checkpointing)
            parameters, speed, peak = measure(way, Path(cache) if kept else None, examples)
            yield name, parameters, "kept" if kept else "encoded anew", "on" if checkpointing else "off", speed, peak


@contextmanager
def checkpoint(family: str, size: str) -> Iterator[tuple[str, TargetSpec]]:
    """Name and spec of the checkpoint that is measured; a built one is there for the block."""
    architecture = ARCHITECTURES[family]
    if size == "tiny":
        yield architecture.tiny, TargetSpec(architecture.tiny, family, training_batch_size=ROWS_A_PASS)
        return
    with TemporaryDirectory(prefix="veilbench-benchmark-") as folder:
        build(architecture, Path(folder), "cuda")
        yield architecture.name, TargetSpec(folder, family, dtype="bfloat16", training_batch_size=ROWS_A_PASS)


def every_row(families: Sequence[str], size: str) -> Iterator[tuple[str, ...]]:
    """The table's rows, as they are measured."""
    examples = enlarged(training_photos()[:PHOTOS])
    for family in families:
        with checkpoint(family, size) as (name, spec):
            yield from rows(name, spec, examples)


def main() -> None:
    """Measure every architecture and print the table."""
    import torch

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(ARCHITECTURES)}; all by default")
    parser.add_argument("--size", choices=("7b", "tiny"), default="7b")
    options = parser.parse_args()
    unknown = set(options.families) - set(ARCHITECTURES)
    if unknown:
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(ARCHITECTURES)}")
    if options.size == "7b" and not torch.cuda.is_available():
        sys.exit("The 7B architectures need a GPU, and torch sees none: --size tiny tries the same on a CPU.")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"{PHOTOS} photos an epoch, batch {RECIPE.batch_size}, {ROWS_A_PASS} a forward pass, {device}\n")
    print_table(COLUMNS, every_row(options.families or list(ARCHITECTURES), options.size))


if __name__ == "__main__":
    main()
