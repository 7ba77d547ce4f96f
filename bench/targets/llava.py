"""LLaVA-1.5 and every checkpoint of transformers' LlavaForConditionalGeneration."""

from typing import TYPE_CHECKING, ClassVar

from bench.targets.base import TargetSpec
from bench.targets.loading import load_image_processor, load_network, load_tokenizer
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.preprocessing import ClipPreprocessing
from bench.targets.registry import targets

if TYPE_CHECKING:
    import torch


class LoadedLlava(PackedModel):
    """A loaded LLaVA checkpoint."""

    projector_name = "model.multi_modal_projector"
    tower_name = "model.vision_tower"
    preprocessing: ClipPreprocessing

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__(spec)
        from transformers import LlavaForConditionalGeneration

        self.tokenizer = load_tokenizer(self.folder)
        self.network = load_network(LlavaForConditionalGeneration, self)
        self.preprocessing = ClipPreprocessing.of(load_image_processor(self.folder))

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class; the layers and tokens that the checkpoint's configuration selects."""
        import torch

        config = self.network.config
        values = self.preprocessing(images.to(self.device)).to(self.network.dtype)
        states = self.network.model.vision_tower(values, output_hidden_states=True).hidden_states
        layers = config.vision_feature_layer
        chosen = [states[layer] for layer in ([layers] if isinstance(layers, int) else layers)]
        if config.vision_feature_select_strategy == "default":
            chosen = [state[:, 1:] for state in chosen]
        return torch.cat(chosen, dim=-1)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """See the base class; the same for every photo."""
        patch = self.network.config.vision_config.patch_size
        return self.preprocessing.height // patch, self.preprocessing.width // patch

    def project(self, features: PhotoFeatures) -> "torch.Tensor":
        """See the base class."""
        return self.network.model.multi_modal_projector(features.values.to(self.device))

    @staticmethod
    def published_name(name: str) -> str:
        """See the base class; transformers loads both names of the tower's tensors."""
        old, new = "vision_tower.", "vision_tower.vision_model."
        return name if new in name else name.replace(old, new, 1)


@targets.register("llava")
class Llava(PackedTarget):
    """The LLaVA family: CLIP tower, two-layer projector, Llama-style language model."""

    family: ClassVar[str] = "llava"
    loads = LoadedLlava
