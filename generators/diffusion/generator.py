"""Diffusion models as a photo source: the people of a dataset, in new photos."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from bench.core.digests import short
from generators.base import BuildOrder, Generator
from generators.diffusion.batches import in_batches
from generators.diffusion.memory import choose_device
from generators.diffusion.planning import plan_photos, reference_portraits, synthesized_rows
from generators.diffusion.progress import PhotoProgress
from generators.diffusion.settings import Settings, parse_settings
from generators.diffusion.synthesis import Synthesizer, synthesize_all
from generators.registry import generators
from scenarios.dataset import Dataset, build_dataset, load_dataset


@generators.register("diffusion")
class Diffusion(Generator):
    """New photos of a dataset's people, synthesized by a diffusion model that sees a few of their photos.

    Its options are the fields of Settings. The order's name is the reference dataset, by name or folder. It claims no
    name: it is asked for by its own.
    """

    source: ClassVar[str] = "synthesized"
    __signature__: ClassVar[inspect.Signature] = inspect.signature(Settings)

    def __init__(self, **options: Any) -> None:
        self._settings = parse_settings(options)

    def default_folder(self, name: str) -> Path:
        """``NAME-synthesized``, as the dataset is called."""
        return Path(f"{Path(name).resolve().name}-synthesized")

    def build(self, order: BuildOrder) -> Dataset:
        """See the base class. Finished photos and trained people wait in ``order.work``."""
        reference = load_dataset(order.name)
        if order.limit is not None:
            reference = reference.first_people(order.limit)
        settings = self._settings
        planned = plan_photos(reference, settings)
        progress = PhotoProgress(order.report)
        synthesizer = make_synthesizer(settings, order.work / "people", progress.note)
        batches = in_batches([photo.request for photo in planned], settings)
        images = synthesize_all(synthesizer, batches, order.work / "photos", progress)
        photos = synthesized_rows(planned, images, generator_text(synthesizer, settings))
        if settings.probes == "reference":
            photos = pd.concat([photos, reference_portraits(reference)], ignore_index=True)
        return build_dataset(f"{reference.name}-synthesized", reference.persons(), photos)


def make_synthesizer(settings: Settings, folder: Path, note: Callable[[str], None]) -> Synthesizer:
    """The model that the settings name. Weights are located, not loaded; trained people are kept in ``folder``.

    Raises UsageError for options that do not fit, and VeilBenchError for weights that cannot be had.
    """
    if settings.method == "ip-adapter":
        from generators.diffusion.ip_adapter import IPAdapterSynthesizer

        return IPAdapterSynthesizer(settings)
    if settings.method == "dreambooth":
        from generators.diffusion.dreambooth import DreamBoothSynthesizer

        return DreamBoothSynthesizer(settings, folder, note)
    from generators.diffusion.embedded.synthesizer import EmbeddedSynthesizer

    # What is not said is left to the embedded model's own defaults.
    said = {name: getattr(settings, name) for name in ("steps", "guidance") if settings.says(name)}
    device = str(choose_device(settings))
    return EmbeddedSynthesizer(settings.checkpoint or None, batch_size=settings.photos_at_once, device=device, **said)


def generator_text(synthesizer: Synthesizer, settings: Settings) -> str:
    """What stands in the column ``generator``: the method, and everything beside the prompt that decides on a photo."""
    described = {**synthesizer.describe(), "seed": settings.seed}
    method = described.pop("method")
    values = {name: value for name, value in described.items() if value not in (None, "")}
    shown = (f"{name}={short(str(value)) if name.endswith('revision') else value}" for name, value in values.items())
    return f"veilbench-diffusion/{method} " + ", ".join(shown)
