"""The EVA vision transformer of MiniGPT-v2, with its tensors under their published names."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import initialization
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import PreTrainedModel

from bench.targets.minigpt.configuration import EvaVisionConfig


class EvaPatchEmbedding(nn.Module):
    """One linear map of each square patch."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.hidden_size, kernel_size=config.patch_size, stride=config.patch_size)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Patches (photos, patches, width) in raster order."""
        return self.proj(pixel_values.to(self.proj.weight.dtype)).flatten(2).transpose(1, 2)


class EvaAttention(nn.Module):
    """Full attention; queries and values have a bias, keys have none."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(config.hidden_size))
        self.v_bias = nn.Parameter(torch.zeros(config.hidden_size))
        self.proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Attend over all tokens of (photos, tokens, width)."""
        photos, tokens, width = hidden.shape
        bias = torch.cat((self.q_bias, torch.zeros_like(self.v_bias), self.v_bias))
        # The layer is called, and not only its weight used, so that an adapter on it takes part.
        joint = self.qkv(hidden)
        joint = (joint + bias.to(joint.dtype)).view(photos, tokens, 3, self.heads, width // self.heads)
        query, key, value = joint.permute(2, 0, 3, 1, 4).unbind()
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).reshape(photos, tokens, width))


class EvaMlp(nn.Module):
    """Two layers around the exact GELU."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens (photos, tokens, width), each by itself."""
        return self.fc2(functional.gelu(self.fc1(hidden)))


class EvaBlock(GradientCheckpointingLayer):
    """Attention and a multilayer perceptron, each behind its normalisation."""

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = EvaAttention(config)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = EvaMlp(config)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens (photos, tokens, width)."""
        hidden = hidden + self.attn(self.norm1(hidden))
        return hidden + self.mlp(self.norm2(hidden))


class EvaVisionModel(PreTrainedModel):
    """The blocks, and MiniGPT-v2's ``ln_vision`` behind them.

    Source: minigpt4/models/eva_vit.py of Vision-CAIR/MiniGPT-4. Positions are learned, one for each patch and one
    for the class token; dropout and stochastic depth, which the published tower trains without, are left out.
    """

    config: EvaVisionConfig
    config_class = EvaVisionConfig
    base_model_prefix = "vision_tower"
    main_input_name = "pixel_values"
    input_modalities = "image"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["EvaBlock"]  # noqa: RUF012 - the library's own form

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__(config)
        self.patch_embed = EvaPatchEmbedding(config)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.patches + 1, config.hidden_size))
        self.blocks = nn.ModuleList([EvaBlock(config) for _ in range(config.num_hidden_layers)])
        self.ln_vision = nn.LayerNorm(config.hidden_size, eps=config.output_norm_eps)
        self.post_init()

    def forward(self, pixel_values: torch.Tensor, **_: Any) -> BaseModelOutput:
        """Features (photos, 1 + patches, width) of photos (photos, 3, side, side); the class token comes first."""
        patches = self.patch_embed(pixel_values)
        hidden = torch.cat((self.cls_token.expand(len(patches), -1, -1).to(patches.dtype), patches), dim=1)
        hidden = hidden + self.pos_embed.to(patches.dtype)
        for block in self.blocks:
            hidden = block(hidden)
        return BaseModelOutput(last_hidden_state=self.ln_vision(hidden))

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, EvaVisionModel):
            for tensor in (module.cls_token, module.pos_embed):
                initialization.normal_(tensor, std=self.config.initializer_range)
        elif isinstance(module, EvaAttention):
            for tensor in (module.q_bias, module.v_bias):
                initialization.zeros_(tensor)
