"""A checkpoint with random weights of every kind of model that a target family loads, small enough for tests."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from miniature_world import write_checkpoint
from small_minigpt import write_minigpt_v2

QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
PATCH, WIDTH = 4, 32


def byte_tokenizer(special: Sequence[str], **roles: Any) -> Any:
    """A tokenizer of single bytes behind the special tokens, whose ids are their places."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate([*special, *letters])}, merges=[]))
    inner.add_special_tokens(list(special))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=1024, **roles)


def spread(network: Any) -> Any:
    """Make the weights so wide that scores differ clearly: near ties would hide errors, and break greedy decoding."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim >= 2:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.25)
        else:
            parameter.data.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return network


def write_llava(folder: Path) -> None:
    """LLaVA: the shared one with wider weights."""
    from transformers import LlavaForConditionalGeneration

    write_checkpoint(folder)
    spread(LlavaForConditionalGeneration.from_pretrained(folder)).save_pretrained(folder)


def write_qwen2_vl(folder: Path) -> None:
    """Qwen2-VL."""
    import transformers

    vision = {"embed_dim": WIDTH, "hidden_size": WIDTH, "mlp_ratio": 2}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    _write_qwen(folder, transformers.Qwen2VLConfig, transformers.Qwen2VLForConditionalGeneration, vision, rope)


def write_qwen2_5_vl(folder: Path) -> None:
    """Qwen2.5-VL, with windows of two by two merge groups in all layers but one."""
    import transformers

    vision = {
        "hidden_size": WIDTH,
        "out_hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "window_size": 4 * PATCH,
        "fullatt_block_indexes": [1],
    }
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    _write_qwen(folder, transformers.Qwen2_5_VLConfig, transformers.Qwen2_5_VLForConditionalGeneration, vision, rope)


def write_qwen3_vl(folder: Path) -> None:
    """Qwen3-VL, which shows features of two tower layers to the first two language layers."""
    import transformers

    vision = {
        "hidden_size": WIDTH,
        "out_hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_position_embeddings": 36,
        "deepstack_visual_indexes": [0, 1],
    }
    rope = {"rope_type": "default", "mrope_section": [3, 3, 2], "mrope_interleaved": True, "rope_theta": 10000.0}
    _write_qwen(folder, transformers.Qwen3VLConfig, transformers.Qwen3VLForConditionalGeneration, vision, rope)


def _write_qwen(folder: Path, configuration: Any, kind: Any, vision: dict[str, Any], rope: dict[str, Any]) -> None:
    import torch
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = byte_tokenizer(QWEN_SPECIAL, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = QWEN_TEMPLATE
    ids = {name: place for place, name in enumerate(QWEN_SPECIAL)}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": WIDTH // 2,
        "max_position_embeddings": 1024,
        "rope_parameters": rope,
        "bos_token_id": None,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    shared = {"depth": 3, "num_heads": 2, "patch_size": PATCH, "spatial_merge_size": 2, "temporal_patch_size": 2}
    config = configuration(
        text_config=text,
        vision_config={**shared, **vision},
        tie_word_embeddings=False,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    torch.manual_seed(0)
    network = spread(kind(config))
    network.generation_config.eos_token_id = ids["<|im_end|>"]
    network.generation_config.pad_token_id = ids["<|endoftext|>"]
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(
        size={"shortest_edge": 4 * 4 * PATCH**2, "longest_edge": 4 * 36 * PATCH**2},
        patch_size=PATCH,
        temporal_patch_size=2,
        merge_size=2,
    ).save_pretrained(folder)


WRITERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "llava": ("llava", write_llava),
    "qwen2_vl": ("qwen_vl", write_qwen2_vl),
    "qwen2_5_vl": ("qwen_vl", write_qwen2_5_vl),
    "qwen3_vl": ("qwen_vl", write_qwen3_vl),
    "minigpt_v2": ("minigpt_v2", write_minigpt_v2),
}
"""Kind of model -> the family that loads it, and what writes a small one."""
