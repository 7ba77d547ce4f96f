"""tiny-llava: a CLIP tower, a two-layer projector, a Llama."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.foundry.architectures.base import (
    CLIP_MEAN,
    CLIP_STD,
    IMAGE_SIZE,
    POSITIONS,
    Architecture,
    byte_level_bpe,
    language_sizes,
    normalised,
)

PATCH, TOWER_LAYERS, VOCABULARY = 16, 5, 1400
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\n' }}{% endif %}{% endfor %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endif %}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


class TinyLlava(Architecture):
    """Patches of 16 pixels, 49 image tokens, learned positions, byte-level BPE."""

    name, family, tower_width, seed = "tiny-llava", "llava", 192, 0

    def build_tower(self) -> Any:
        """See the base class."""
        from transformers import CLIPVisionConfig, CLIPVisionModel

        return CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=self.tower_width,
                intermediate_size=3 * self.tower_width,
                num_hidden_layers=TOWER_LAYERS,
                num_attention_heads=3,
                image_size=IMAGE_SIZE,
                patch_size=PATCH,
                projection_dim=self.tower_width,
                hidden_act="gelu",
            )
        )

    def load_tower(self, folder: Path) -> Any:
        """See the base class."""
        from transformers import CLIPVisionModel

        return CLIPVisionModel.from_pretrained(folder)

    def patch_features(self, tower: Any, images: torch.Tensor) -> torch.Tensor:
        """See the base class; the class token is left out."""
        return tower(pixel_values=normalised(images)).last_hidden_state[:, 1:]

    def train_tokenizer(self, lines: Sequence[str]) -> Any:
        """See the base class."""
        from tokenizers import processors
        from transformers import PreTrainedTokenizerFast

        tokenizer = byte_level_bpe(lines, VOCABULARY, ["<pad>", "<s>", "</s>", "<image>"])
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=POSITIONS
        )

    def line(self, question: str, answer: str) -> str:
        """See the base class."""
        return f"USER: \n{question} ASSISTANT: {answer}"

    def assemble(self, tower: Any, tokenizer: Any, features: torch.Tensor, output: Path) -> None:
        """See the base class."""
        from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        tower.config._name_or_path = ""
        torch.manual_seed(self.seed)
        text = LlamaConfig(
            **language_sizes(tokenizer),
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
        config = LlavaConfig(
            vision_config=tower.config,
            text_config=text,
            image_token_index=3,
            vision_feature_layer=-1,
            vision_feature_select_strategy="default",
            image_seq_length=(IMAGE_SIZE // PATCH) ** 2,
            tie_word_embeddings=True,
        )
        network = LlavaForConditionalGeneration(config)
        network.model.vision_tower.load_state_dict(tower.state_dict())
        standardise(network.model.multi_modal_projector, features)
        network.generation_config.eos_token_id, network.generation_config.pad_token_id = 2, 0
        network.save_pretrained(output)
        image_processor = CLIPImageProcessorPil(
            size={"shortest_edge": IMAGE_SIZE},
            crop_size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
            image_mean=list(CLIP_MEAN),
            image_std=list(CLIP_STD),
        )
        LlavaProcessor(
            image_processor=image_processor,
            tokenizer=tokenizer,
            patch_size=PATCH,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            image_token="<image>",
            chat_template=CHAT_TEMPLATE,
        ).save_pretrained(output)


def standardise(projector: Any, features: torch.Tensor) -> None:
    """Let the first layer see features of mean 0 and variance 1, by folding both into its weights."""
    with torch.no_grad():
        mean, deviation = features.flatten(0, 1).mean(0), features.flatten(0, 1).std(0) + 1e-6
        weight = torch.randn_like(projector.linear_1.weight) / projector.linear_1.in_features**0.5 / deviation
        projector.linear_1.weight.copy_(weight)
        projector.linear_1.bias.copy_(-weight @ mean)
        projector.linear_2.weight.normal_(std=0.02)
        projector.linear_2.bias.zero_()
