"""Published Stable Diffusion pipelines: loaded from files on this machine, and sampled from."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from bench.core.errors import UsageError, VeilBenchError
from generators.diffusion.checkpoints import Weights, be_quiet, damage, family
from generators.diffusion.memory import memory_advice
from generators.diffusion.settings import Settings
from generators.diffusion.synthesis import SynthesisRequest, SynthesizedPhoto, finished_photo

DEFAULT_STEPS = 30
DEFAULT_GUIDANCE = {"sd": 7.5, "sdxl": 5.0}
"""The pipelines' own guidance where nobody says one."""
ATTEMPTS = 3
"""How often a photo that a checkpoint's safety check blackened is drawn anew, each time with another seed."""

Conditions = Callable[[Sequence[SynthesisRequest]], dict[str, Any]]


def load_pipeline(weights: Weights, settings: Settings, dtype: Any) -> Any:
    """The pipeline, on the CPU and silent. Raises UsageError where its files cannot be loaded."""
    be_quiet()
    import diffusers

    name = json.loads((weights.folder / "model_index.json").read_text(encoding="utf-8"))["_class_name"]
    watermark = {"add_watermarker": False} if family(weights) == "sdxl" else {}
    try:
        pipeline = _with_one_person_a_row(getattr(diffusers, name)).from_pretrained(
            weights.folder,
            dtype=dtype,
            variant=settings.variant or None,
            local_files_only=True,
            use_safetensors=True,
            **watermark,
        )
    # A damaged file shows in errors of every kind, those of libraries written in Rust among them.
    except Exception as error:
        reason = damage(weights.folder) or " ".join(str(error).split())
        raise UsageError(f"checkpoint '{weights.name}' cannot be loaded: {reason}") from error
    pipeline.set_progress_bar_config(disable=True)
    for name in ("tokenizer", "tokenizer_2"):
        # A prompt holds what the dataset says of a person, which may spell the token that ends a text.
        if getattr(pipeline, name, None) is not None:
            getattr(pipeline, name).split_special_tokens = True
    return pipeline


def steps_of(settings: Settings) -> int:
    """Denoising steps a photo."""
    return settings.steps or DEFAULT_STEPS


def guidance_of(settings: Settings, weights: Weights) -> float:
    """How strongly the prompt is followed; 1 and below switch classifier-free guidance off."""
    return DEFAULT_GUIDANCE[family(weights)] if settings.guidance is None else settings.guidance


def describe_sampling(settings: Settings, weights: Weights) -> dict[str, Any]:
    """What decides on a sampled photo beside method and request."""
    return {
        "method": settings.method,
        "checkpoint": weights.name,
        "revision": weights.revision,
        "variant": settings.variant,
        "steps": steps_of(settings),
        "guidance": guidance_of(settings, weights),
        "negative_prompt": settings.negative_prompt,
        "size": settings.size,
    }


def sample(
    pipeline: Any, weights: Weights, settings: Settings, requests: Sequence[SynthesisRequest], conditions: Conditions
) -> Iterator[SynthesizedPhoto]:
    """Draw one batch. ``conditions`` gives further arguments of the pipeline for some of its requests.

    Raises VeilBenchError for a photo that the checkpoint's safety check blackens every time, and for one that shows
    nothing without it.
    """
    waiting = list(requests)
    for attempt in range(ATTEMPTS):
        with memory_advice(), np.errstate(invalid="ignore"):  # a safety check looks at pictures that are not finite
            output = pipeline(
                prompt=[request.prompt for request in waiting],
                negative_prompt=[settings.negative_prompt] * len(waiting),
                generator=[cpu_generator(request.seed + attempt) for request in waiting],
                num_inference_steps=steps_of(settings),
                guidance_scale=guidance_of(settings, weights),
                height=settings.size,
                width=settings.size,
                # As pictures, values that are not finite would be black.
                output_type="np",
                **conditions(waiting),
            )
        blackened = getattr(output, "nsfw_content_detected", None) or [False] * len(waiting)
        for request, image, is_black in zip(waiting, output.images, blackened, strict=True):
            if not is_black:
                yield finished_photo(request.photo_id, image, cure_of(pipeline.vae.dtype))
        waiting = [request for request, is_black in zip(waiting, blackened, strict=True) if is_black]
        if not waiting:
            return
    raise VeilBenchError(
        f"photo '{waiting[0].photo_id}': the checkpoint's safety check blackened it {ATTEMPTS} times; use another "
        "seed, or a checkpoint without the check."
    )


def cure_of(dtype: Any) -> str:
    """What helps where a checkpoint computes what is not finite, or shows nothing, in that precision."""
    if str(dtype) == "torch.float32":
        return "the checkpoint's weights are damaged or do not belong together, so get its files again"
    return f"the checkpoint overflows in {str(dtype).removeprefix('torch.')}, so build with -o dtype=float32"


def cpu_generator(seed: int) -> Any:
    """A random generator of one photo; it stands on the CPU so that every device draws the same numbers."""
    import torch

    return torch.Generator("cpu").manual_seed(seed)


def _with_one_person_a_row(pipeline_class: Any) -> Any:
    """The pipeline class, with ready image embeddings taken row by row.

    diffusers repeats ``ip_adapter_image_embeds`` for every prompt of a batch, so that all rows would show one person.
    """

    def prepare_ip_adapter_image_embeds(
        self: Any, ip_adapter_image: Any, ip_adapter_image_embeds: Any, device: Any, rows: int, guided: bool
    ) -> Any:
        if ip_adapter_image_embeds is None:
            parent = pipeline_class.prepare_ip_adapter_image_embeds
            return parent(self, ip_adapter_image, ip_adapter_image_embeds, device, rows, guided)
        halves = (embeds.to(device) for embeds in ip_adapter_image_embeds)
        return [embeds if guided else embeds.chunk(2)[1] for embeds in halves]

    changed = {"prepare_ip_adapter_image_embeds": prepare_ip_adapter_image_embeds}
    return type(pipeline_class.__name__, (pipeline_class,), changed)
