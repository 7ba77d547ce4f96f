"""What decides how much memory a pipeline takes, and what to say when it was not enough."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.core.errors import UsageError, VeilBenchError
from generators.diffusion.settings import Settings


def choose_device(settings: Settings) -> Any:
    """The ``torch.device`` to use: the one that is named, or a GPU where there is one.

    Raises UsageError for a device that torch does not know or does not find, and for offloading without a GPU.
    """
    import torch

    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device '{name}' is not known to torch: use auto, cpu or cuda.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("device 'cuda': torch finds no GPU on this machine; use device=cpu.")
    if settings.offload != "none" and device.type == "cpu":
        raise UsageError(f"offload={settings.offload} moves models off a GPU, and there is none: use offload=none.")
    return device


def choose_dtype(settings: Settings, device: Any) -> Any:
    """The ``torch.dtype`` of the weights: half precision on a GPU and float32 elsewhere, unless one is named."""
    import torch

    name = settings.dtype
    if name == "auto":
        name = "float32" if device.type == "cpu" else "float16"
    return getattr(torch, name)


def place(pipeline: Any, settings: Settings, device: Any) -> None:
    """Put the pipeline on the device, whole or piece by piece as its models are needed."""
    if settings.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif settings.offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    else:
        pipeline.to(device)


def save_memory(pipeline: Any, settings: Settings) -> None:
    """Slice attention and the decoder as the settings say; call it after an adapter was loaded."""
    if settings.vae_slicing:
        pipeline.vae.enable_slicing()
    if settings.attention_slicing:
        _slice_self_attention(pipeline.unet)


@contextmanager
def on_device(modules: Sequence[Any], settings: Settings, device: Any) -> Iterator[None]:
    """Hold models on the device for a while where offloading keeps them elsewhere; without it they stay there."""
    if settings.offload == "none":
        yield
        return
    for module in modules:
        module.to(device)
    try:
        yield
    finally:
        for module in modules:
            module.to("cpu")
        _empty_cache()


@contextmanager
def memory_advice() -> Iterator[None]:
    """Turn a full GPU into one sentence that says what to change."""
    import torch

    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise VeilBenchError(
            "The GPU's memory is full: lower batch_size first, then use offload=model, attention_slicing=true, or a "
            "smaller size; what is finished is kept."
        ) from error


def _slice_self_attention(unet: Any) -> None:
    """Half of the heads at a time, in self-attention alone.

    There memory grows with the square of the pixels. Cross-attention is left as it is: an adapter's own processors
    stand there, which ``enable_attention_slicing`` would throw out.
    """
    from diffusers.models.attention_processor import SlicedAttnProcessor

    heads = {f"{name}.processor": module.heads for name, module in unet.named_modules() if hasattr(module, "heads")}
    processors = dict(unet.attn_processors)
    for name in processors:
        if name.endswith("attn1.processor"):
            processors[name] = SlicedAttnProcessor(max(1, heads[name] // 2))
    unet.set_attn_processor(processors)


def _empty_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
