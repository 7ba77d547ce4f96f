"""Sizes of a MiniGPT-v2: its EVA vision tower and its Llama."""

from typing import Any, ClassVar

from transformers import AutoConfig, LlamaConfig
from transformers.configuration_utils import PreTrainedConfig


class EvaVisionConfig(PreTrainedConfig):
    """An EVA vision transformer; the defaults are EVA-CLIP-g at MiniGPT-v2's 448 pixels.

    Source: create_eva_vit_g in minigpt4/models/eva_vit.py of Vision-CAIR/MiniGPT-4.
    """

    model_type = "minigpt_v2_vision"
    base_config_key = "vision_config"

    hidden_size: int = 1408
    intermediate_size: int = 6144
    num_hidden_layers: int = 39
    num_attention_heads: int = 16
    image_size: int = 448
    patch_size: int = 14
    layer_norm_eps: float = 1e-6
    output_norm_eps: float = 1e-5
    """Of ``ln_vision``, the normalisation behind the last block, which the others do not share."""
    initializer_range: float = 0.02

    @property
    def patches(self) -> int:
        """How many patches a photo is cut into."""
        return (self.image_size // self.patch_size) ** 2


class MiniGPTv2Config(PreTrainedConfig):
    """A tower, a linear projector on ``patches_per_token`` neighbouring patches, a Llama.

    ``image_token_id`` stands in ``input_ids`` once for each image token.
    """

    model_type = "minigpt_v2"
    sub_configs: ClassVar[dict[str, Any]] = {"vision_config": EvaVisionConfig, "text_config": AutoConfig}

    vision_config: Any = None
    text_config: Any = None
    image_token_id: int = 32000
    patches_per_token: int = 4
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Make configurations of plain dictionaries, as they are read from ``config.json``."""
        if not isinstance(self.vision_config, PreTrainedConfig):
            self.vision_config = EvaVisionConfig(**(self.vision_config or {}))
        if not isinstance(self.text_config, PreTrainedConfig):
            self.text_config = LlamaConfig(**(self.text_config or {}))
        super().__post_init__(**kwargs)

    @property
    def image_tokens(self) -> int:
        """How many image tokens a photo has."""
        return int(self.vision_config.patches) // self.patches_per_token
