"""IP-Adapter (arXiv 2308.06721): features of a few reference photos join the prompt in cross-attention."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bench.core.errors import UsageError
from generators.diffusion.batches import in_batches
from generators.diffusion.checkpoints import Weights, damage, family, find_files, find_pipeline, is_folder
from generators.diffusion.memory import choose_device, choose_dtype, memory_advice, place, save_memory
from generators.diffusion.pipelines import describe_sampling, load_pipeline, sample
from generators.diffusion.settings import Settings
from generators.diffusion.synthesis import Plain, SynthesisRequest, SynthesizedPhoto, person_digest
from scenarios.pixels import open_photo

PUBLISHED = "h94/IP-Adapter"
IMAGE_ENCODER = "models/image_encoder"
FACE_WEIGHTS = {
    "sd": "models/ip-adapter-plus-face_sd15.safetensors",
    "sdxl": "sdxl_models/ip-adapter-plus-face_sdxl_vit-h.safetensors",
}
"""The published face adapters; both look through the ViT-H in ``IMAGE_ENCODER``."""


@dataclass(frozen=True)
class _Adapter:
    weights: Weights
    file: str
    image_encoder: str


class IPAdapterSynthesizer:
    """Synthesizes several people in one batch; a person's references are looked at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._device = choose_device(settings)
        self._dtype = choose_dtype(settings, self._device)
        # An adapter that cannot be had is told before gigabytes of checkpoint are fetched.
        named = _named_adapter(settings)
        self._weights = find_pipeline(settings.full_checkpoint, settings.variant)
        self._adapter = _find_adapter(named, settings, self._weights)

    def describe(self) -> dict[str, Plain]:
        """See the protocol."""
        return {
            **describe_sampling(self._settings, self._weights),
            "dtype": str(self._dtype).removeprefix("torch."),
            "adapter": self._adapter.weights.name,
            "adapter_revision": self._adapter.weights.revision,
            "adapter_weights": self._adapter.file,
            "image_encoder": self._adapter.image_encoder,
            "adapter_scale": self._settings.adapter_scale,
        }

    def synthesize(self, requests: Sequence[SynthesisRequest]) -> Iterator[SynthesizedPhoto]:
        """See the protocol."""
        pipeline = self._load()
        embeddings: dict[str, Any] = {}
        for batch in in_batches(requests, self._settings):
            people = {person_digest(request): request for request in batch}
            embeddings = {
                digest: embeddings[digest] if digest in embeddings else self._look_at(pipeline, request.references)
                for digest, request in people.items()
            }
            known = embeddings

            def conditions(rows: Sequence[SynthesisRequest], known: dict[str, Any] = known) -> dict[str, Any]:
                return {"ip_adapter_image_embeds": [_stacked([known[person_digest(row)] for row in rows])]}

            yield from sample(pipeline, self._weights, self._settings, batch, conditions)

    def _load(self) -> Any:
        from transformers import CLIPVisionModelWithProjection

        pipeline = load_pipeline(self._weights, self._settings, self._dtype)
        adapter = self._adapter
        file = PurePosixPath(adapter.file)
        try:
            encoder = CLIPVisionModelWithProjection.from_pretrained(
                adapter.weights.folder / adapter.image_encoder, dtype=self._dtype, local_files_only=True
            )
            pipeline.register_modules(image_encoder=encoder)
            pipeline.load_ip_adapter(
                str(adapter.weights.folder),
                subfolder="" if file.parent == PurePosixPath(".") else str(file.parent),
                weight_name=file.name,
                local_files_only=True,
            )
        # Weights of another model differ in their names, their number or their shapes; damaged ones show in any error.
        except Exception as error:
            damaged = damage(adapter.weights.folder, (adapter.file, f"{adapter.image_encoder}/model.safetensors"))
            if damaged:
                raise UsageError(f"adapter '{adapter.weights.name}' cannot be loaded: {damaged}") from error
            reason = " ".join(str(error).split())[:300]
            raise UsageError(
                f"adapter '{adapter.weights.name}' ({adapter.file}, {adapter.image_encoder}) does not fit the "
                f"checkpoint '{self._weights.name}': {reason}"
            ) from error
        pipeline.unet.to(dtype=self._dtype)
        pipeline.set_ip_adapter_scale(self._settings.adapter_scale)
        save_memory(pipeline, self._settings)
        place(pipeline, self._settings, self._device)
        return pipeline

    def _look_at(self, pipeline: Any, references: Sequence[bytes]) -> Any:
        """Features (2, references, …): of nothing first, then of the photos."""
        import torch
        from diffusers.models.embeddings import ImageProjection

        # The plain adapter reads the pooled feature, the others read every patch.
        wants_patches = not isinstance(pipeline.unet.encoder_hid_proj.image_projection_layers[0], ImageProjection)
        photos = [open_photo("given as a reference", reference) for reference in references]
        with torch.no_grad(), memory_advice():
            seen, nothing = pipeline.encode_image(photos, self._device, 1, wants_patches)
        return torch.stack([nothing, seen])


def _named_adapter(settings: Settings) -> str:
    if settings.adapter:
        return settings.adapter
    if is_folder(settings.full_checkpoint):
        raise UsageError(
            f"generator 'diffusion': option adapter is missing: the checkpoint is a folder, so nothing is fetched; "
            f"name a folder with the adapter, or adapter={PUBLISHED} to fetch the published one."
        )
    return PUBLISHED


def _find_adapter(name: str, settings: Settings, checkpoint: Weights) -> _Adapter:
    file = settings.adapter_weights or FACE_WEIGHTS[family(checkpoint)]
    encoder = settings.image_encoder or IMAGE_ENCODER
    if not file.endswith(".safetensors"):
        raise UsageError(f"adapter_weights '{file}' must be a .safetensors file: other formats can run code.")
    wanted = [file, f"{encoder}/config.json", f"{encoder}/model.safetensors"]
    weights = find_files(name, wanted)
    for path in wanted:
        if not (weights.folder / path).is_file():
            raise UsageError(f"adapter '{weights.name}': there is no {path} in it; see adapter_weights, image_encoder.")
    return _Adapter(weights, file, encoder)


def _stacked(rows: Sequence[Any]) -> Any:
    """Features of a batch in the pipelines' order: of nothing for every row, then of every row's photos."""
    import torch

    return torch.cat([torch.stack([row[half] for row in rows]) for half in (0, 1)])
