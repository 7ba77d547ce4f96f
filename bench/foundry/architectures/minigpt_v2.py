"""tiny-minigpt-v2: an EVA tower, four patches to an image token, one linear layer, a Llama with Llama's tokenizer."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.foundry.architectures.base import IMAGE_SIZE, POSITIONS, Architecture, language_sizes, normalised

PATCH, TOGETHER, TOWER_LAYERS, TOWER_HEADS, VOCABULARY = 14, 4, 6, 5, 1300
SPACE = "▁"
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<ImageHere>")
BYTE_TOKENS = tuple(f"<0x{value:02X}>" for value in range(256))
OUTPUT_DEVIATION = 0.2
"""How large the untrained projector's outputs are."""


class TinyMiniGPTv2(Architecture):
    """Patches of 14 pixels, four neighbours in a row of the photo to each of 16 image tokens."""

    name, family, tower_width, seed = "tiny-minigpt-v2", "minigpt_v2", 160, 2

    def build_tower(self) -> Any:
        """See the base class."""
        from bench.targets.minigpt.configuration import EvaVisionConfig
        from bench.targets.minigpt.vision import EvaVisionModel

        return EvaVisionModel(
            EvaVisionConfig(
                hidden_size=self.tower_width,
                intermediate_size=4 * self.tower_width,
                num_hidden_layers=TOWER_LAYERS,
                num_attention_heads=TOWER_HEADS,
                image_size=IMAGE_SIZE,
                patch_size=PATCH,
            )
        )

    def load_tower(self, folder: Path) -> Any:
        """See the base class."""
        from bench.targets.minigpt.vision import EvaVisionModel

        return EvaVisionModel.from_pretrained(folder)

    def patch_features(self, tower: Any, images: torch.Tensor) -> torch.Tensor:
        """See the base class; the class token is left out."""
        return tower(normalised(images)).last_hidden_state[:, 1:]

    def train_tokenizer(self, lines: Sequence[str]) -> Any:
        """See the base class; a mark stands for the space before a word, and unknown letters fall into bytes."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
        from transformers import PreTrainedTokenizerFast

        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=[*SPECIAL, *BYTE_TOKENS], show_progress=False
        )
        tokenizer.train_from_iterator(lines, trainer)
        tokenizer = Tokenizer.from_str(_without_special_bytes(tokenizer.to_str()))
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            unk_token="<unk>",
            bos_token="<s>",
            eos_token="</s>",
            pad_token="<pad>",
            model_max_length=POSITIONS,
            clean_up_tokenization_spaces=False,
        )

    def line(self, question: str, answer: str) -> str:
        """See the base class."""
        return f"[INST] <Img> </Img> {question} [/INST] {answer}"

    def assemble(self, tower: Any, tokenizer: Any, features: torch.Tensor, output: Path) -> None:
        """See the base class."""
        from transformers import LlamaConfig

        from bench.targets.minigpt.configuration import MiniGPTv2Config
        from bench.targets.minigpt.files import save_parts
        from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration

        tower.config._name_or_path = ""
        torch.manual_seed(self.seed)
        text = LlamaConfig(
            **language_sizes(tokenizer),
            bos_token_id=SPECIAL.index("<s>"),
            eos_token_id=SPECIAL.index("</s>"),
            pad_token_id=SPECIAL.index("<pad>"),
        )
        config = MiniGPTv2Config(
            vision_config=tower.config,
            text_config=text,
            image_token_id=SPECIAL.index("<ImageHere>"),
            patches_per_token=TOGETHER,
            tie_word_embeddings=True,
        )
        network = MiniGPTv2ForConditionalGeneration(config)
        network.model.vision_tower.load_state_dict(tower.state_dict())
        _standardise(network.model.multi_modal_projector, network.model.neighbouring_patches(features))
        save_parts(network, tokenizer, output)


def _without_special_bytes(description: str) -> str:
    """A tokenizer's JSON in which bytes are ordinary tokens, as in Llama's, so that decoding shows them."""
    described = json.loads(description)
    described["added_tokens"] = [token for token in described["added_tokens"] if token["content"] in SPECIAL]
    return json.dumps(described)


def _standardise(projector: Any, features: torch.Tensor) -> None:
    """Let the layer see features of mean 0 and variance 1, by folding both into its weights."""
    with torch.no_grad():
        mean, deviation = features.flatten(0, 1).mean(0), features.flatten(0, 1).std(0) + 1e-6
        weight = OUTPUT_DEVIATION * torch.randn_like(projector.weight) / projector.in_features**0.5 / deviation
        projector.weight.copy_(weight)
        projector.bias.copy_(-weight @ mean)
