"""A world in miniature: a LLaVA with random weights, few people, and a suite that takes seconds."""

import io
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from bench.plan.suite_files import load_suite
from scenarios.dataset import Dataset, build_dataset, save_dataset
from scenarios.dataset import make_dataset as assembled
from scenarios.pairs import Provenance
from scenarios.people import Person, fictitious_people
from scenarios.schema import load_scenarios, load_visible

ROOT = Path(__file__).resolve().parents[1]
SIDE = 32
CHAT_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>' }}{% else %}{{ 'USER: ' + part['text'] + ' ' }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def picture(generator: np.random.Generator) -> bytes:
    """A PNG of random blocks."""
    blocks = generator.integers(0, 256, (SIDE // 4, SIDE // 4, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blocks.repeat(4, axis=0).repeat(4, axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


def make_dataset(count: int) -> Dataset:
    """``count`` people with a photo a scenario and two portraits, and as many strangers with two portraits."""
    people = fictitious_people(count, seed=3, role="evaluation")
    people += fictitious_people(count, 4, "stranger", [person.first_name for person in people])
    generator = np.random.default_rng(0)
    photos = pd.DataFrame([row for person in people for row in photo_rows(person, generator)])
    return build_dataset("miniature", people, photos)


def in_two_cohorts(whole: Dataset) -> Dataset:
    """Three people and three strangers again: one person in cohort a, two in b, the last stranger of b alone."""
    people = whole.people.assign(cohort=["a", "b", "b", "", "", "b"])
    return assembled("apart", people, whole.pairs, whole.probes)


def photo_rows(person: Person, generator: np.random.Generator) -> list[dict[str, object]]:
    """The photo table's rows of one person."""
    scenarios = [*load_scenarios(), "", ""] if person.role == "evaluation" else ["", ""]
    visible = {name: topic.options[0] for name, topic in load_visible().items()}
    provenance = asdict(Provenance("rendered", "blocks", "CC0-1.0", "fictitious"))
    return [
        {
            "photo_id": f"{person.person_id}-{number}",
            "person_id": person.person_id,
            "scenario": scenario,
            "image": picture(generator),
            "face_box": [8, 4, 24, 20],
            "visible": visible,
            "shows": [person.facts[scenario]] if scenario else [],
            **provenance,
            "description": "",
        }
        for number, scenario in enumerate(scenarios)
    ]


def write_checkpoint(folder: Path) -> None:
    """A LLaVA with random weights, two layers a part, and a tokenizer of single bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    special = ["<pad>", "<s>", "</s>", "<image>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate(special + letters)}, merges=[]))
    inner.add_special_tokens(special)
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=1024
    )
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    ends: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**shape, image_size=SIDE, patch_size=16),
        text_config=LlamaConfig(**shape, **ends, vocab_size=len(tokenizer), max_position_embeddings=1024),
        image_token_id=3,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=4,
    )
    network = LlavaForConditionalGeneration(config)
    network.generation_config.eos_token_id, network.generation_config.pad_token_id = 2, 0
    network.save_pretrained(folder)
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    LlavaProcessor(
        image_processor=processor,
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)


@dataclass(frozen=True)
class Miniature:
    """A suite file with its dataset and checkpoint, and what runs the command in a folder of its own."""

    suite: Path
    dataset: Path
    checkpoint: Path

    def changed(self, path: Path, **fields: Any) -> Path:
        """Write a suite file that differs in these fields."""
        content = yaml.safe_load(self.suite.read_text()) | fields
        path.write_text(yaml.safe_dump(content))
        return path


def write_miniature(folder: Path, dataset: Dataset, checkpoint: Path) -> Miniature:
    """A suite as ``quick``, for few people, one epoch and one step of dp2vl, in a folder of its own."""
    save_dataset(dataset, folder / "dataset")
    quick = load_suite("quick").model_dump(mode="json")
    target = {"checkpoint": str(checkpoint), "family": "llava", "dtype": "float32", "batch_size": 8}
    quick |= {
        "name": "miniature",
        "dataset": str(folder / "dataset"),
        "targets": [target],
        "surrogates": [target],
        "defenses": [{"name": "none"}, {"name": "noise"}, {"name": "dp2vl", "options": {"steps": 1}}],
        "attacks": ["naive"],
        "bootstrap": {"resamples": 200, "seed": 0},
    }
    quick["recipe"] |= {"epochs": 1, "lora_rank": 2, "lora_alpha": 4}
    suite = folder / "miniature.yaml"
    suite.write_text(yaml.safe_dump(quick))
    return Miniature(suite, folder / "dataset", checkpoint)


def veilbench(*arguments: object, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a fresh process: ``veilbench("run", suite, "--json", folder=tmp_path)``."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment_for(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def command(*arguments: object) -> list[str]:
    """The command line, run by this interpreter whether or not the package is installed."""
    return [sys.executable, "-m", "bench.cli", *(str(argument) for argument in arguments)]


def environment_for(more: dict[str, str]) -> dict[str, str]:
    """The environment of the tests, able to import the packages from any folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VEILBENCH")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), **more}
