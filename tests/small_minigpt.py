"""A MiniGPT-v2 with random weights, small enough for tests, and its tokenizer."""

from pathlib import Path
from typing import Any

import torch

SIDE, PATCH, WIDTH = 32, 4, 32
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<ImageHere>")


def letter_tokenizer(special: tuple[str, ...] = SPECIAL) -> Any:
    """Llama's kind of tokenizer, with a mark before each word, but of single letters; others fall into bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [f"<0x{value:02X}>" for value in range(256)] + ["▁"] + [chr(code) for code in range(33, 127)]
    vocabulary = {token: place for place, token in enumerate([*special, *letters])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    inner.add_special_tokens(list(special))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    inner.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>" if "<pad>" in special else None,
        model_max_length=1024,
    )


def small_vision(side: int = SIDE) -> Any:
    from bench.targets.minigpt.configuration import EvaVisionConfig

    return EvaVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        patch_size=PATCH,
    )


def small_llama(vocabulary: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


def spread_out(network: torch.nn.Module) -> None:
    """Make the weights so wide that scores differ clearly."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        random = torch.randn(parameter.shape, generator=generator)
        parameter.data.copy_(random * 0.25) if parameter.ndim >= 2 else parameter.data.add_(random * 0.1)


def write_minigpt_v2(folder: Path) -> None:
    """A checkpoint folder as the conversion writes it."""
    from bench.targets.minigpt.configuration import MiniGPTv2Config
    from bench.targets.minigpt.files import save_parts
    from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration

    tokenizer = letter_tokenizer()
    config = MiniGPTv2Config(
        vision_config=small_vision(),
        text_config=small_llama(len(tokenizer)),
        image_token_id=SPECIAL.index("<ImageHere>"),
    )
    network = MiniGPTv2ForConditionalGeneration(config)
    spread_out(network)
    save_parts(network, tokenizer, folder)
