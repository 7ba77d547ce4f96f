"""DreamBooth with LoRA (arXiv 2208.12242, 2106.09685): a rare word comes to mean one person.

The loop follows diffusers' example ``examples/dreambooth/train_dreambooth_lora.py`` (and ``_sdxl.py``): LoRA on the
UNet's attention, the noise as the target, text and photos encoded once before the first step.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core.errors import VeilBenchError
from generators.diffusion.checkpoints import Weights, family
from generators.diffusion.memory import memory_advice, on_device
from generators.diffusion.pipelines import cpu_generator, cure_of
from generators.diffusion.settings import Settings
from scenarios.pixels import open_photo

ATTENTION_LAYERS = ("to_k", "to_q", "to_v", "to_out.0")
GRADIENT_CLIP = 1.0
ADAPTER = "person"
STEPS_BETWEEN_NOTES = 10


@dataclass(frozen=True)
class Lesson:
    """What a prompt stands for: latents (photos, 2, channels, height, width) as mean and deviation, and the prompt."""

    latents: Any
    prompt: str


def side_of(pipeline: Any, settings: Settings) -> int:
    """Side in pixels of the photos that are trained on and synthesized."""
    return settings.size or pipeline.unet.config.sample_size * pipeline.vae_scale_factor


def encode_photos(pipeline: Any, photos: Sequence[bytes], settings: Settings, device: Any) -> Any:
    """Latents of photos as a Gaussian each: mean and deviation, float32 on the CPU, (photos, 2, channels, h, w).

    Raises VeilBenchError where the checkpoint makes them of values that are not finite.
    """
    import torch

    vae = pipeline.vae
    kept = vae.dtype
    # The decoder of SDXL overflows in half precision, and so does its encoder.
    dtype = torch.float32 if getattr(vae.config, "force_upcast", False) else kept
    rows = []
    with torch.no_grad(), on_device([vae], settings, device), memory_advice():
        vae.to(dtype=dtype)
        for photo in photos:
            pixels = _pixels(photo, side_of(pipeline, settings)).to(device, dtype)
            drawn = vae.encode(pixels).latent_dist
            rows.append(torch.stack([drawn.mean[0].float(), drawn.std[0].float()]).cpu())
        vae.to(dtype=kept)
    latents = torch.stack(rows) * vae.config.scaling_factor
    if not torch.isfinite(latents).all():
        raise VeilBenchError(f"a reference photo's latents are not finite: {cure_of(dtype)}.")
    return latents


def train_person(
    pipeline: Any,
    weights: Weights,
    settings: Settings,
    lessons: Sequence[Lesson],
    seed: int,
    device: Any,
    note: Callable[[str], None],
) -> dict[str, Any]:
    """LoRA weights under diffusers' names after ``train_steps`` steps; the pipeline is left as it was.

    The first lesson is the person; a second one, where there is one, keeps people at large what they were and counts
    ``prior_weight``. Raises VeilBenchError for a loss that is not finite.
    """
    import torch
    from diffusers.utils.state_dict_utils import convert_state_dict_to_diffusers
    from peft import get_peft_model_state_dict

    texts = [_encode_text(pipeline, weights, settings, lesson.prompt, device) for lesson in lessons]
    unet = pipeline.unet
    with on_device([unet], settings, device), memory_advice():
        parameters = _add_lora(unet, settings, seed)
        try:
            _train(pipeline, settings, list(zip(lessons, texts, strict=True)), parameters, seed, device, note)
            state = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet, adapter_name=ADAPTER))
            return {name: tensor.detach().to("cpu", torch.float32, copy=True) for name, tensor in state.items()}
        finally:
            unet.disable_gradient_checkpointing()
            unet.unload_lora()


def _train(
    pipeline: Any,
    settings: Settings,
    lessons: Sequence[tuple[Lesson, dict[str, Any]]],
    parameters: Sequence[Any],
    seed: int,
    device: Any,
    note: Callable[[str], None],
) -> None:
    import torch
    from diffusers import DDPMScheduler

    unet = pipeline.unet
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=1e-2)
    half = unet.dtype in (torch.float16, torch.bfloat16)
    scaler = torch.amp.GradScaler(device.type, enabled=unet.dtype == torch.float16)
    random = cpu_generator(seed)
    if settings.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
    for step in range(settings.train_steps):
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for index, (lesson, text) in enumerate(lessons):
            with torch.autocast(device.type, unet.dtype if half else torch.bfloat16, enabled=half):
                loss = _loss(unet, scheduler, lesson, text, settings, random, device)
            loss = loss * (settings.prior_weight if index else 1.0)
            scaler.scale(loss).backward()
            total += loss.item()
        if not math.isfinite(total):
            raise VeilBenchError(f"the loss of step {step + 1} is not finite: {cure_of(unet.dtype)}.")
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(parameters, GRADIENT_CLIP)
        scaler.step(optimizer)
        scaler.update()
        if step % STEPS_BETWEEN_NOTES == 0 or step + 1 == settings.train_steps:
            note(f"step {step + 1} of {settings.train_steps}, loss {total:.3f}")


def _loss(
    unet: Any, scheduler: Any, lesson: Lesson, text: dict[str, Any], settings: Settings, random: Any, device: Any
) -> Any:
    import torch
    from torch.nn import functional

    rows = torch.randint(len(lesson.latents), (settings.train_batch_size,), generator=random)
    mean, deviation = lesson.latents[rows].unbind(1)
    latents = (mean + deviation * torch.randn(mean.shape, generator=random)).to(device)
    noise = torch.randn(mean.shape, generator=random).to(device)
    times = torch.randint(scheduler.config.num_train_timesteps, (len(rows),), generator=random).to(device)
    noisy = scheduler.add_noise(latents, noise, times).to(unet.dtype)
    predicted = unet(
        noisy,
        times,
        encoder_hidden_states=text["prompt"].expand(len(rows), -1, -1),
        added_cond_kwargs={name: value.expand(len(rows), -1) for name, value in text["added"].items()},
    ).sample
    wanted = scheduler.get_velocity(latents, noise, times) if _predicts_velocity(scheduler) else noise
    return functional.mse_loss(predicted.float(), wanted.float())


def _predicts_velocity(scheduler: Any) -> bool:
    kind = scheduler.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(f"a checkpoint that predicts '{kind}' cannot be trained")
    return kind == "v_prediction"


def _encode_text(pipeline: Any, weights: Weights, settings: Settings, prompt: str, device: Any) -> dict[str, Any]:
    """Prompt features (1, tokens, width), and for SDXL what it is told about the picture beside them."""
    import torch

    encoders = [getattr(pipeline, name) for name in ("text_encoder", "text_encoder_2") if hasattr(pipeline, name)]
    with torch.no_grad(), on_device(encoders, settings, device):
        encoded = pipeline.encode_prompt(
            prompt, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
    if family(weights) != "sdxl":
        return {"prompt": encoded[0], "added": {}}
    side = side_of(pipeline, settings)
    sizes = torch.tensor([[side, side, 0, 0, side, side]], dtype=encoded[0].dtype, device=device)
    return {"prompt": encoded[0], "added": {"text_embeds": encoded[2], "time_ids": sizes}}


def _add_lora(unet: Any, settings: Settings, seed: int) -> list[Any]:
    """New LoRA layers in float32, the only parameters that train."""
    import torch
    from diffusers.training_utils import cast_training_params
    from peft import LoraConfig

    unet.requires_grad_(False)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.rank,
        init_lora_weights="gaussian",
        target_modules=list(ATTENTION_LAYERS),
    )
    # Initial weights come from the global random state, which is given back as it was.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        unet.add_adapter(config, adapter_name=ADAPTER)
    cast_training_params(unet, dtype=torch.float32)
    return [parameter for parameter in unet.parameters() if parameter.requires_grad]


def _pixels(photo: bytes, side: int) -> Any:
    """The middle square of a photo as (1, 3, side, side) in [-1, 1]."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    picture = ImageOps.fit(open_photo("given as a reference", photo), (side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
