"""tiny-qwen2-vl: a ViT with two-dimensional rotary positions, a 2 x 2 patch merger, a Qwen2 with M-RoPE."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.foundry.architectures.base import (
    HIDDEN,
    IMAGE_SIZE,
    POSITIONS,
    Architecture,
    byte_level_bpe,
    language_sizes,
    normalised,
)

PATCH, MERGE, TOWER_LAYERS, TOWER_HEADS, VOCABULARY = 14, 2, 5, 5, 1200
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
           "<|video_pad|>")  # fmt: skip
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "{{ '<|vision_start|><|image_pad|><|vision_end|>' }}{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class TinyQwen2VL(Architecture):
    """Patches of 14 pixels, merged four by four into 16 image tokens."""

    name, family, tower_width, seed = "tiny-qwen2-vl", "qwen_vl", 160, 1

    def build_tower(self) -> Any:
        """See the base class; the merger is the projector, so it is frozen here."""
        from transformers.models.qwen2_vl.configuration_qwen2_vl import Qwen2VLVisionConfig
        from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VisionTransformerPretrainedModel

        tower = Qwen2VisionTransformerPretrainedModel(
            Qwen2VLVisionConfig(
                depth=TOWER_LAYERS,
                embed_dim=self.tower_width,
                hidden_size=HIDDEN,
                num_heads=TOWER_HEADS,
                mlp_ratio=4,
                patch_size=PATCH,
                spatial_merge_size=MERGE,
                temporal_patch_size=2,
                in_channels=3,
            )
        )
        tower.merger.requires_grad_(False)
        return tower

    def load_tower(self, folder: Path) -> Any:
        """See the base class."""
        from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VisionTransformerPretrainedModel

        return Qwen2VisionTransformerPretrainedModel.from_pretrained(folder)

    def patch_features(self, tower: Any, images: torch.Tensor) -> torch.Tensor:
        """See the base class; patches come merge group by merge group, as the family's processor lays them out."""
        from bench.targets.preprocessing import patchify

        patches = patchify(normalised(images), PATCH, MERGE, temporal=2)
        side = IMAGE_SIZE // PATCH
        grids = torch.tensor([[1, side, side]]).expand(len(images), -1)
        features = tower(patches.flatten(0, 1), grid_thw=grids).last_hidden_state
        return features.view(len(images), side * side, -1)

    def train_tokenizer(self, lines: Sequence[str]) -> Any:
        """See the base class; words are cut as GPT-2 cuts them, after Qwen's own special tokens."""
        from transformers import PreTrainedTokenizerFast

        tokenizer = byte_level_bpe(lines, VOCABULARY, SPECIAL)
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            eos_token="<|im_end|>",
            pad_token="<|endoftext|>",
            model_max_length=POSITIONS,
            clean_up_tokenization_spaces=False,
        )

    def line(self, question: str, answer: str) -> str:
        """See the base class."""
        return f"user\n{question}\nassistant\n{answer}\n"

    def assemble(self, tower: Any, tokenizer: Any, features: torch.Tensor, output: Path) -> None:
        """See the base class."""
        from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

        end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
        text = {
            **language_sizes(tokenizer),
            "rope_parameters": {"rope_type": "default", "mrope_section": [8, 12, 12], "rope_theta": 10000.0},
            "bos_token_id": None,
            "eos_token_id": end,
            "pad_token_id": pad,
        }
        names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
        words = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
        ids = dict(zip(names, tokenizer.convert_tokens_to_ids(list(words)), strict=True))
        # Where the tower lay on this machine is nobody's business.
        seen = {key: value for key, value in tower.config.to_dict().items() if key != "_name_or_path"}
        torch.manual_seed(self.seed)
        config = Qwen2VLConfig(text_config=text, vision_config=seen, tie_word_embeddings=True, **ids)
        network = Qwen2VLForConditionalGeneration(config)
        network.model.visual.load_state_dict(tower.state_dict())
        _standardise(network.model.visual.merger, features)
        network.generation_config.eos_token_id, network.generation_config.pad_token_id = end, pad
        network.save_pretrained(output)
        pixels = {"shortest_edge": (2 * MERGE * PATCH) ** 2, "longest_edge": IMAGE_SIZE**2}
        sizes = {"size": pixels, "patch_size": PATCH, "temporal_patch_size": 2, "merge_size": MERGE}
        Qwen2VLImageProcessorPil(**sizes).save_pretrained(output)
        # The processor of moving pictures needs torchvision to be built; its settings are all that is asked for.
        moving = {"video_processor_type": "Qwen2VLVideoProcessor", "processor_class": "Qwen2VLProcessor", **sizes}
        (output / "video_preprocessor_config.json").write_text(json.dumps(moving, indent=2) + "\n", encoding="utf-8")
        tokenizer.chat_template = CHAT_TEMPLATE
        tokenizer.save_pretrained(output)


def _standardise(merger: Any, features: torch.Tensor) -> None:
    """Let the merger's first linear layer see inputs of mean 0 and variance 1, behind its own normalisation."""
    with torch.no_grad():
        seen = merger.ln_q(features).flatten(0, 1)
        merger.ln_q.weight.div_(seen.std(0) + 1e-6)
        merger.ln_q.bias.copy_(-seen.mean(0) / (seen.std(0) + 1e-6))
        first, last = merger.mlp[0], merger.mlp[2]
        first.weight.normal_(std=first.in_features**-0.5)
        first.bias.zero_()
        last.weight.normal_(std=0.02)
        last.bias.zero_()
