"""DreamBooth: one small LoRA a person, trained on the person's references, then asked for that person's photos."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.core.digests import digest_json
from bench.core.errors import VeilBenchError
from bench.core.files import whole_file
from generators.diffusion.batches import in_batches
from generators.diffusion.checkpoints import damage, find_pipeline
from generators.diffusion.memory import choose_device, choose_dtype, memory_advice, place, save_memory
from generators.diffusion.personalisation import ADAPTER, Lesson, encode_photos, train_person
from generators.diffusion.pipelines import (
    cpu_generator,
    cure_of,
    describe_sampling,
    guidance_of,
    load_pipeline,
    sample,
    steps_of,
)
from generators.diffusion.settings import TRAINING_OPTIONS, Settings
from generators.diffusion.synthesis import Plain, SynthesisRequest, SynthesizedPhoto, person_digest, photo_seed

CHECKPOINT_FIELDS = ("checkpoint", "revision", "variant", "size", "dtype", "seed")
"""Of everything that decides on a photo, what decides on a LoRA beside the training options."""


class DreamBoothSynthesizer:
    """Trains a person's LoRA, draws the person's photos, and goes on to the next person.

    A trained LoRA is kept in ``folder``, so that after a stop no person is trained twice. ``note`` is told what goes
    on while no photo is finished.
    """

    def __init__(self, settings: Settings, folder: Path, note: Callable[[str], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._note = note
        self._device = choose_device(settings)
        self._dtype = choose_dtype(settings, self._device)
        self._weights = find_pipeline(settings.full_checkpoint, settings.variant)

    def describe(self) -> dict[str, Plain]:
        """See the protocol."""
        training = {option: getattr(self._settings, option) for option in TRAINING_OPTIONS}
        dtype = str(self._dtype).removeprefix("torch.")
        sampling = describe_sampling(self._settings, self._weights)
        return {**sampling, "dtype": dtype, **training, "seed": self._settings.seed}

    def synthesize(self, requests: Sequence[SynthesisRequest]) -> Iterator[SynthesizedPhoto]:
        """See the protocol. A batch holds photos of one person, whose LoRA is in the model meanwhile."""
        pipeline = load_pipeline(self._weights, self._settings, self._dtype)
        save_memory(pipeline, self._settings)
        if self._settings.offload == "none":
            pipeline.to(self._device)
        batches = in_batches(requests, self._settings)
        for _, own in groupby(batches, key=lambda batch: person_digest(batch[0])):
            yield from self._photos_of_one(pipeline, list(own))

    def _photos_of_one(self, pipeline: Any, batches: Sequence[list[SynthesisRequest]]) -> Iterator[SynthesizedPhoto]:
        file = self._trained(pipeline, batches[0][0])
        pipeline.load_lora_weights(
            str(self._folder), weight_name=file.name, adapter_name=ADAPTER, local_files_only=True
        )
        place(pipeline, self._settings, self._device)
        for batch in batches:
            yield from sample(pipeline, self._weights, self._settings, batch, lambda _: {})
        self._bring_home(pipeline)
        pipeline.unload_lora_weights()

    def _trained(self, pipeline: Any, request: SynthesisRequest) -> Path:
        """The file of this person's LoRA, trained now unless it waits finished."""
        described = self.describe()
        training = {field: described[field] for field in (*CHECKPOINT_FIELDS, *TRAINING_OPTIONS)}
        # The prior is drawn with these; without it, more steps a photo change no LoRA.
        if self._settings.class_images:
            training |= {field: described[field] for field in ("steps", "guidance")}
        digest = digest_json({"person": person_digest(request), "training": training})
        file = self._folder / f"{digest}.safetensors"
        if not file.is_file() or damage(self._folder, (file.name,)):
            settings = self._settings
            lesson = Lesson(
                encode_photos(pipeline, request.references, settings, self._device),
                f"a photo of {settings.identifier} {request.subject}",
            )
            lessons = [lesson, *self._people_at_large(pipeline, request.subject)]

            def note(text: str) -> None:
                self._note(f"learning {request.person_id}: {text}")

            seed = photo_seed(settings.seed, f"training {digest}")
            state = train_person(pipeline, self._weights, settings, lessons, seed, self._device, note)
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as partial:
                pipeline.save_lora_weights(str(self._folder), unet_lora_layers=state, weight_name=partial.name)
        return file

    def _people_at_large(self, pipeline: Any, subject: str) -> list[Lesson]:
        """The lesson of the class ("a photo of a woman"), drawn by the checkpoint itself before it learns anybody."""
        import torch
        from safetensors.torch import load_file, save_file

        settings = self._settings
        if not settings.class_images:
            return []
        prompt = f"a photo of {'an' if subject[0] in 'aeiou' else 'a'} {subject}"
        digest = digest_json({"prompt": prompt, "sampling": self.describe()})
        file = self._folder / f"class-{digest}.safetensors"
        if not file.is_file() or damage(self._folder, (file.name,)):
            place(pipeline, settings, self._device)
            drawn = []
            for number in range(settings.class_images):
                self._note(f"drawing people at large: {number + 1} of {settings.class_images}")
                seed = photo_seed(settings.seed, f"class {subject} {number}")
                drawn.append(self._draw_latents(pipeline, prompt, seed))
            self._bring_home(pipeline)
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as partial:
                save_file({"latents": torch.stack(drawn)}, partial)
        means = load_file(file)["latents"]
        return [Lesson(torch.stack([means, torch.zeros_like(means)], dim=1), prompt)]

    def _draw_latents(self, pipeline: Any, prompt: str, seed: int) -> Any:
        settings = self._settings
        with memory_advice():
            output = pipeline(
                prompt=prompt,
                generator=cpu_generator(seed),
                num_inference_steps=steps_of(settings),
                guidance_scale=guidance_of(settings, self._weights),
                height=settings.size,
                width=settings.size,
                output_type="latent",
            )
        latents = output.images[0].float().cpu()
        if not latents.isfinite().all():
            raise VeilBenchError(f"a photo of people at large is not finite: {cure_of(pipeline.unet.dtype)}.")
        return latents

    def _bring_home(self, pipeline: Any) -> None:
        """Take offloading off again: training moves the models by itself."""
        if self._settings.offload != "none":
            pipeline.remove_all_hooks()
            pipeline.to("cpu")
