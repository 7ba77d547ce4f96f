"""smol-llava: tiny-llava's vision tower, a new projector, and a language model that was pretrained on real text."""

import shutil
from pathlib import Path
from typing import Any

import torch

from bench.foundry.architectures.llava import standardise
from bench.targets.llava import LoadedLlava
from bench.targets.training.tuned_weights import rename_tensors

NAME, SEED = "smol-llava", 3
IMAGE = "<image>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\n' }}{% endif %}{% endfor %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""tiny-llava's shape, image before question, in the words that SmolLM2-Instruct was tuned on; no system message."""


def assemble(tiny: Any, language: Any, tokenizer: Any, features: torch.Tensor) -> Any:
    """A float32 ``LlavaForConditionalGeneration`` whose projector is untrained; everything else is copied.

    ``tiny`` (LlavaForConditionalGeneration) gives the tower and how its features are taken. ``language``
    (LlamaForCausalLM with tied embeddings) and its ``tokenizer``, which is given ``<image>`` and the chat template
    here, give the rest. ``features`` (photos, patches, width) is a sample of the tower's output.
    """
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    tokenizer.add_tokens([IMAGE], special_tokens=True)
    tokenizer.chat_template = CHAT_TEMPLATE
    weights = dict(language.model.state_dict())
    weights["embed_tokens.weight"] = _with_rows(weights["embed_tokens.weight"], len(tokenizer))
    text = {**language.config.to_dict(), "vocab_size": len(weights["embed_tokens.weight"])}
    # A model that was read from a quantised file still says so; these are plain weights.
    text.pop("quantization_config", None)
    config = LlavaConfig(
        vision_config=tiny.config.vision_config.to_dict(),
        text_config=LlamaConfig.from_dict(text),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        vision_feature_layer=tiny.config.vision_feature_layer,
        vision_feature_select_strategy=tiny.config.vision_feature_select_strategy,
        image_seq_length=tiny.config.image_seq_length,
        tie_word_embeddings=True,
    )
    torch.manual_seed(SEED)
    network = LlavaForConditionalGeneration(config)
    network.model.vision_tower.load_state_dict(tiny.model.vision_tower.state_dict())
    network.model.language_model.load_state_dict(weights)
    standardise(network.model.multi_modal_projector, features)
    _lengthen(network.model.multi_modal_projector, features, weights["embed_tokens.weight"])
    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    network.generation_config.eos_token_id, network.generation_config.pad_token_id = end, pad
    return network


def _with_rows(embedded: torch.Tensor, rows: int) -> torch.Tensor:
    """Embeddings with at least that many rows; the mean row is what is added, so that it is never the likeliest."""
    return torch.cat([embedded, embedded.mean(0).expand(max(0, rows - len(embedded)), -1)])


def _lengthen(projector: Any, features: torch.Tensor, embedded: torch.Tensor) -> None:
    """Let image tokens be as long as word embeddings on average."""
    with torch.no_grad():
        lengths = projector(features).norm(dim=-1)
        projector.linear_2.weight.mul_(embedded.norm(dim=-1).mean() / lengths.mean())


def save(network: Any, tokenizer: Any, tiny: Path, output: Path) -> None:
    """Write the checkpoint in half precision, as ``tiny``'s folder is written: tensor names, image processor."""
    network.half().save_pretrained(output)
    rename_tensors(output, LoadedLlava.published_name)
    # safetensors writes files that only their owner may read.
    (output / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(output)
    shutil.copy(tiny / "processor_config.json", output)
