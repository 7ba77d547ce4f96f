"""The embedded diffusion model as a synthesizer of photos."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.digests import digest_tree
from bench.core.errors import UsageError
from generators.diffusion.checkpoints import be_quiet, damage
from generators.diffusion.synthesis import Plain, SynthesisRequest, SynthesizedPhoto, finished_photo
from scenarios.pixels import open_photo

if TYPE_CHECKING:
    from generators.diffusion.embedded.pipeline import IdentityPipeline

EMBEDDED = Path(__file__).parent / "checkpoint"


def pipeline_folder(checkpoint: str | None) -> Path:
    """The folder of a saved IdentityPipeline; the shipped one where none is named. Raises UsageError for no such."""
    folder = Path(checkpoint) if checkpoint else EMBEDDED
    if not (folder / "model_index.json").is_file():
        raise UsageError(f"{folder}: not a folder of a diffusion pipeline (there is no model_index.json in it).")
    return folder


class EmbeddedSynthesizer:
    """Photos of 64 x 64 pixels by the pipeline that this project trained on rendered people.

    The prompt says scene and clothes, the first reference photo says who it is.
    """

    def __init__(
        self,
        checkpoint: str | None = None,
        steps: int = 20,
        guidance: float = 3.0,
        batch_size: int = 16,
        device: str = "cpu",
    ) -> None:
        self._folder = pipeline_folder(checkpoint)
        self._steps, self._guidance = steps, guidance
        self._batch_size, self._device = batch_size, device

    def describe(self) -> Mapping[str, Plain]:
        """See the protocol."""
        digest = digest_tree(self._folder)
        return {"method": "embedded", "checkpoint": digest, "steps": self._steps, "guidance": self._guidance}

    def synthesize(self, requests: Sequence[SynthesisRequest]) -> Iterator[SynthesizedPhoto]:
        """See the protocol."""
        import torch

        pipeline = self._load()
        for start in range(0, len(requests), self._batch_size):
            batch = requests[start : start + self._batch_size]
            made = pipeline(
                prompt=[request.prompt for request in batch],
                reference=[open_photo("given as a reference", request.references[0]) for request in batch],
                num_inference_steps=self._steps,
                guidance_scale=self._guidance,
                generator=[torch.Generator().manual_seed(request.seed) for request in batch],
                output_type="pt",
            )
            cure = f"the weights in {self._folder.name} are damaged, so get them again"
            for request, image in zip(batch, made.images, strict=True):
                yield finished_photo(request.photo_id, image.permute(1, 2, 0).numpy(), cure)

    def _load(self) -> "IdentityPipeline":
        from generators.diffusion.embedded.codec import PatchCodec
        from generators.diffusion.embedded.pipeline import IdentityPipeline

        be_quiet()
        try:
            codec = PatchCodec.from_pretrained(self._folder / "codec", local_files_only=True)
            pipeline: Any = IdentityPipeline.from_pretrained(self._folder, codec=codec, local_files_only=True)
        # A damaged file shows in errors of every kind, those of libraries written in Rust among them.
        except Exception as error:
            reason = damage(self._folder) or " ".join(str(error).split())
            raise UsageError(f"checkpoint '{self._folder.name}' cannot be loaded: {reason}") from error
        # The weights are saved in half precision; a processor computes in single.
        for part in (pipeline.transformer, pipeline.codec, pipeline.text_encoder, pipeline.image_encoder):
            part.float()
        pipeline.to(self._device)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline
