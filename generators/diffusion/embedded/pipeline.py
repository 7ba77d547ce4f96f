"""A small diffusers pipeline: a prompt and one reference photo of a person become a new photo of that person.

A latent diffusion transformer (arXiv 2212.09748) trained by flow matching (arXiv 2210.02747). It is conditioned by
cross-attention on the prompt's tokens and on the patch features of the reference photo, as IP-Adapter conditions a UNet
(arXiv 2308.06721).
"""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, ImagePipelineOutput, PixArtTransformer2DModel
from PIL import Image
from torch.nn import functional
from transformers import CLIPTextModel, CLIPVisionModel, PreTrainedTokenizerFast

from generators.diffusion.embedded.codec import PatchCodec

PROMPT_TOKENS = 32
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""How every CLIP tower wants its photos normalised (arXiv 2103.00020, the published preprocessing)."""


class IdentityPipeline(DiffusionPipeline):
    """Synthesizes small square photos; the side is the transformer's sample size times the codec's patch."""

    def __init__(
        self,
        transformer: PixArtTransformer2DModel,
        codec: PatchCodec,
        scheduler: FlowMatchEulerDiscreteScheduler,
        text_encoder: CLIPTextModel,
        tokenizer: PreTrainedTokenizerFast,
        image_encoder: CLIPVisionModel,
    ) -> None:
        super().__init__()
        self.register_modules(
            transformer=transformer,
            codec=codec,
            scheduler=scheduler,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            image_encoder=image_encoder,
        )

    def encode_prompts(self, prompts: Sequence[str]) -> torch.Tensor:
        """Features (prompts, PROMPT_TOKENS, width); an empty prompt stands for "nothing said"."""
        tokens = self.tokenizer(
            list(prompts),
            padding="max_length",
            truncation=True,
            max_length=PROMPT_TOKENS,
            return_tensors="pt",
            split_special_tokens=True,
        )
        return self.text_encoder(tokens["input_ids"].to(self.device)).last_hidden_state

    def encode_references(self, photos: Sequence[Image.Image]) -> torch.Tensor:
        """Patch features (photos, tokens, width) of the reference photos."""
        side = self.image_encoder.config.image_size
        return self.encode_pixels(torch.stack([photo_tensor(photo, side) for photo in photos]))

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Patch features (photos, tokens, width) of photos (photos, 3, side, side) in [0, 1]; differentiable."""
        mean = torch.tensor(CLIP_MEAN, device=self.device).view(1, 3, 1, 1)
        std = torch.tensor(CLIP_STD, device=self.device).view(1, 3, 1, 1)
        wanted = next(self.image_encoder.parameters())
        normalised = ((pixels.to(self.device) - mean) / std).to(wanted.dtype)
        return self.image_encoder(pixel_values=normalised).last_hidden_state[:, 1:]

    def velocity(self, noisy: torch.Tensor, noise_level: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Noise minus clean latents, as predicted from ``noisy`` latents; noise levels (photos,) in [0, 1]."""
        return self.transformer(noisy, encoder_hidden_states=context, timestep=1000 * noise_level, return_dict=False)[0]

    @torch.no_grad()
    def __call__(
        self,
        prompt: Sequence[str],
        reference: Sequence[Image.Image],
        num_inference_steps: int = 25,
        guidance_scale: float = 3.0,
        generator: Sequence[torch.Generator] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> Any:
        """One photo a prompt and reference; ``generator`` holds one CPU generator a photo.

        Classifier-free guidance (arXiv 2207.12598) leaves out prompt and reference together.
        """
        count, shape = len(prompt), self.transformer.config
        given = torch.cat([self.encode_prompts(prompt), self.encode_references(reference)], 1)
        nothing = torch.cat([self.encode_prompts([""] * count), torch.zeros_like(given[:, PROMPT_TOKENS:])], 1)
        generators = list(generator) if generator is not None else [None] * count
        size = (shape.in_channels, shape.sample_size, shape.sample_size)
        latents = torch.stack([torch.randn(size, generator=one) for one in generators]).to(self.device, given.dtype)
        self.scheduler.set_timesteps(num_inference_steps)
        for timestep in self.progress_bar(self.scheduler.timesteps):
            level = torch.full((count,), float(timestep) / 1000, device=self.device, dtype=given.dtype)
            velocity = self.velocity(latents, level, given)
            if guidance_scale != 1:
                unguided = self.velocity(latents, level, nothing)
                velocity = unguided + guidance_scale * (velocity - unguided)
            latents = self.scheduler.step(velocity, timestep, latents, return_dict=False)[0]
        pixels = (self.codec.decode(latents) / 2 + 0.5).clamp(0, 1).float().cpu()
        images: Any = pixels if output_type == "pt" else [_picture(one) for one in pixels]
        return ImagePipelineOutput(images=images) if return_dict else (images,)


def photo_tensor(photo: Image.Image, side: int) -> torch.Tensor:
    """A photo as floats (3, side, side) in [0, 1]."""
    whole = torch.frombuffer(bytearray(photo.convert("RGB").tobytes()), dtype=torch.uint8)
    whole = whole.view(photo.height, photo.width, 3).permute(2, 0, 1)[None].float() / 255
    return functional.interpolate(whole, size=[side, side], mode="bicubic", antialias=True).clamp(0, 1)[0]


def _picture(pixels: torch.Tensor) -> Image.Image:
    return Image.fromarray((pixels * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
