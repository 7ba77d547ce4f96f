"""MiniGPT-v2: its own network, since transformers has none."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.errors import UsageError
from bench.targets.base import TargetSpec
from bench.targets.loading import load_image_processor, load_network, load_tokenizer
from bench.targets.minigpt.files import IMAGE_PLACEHOLDER
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.packed.text import QUESTION_MARK, PromptText
from bench.targets.preprocessing import BICUBIC, SquarePreprocessing
from bench.targets.registry import targets

if TYPE_CHECKING:
    import torch


class MiniGPTText(PromptText):
    """What stands before the image, behind it and the answer are turned into ids each by itself.

    The image lies between the first two as embeddings, and the answer is joined to the prompt as ids.
    Source: prompt_wrap and preparing_embedding in minigpt4/models/minigpt_base.py of Vision-CAIR/MiniGPT-4.
    """

    @cached_property
    def before_image(self) -> tuple[int, ...]:
        """See the base class; one start token, as in training (the published demonstration has two)."""
        return (self.tokenizer.bos_token_id, *self._ids(self._halves[0]))

    def after_image(self, question: str, answer: str | None = None) -> tuple[int, ...]:
        """See the base class."""
        asked = self._ids(self._filled(self._halves[1], question))
        return asked if answer is None else asked + self.answer_tokens(question, answer)

    def answer_tokens(self, question: str, answer: str) -> tuple[int, ...]:
        """See the base class; the same behind every question."""
        return self._ids(self._filled(QUESTION_MARK, answer) + self._end)

    @property
    def _halves(self) -> tuple[str, str]:
        before, _, behind = self._template.partition(IMAGE_PLACEHOLDER)
        return self.tokens.marked(before), self.tokens.marked(behind)

    def _ids(self, marked: str) -> tuple[int, ...]:
        key = (marked, None)
        if key not in self._kept:
            self._kept[key] = tuple(self.tokens.ids(marked, start=False))
        return self._kept[key]


class LoadedMiniGPTv2(PackedModel):
    """A loaded MiniGPT-v2 checkpoint, as ``bench.targets.minigpt.conversion`` writes it."""

    projector_name = "model.multi_modal_projector"
    tower_name = "model.vision_tower"
    prompt_embeds = True
    words = MiniGPTText
    preprocessing: SquarePreprocessing

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__(spec)
        from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration, register

        register()
        self.tokenizer = load_tokenizer(self.folder)
        self.network = load_network(MiniGPTv2ForConditionalGeneration, self)
        self.preprocessing = _preprocessing(self.folder)

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class; patches in raster order, behind ``ln_vision`` and without the class token."""
        values = self.preprocessing(images.to(self.device)).to(self.network.dtype)
        return self.network.model.vision_tower(values).last_hidden_state[:, 1:]

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """See the base class; the same for every photo."""
        side = self.preprocessing.side // self.network.config.vision_config.patch_size
        return side, side

    @staticmethod
    def image_positions(config: Mapping[str, Any]) -> int:
        """See the base class; four patches are one token."""
        return PackedModel.image_positions(config) // 4

    def project(self, features: PhotoFeatures) -> "torch.Tensor":
        """See the base class."""
        inner = self.network.model
        return inner.multi_modal_projector(inner.neighbouring_patches(features.values.to(self.device)))


@targets.register("minigpt_v2")
class MiniGPTv2(PackedTarget):
    """MiniGPT-v2: EVA tower, four patches to an image token, one linear layer, Llama 2."""

    family: ClassVar[str] = "minigpt_v2"
    loads = LoadedMiniGPTv2

    def served_folder(self, scratch: Path) -> Path:
        """See the base class; the Llama alone."""
        from bench.targets.checkpoints import resolve_checkpoint
        from bench.targets.minigpt.language import write_language_model

        write_language_model(resolve_checkpoint(self.spec.checkpoint), scratch)
        return scratch


def _preprocessing(folder: Path) -> SquarePreprocessing:
    """Settings of the checkpoint's image processor, a BlipImageProcessor. Raises UsageError where it is another."""
    processor = load_image_processor(folder)
    size = processor.size
    if not size.get("height") or size.get("height") != size.get("width") or processor.resample != BICUBIC:
        raise UsageError(f"{folder.name}/preprocessor_config.json: photos must be resized to a square, bicubically.")
    return SquarePreprocessing(int(size["height"]), tuple(processor.image_mean), tuple(processor.image_std))
