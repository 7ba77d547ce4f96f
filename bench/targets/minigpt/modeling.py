"""MiniGPT-v2: an EVA tower, a linear projector on four patches at a time, a Llama."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForImageTextToText
from transformers.cache_utils import Cache
from transformers.generation.utils import GenerationMixin
from transformers.modeling_outputs import BaseModelOutputWithPast
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.generic import ModelOutput

from bench.targets.minigpt.configuration import MiniGPTv2Config
from bench.targets.minigpt.vision import EvaVisionModel


@dataclass
class MiniGPTv2Output(ModelOutput):
    """What a forward pass gives; ``loss`` only where labels were given."""

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


class MiniGPTv2PreTrainedModel(PreTrainedModel):
    """What the network and its inner model have in common."""

    config: MiniGPTv2Config
    config_class = MiniGPTv2Config
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012 - the library's own form


class MiniGPTv2Model(MiniGPTv2PreTrainedModel):
    """Tower, projector and Llama, without the output layer."""

    def __init__(self, config: MiniGPTv2Config) -> None:
        super().__init__(config)
        self.vision_tower = EvaVisionModel(config.vision_config)
        self.multi_modal_projector = nn.Linear(
            config.patches_per_token * config.vision_config.hidden_size, config.text_config.hidden_size
        )
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The Llama's word embeddings."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the Llama's word embeddings."""
        self.language_model.set_input_embeddings(value)

    def neighbouring_patches(self, features: torch.Tensor) -> torch.Tensor:
        """Patches (photos, patches, width) without the class token, four in raster order to a row.

        Returns (photos, patches / 4, 4 x width). Source: encode_img in minigpt4/models/minigpt_v2.py.
        """
        photos, patches, width = features.shape
        together = self.config.patches_per_token
        return features.reshape(photos, patches // together, together * width)

    def _embed(self, input_ids: torch.Tensor, pixel_values: torch.Tensor | None) -> torch.Tensor:
        places = input_ids == self.config.image_token_id
        # The published vocabulary has no row for the image token.
        words = self.get_input_embeddings()(input_ids.masked_fill(places, 0))
        if pixel_values is None:
            return words
        images = self.get_image_features(pixel_values)
        if int(places.sum()) != images.shape[0] * images.shape[1]:
            raise ValueError(
                f"input_ids hold {int(places.sum())} image tokens, "
                f"the {images.shape[0]} photos need {images.shape[0] * images.shape[1]}"
            )
        return words.masked_scatter(places.unsqueeze(-1), images.to(words.device, words.dtype))

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """What the Llama is shown, (photos, image tokens, hidden), of photos (photos, 3, side, side)."""
        features = self.vision_tower(pixel_values).last_hidden_state[:, 1:]
        return self.multi_modal_projector(self.neighbouring_patches(features))

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Hidden states (rows, tokens, hidden); photos replace the image tokens of ``input_ids``, in order.

        Without photos the image tokens are nothing in particular. Raises ValueError where the number of image tokens
        is not that of the photos, and where photos come with ``inputs_embeds``, which do not show where they go.
        """
        if input_ids is not None and inputs_embeds is None:
            inputs_embeds = self._embed(input_ids, pixel_values)
        elif input_ids is not None or inputs_embeds is None or pixel_values is not None:
            raise ValueError("give either input_ids, with pixel_values or without, or inputs_embeds alone")
        return self.language_model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )


class MiniGPTv2ForConditionalGeneration(MiniGPTv2PreTrainedModel, GenerationMixin):
    """The whole network; its parts have the names that they have in transformers' Llava."""

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: MiniGPTv2Config) -> None:
        super().__init__(config)
        self.model = MiniGPTv2Model(config)
        self.lm_head = nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        """The output layer."""
        return self.lm_head

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """See the inner model."""
        return self.model.get_image_features(pixel_values)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> MiniGPTv2Output:
        """Logits (rows, tokens, vocabulary), and the mean loss of the labels (rows, tokens) that are not -100."""
        done = self.model(
            input_ids=input_ids,
            pixel_values=pixel_values,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(done.last_hidden_state[:, kept])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.text_config.vocab_size)
        return MiniGPTv2Output(
            loss=loss,
            logits=logits,
            past_key_values=done.past_key_values,
            hidden_states=done.hidden_states,
            attentions=done.attentions,
        )


def register() -> None:
    """Let transformers' AutoConfig and AutoModelForImageTextToText know the family; a second time does nothing."""
    AutoConfig.register(MiniGPTv2Config.model_type, MiniGPTv2Config, exist_ok=True)
    AutoModelForImageTextToText.register(MiniGPTv2Config, MiniGPTv2ForConditionalGeneration, exist_ok=True)
