"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL: any resolution, merged patches, M-RoPE.

The first Qwen-VL and Qwen-VL-Chat are no part of transformers: they need code from their own repository, which is not
run here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.errors import UsageError
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.loading import load_image_processor, load_network, load_tokenizer, model_type
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.model import PackedModel, Prefix
from bench.targets.packed.packing import PREFIX
from bench.targets.packed.target import PackedTarget
from bench.targets.preprocessing import QwenPreprocessing
from bench.targets.registry import targets

if TYPE_CHECKING:
    import torch

NETWORKS = {
    "qwen2_vl": "Qwen2VLForConditionalGeneration",
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen3_vl": "Qwen3VLForConditionalGeneration",
}


class LoadedQwenVL(PackedModel):
    """A loaded Qwen-VL checkpoint.

    Features stand merge group by merge group, row by row: (photos, image tokens, merge² x width), followed by what
    Qwen3-VL's later layers are shown of each group (levels x hidden).
    """

    projector_name = "model.visual.merger"
    tower_name = "model.visual"
    planes = 3
    answer_lead = ""
    preprocessing: QwenPreprocessing

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__(spec)
        import transformers

        kind = NETWORKS.get(model_type(self.folder))
        if kind is None:
            known = ", ".join(NETWORKS)
            raise UsageError(
                f"checkpoint '{spec.checkpoint}' is a {model_type(self.folder)} model: "
                f"the family qwen_vl takes {known}."
            )
        self.tokenizer = load_tokenizer(self.folder)
        self.network = load_network(getattr(transformers, kind), self)
        self.preprocessing = QwenPreprocessing.of(load_image_processor(self.folder))

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """See the base class."""
        import torch

        visual = self.network.model.visual
        grid = torch.tensor([[1, *self.grid(*images.shape[-2:])]], device=self.device)
        values = self.preprocessing(images.to(self.device)).to(self.network.dtype)
        output = visual(values.flatten(0, 1), grid_thw=grid.expand(len(images), -1))
        group = self.preprocessing.merge_size**2
        groups = output.last_hidden_state.reshape(len(images), -1, group * output.last_hidden_state.shape[-1])
        order = _window_order(visual, grid)
        if order is not None:
            groups = groups[:, order]
        levels = [level.view(len(images), groups.shape[1], -1) for level in getattr(output, "deepstack_features", ())]
        return torch.cat([groups, *levels], dim=-1)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """See the base class."""
        return self.preprocessing.grid(height, width)

    @staticmethod
    def image_positions(config: Mapping[str, Any]) -> int:
        """See the base class; M-RoPE counts the longer side's image tokens: 28 pixels each, for up to 3,584 pixels."""
        return 128

    def project(self, features: PhotoFeatures) -> "torch.Tensor":
        """See the base class."""
        import torch

        visual, values = self.network.model.visual, features.values.to(self.device)
        merged = self.preprocessing.merge_size**2 * _tower_width(visual)
        views, tokens = values.shape[:2]
        shown = visual.merger(values[..., :merged].reshape(views * tokens * self.preprocessing.merge_size**2, -1))
        return torch.cat([shown.view(views, tokens, -1), values[..., merged:].to(shown.dtype)], dim=-1)

    def prefix_positions(self, grid: tuple[int, int], image_tokens: int) -> tuple["torch.Tensor", int]:
        """See the base class; source: get_rope_index of transformers' Qwen2VLModel."""
        import torch

        before = len(self.text.before_image)
        rows, columns = (side // self.preprocessing.merge_size for side in grid)
        words = torch.arange(before).expand(3, -1)
        row = torch.arange(rows).repeat_interleave(columns)
        column = torch.arange(columns).repeat(rows)
        image = torch.stack([torch.zeros_like(row), row, column]) + before
        return torch.cat([words, image], dim=1), before + max(rows, columns)

    def deep_arguments(self, prefix: Prefix | None, length: int) -> dict[str, Any]:
        """See the base class; Qwen3-VL adds image features to the first layers' states (DeepStack)."""
        import torch

        if prefix is None or prefix.deep is None:
            return {}
        rows, width = prefix.owner.shape
        is_image = (prefix.owner == PREFIX) & (torch.arange(width) >= len(self.text.before_image))
        whole = torch.zeros(rows, length, dtype=torch.bool)
        whole[:, :width] = is_image
        levels = prefix.deep[is_image.to(prefix.deep.device)].chunk(
            prefix.deep.shape[-1] // prefix.embedded.shape[-1], -1
        )
        return {"visual_pos_masks": whole.to(self.device), "deepstack_visual_embeds": list(levels)}


@targets.register("qwen_vl")
class QwenVL(PackedTarget):
    """The Qwen-VL family from Qwen2-VL on: ViT with rotary positions, patch merger, Qwen language model with M-RoPE."""

    family: ClassVar[str] = "qwen_vl"
    loads = LoadedQwenVL

    @property
    def served_with_tower(self) -> bool:
        """See the base class; vLLM turns DeepStack off where it does not load the tower."""
        return model_type(resolve_checkpoint(self.spec.checkpoint)) == "qwen3_vl"


def _tower_width(visual: Any) -> int:
    config = visual.config
    return int(config.embed_dim if hasattr(config, "embed_dim") else config.hidden_size)


def _window_order(visual: Any, grid: "torch.Tensor") -> Any:
    """Where each merge group, row by row, stands among the window-ordered ones of Qwen2.5-VL; None without windows."""
    import torch

    if not hasattr(visual, "window_size"):
        return None
    from transformers.vision_utils import get_vision_window_index

    order, _ = get_vision_window_index(grid, visual.spatial_merge_size, visual.window_size, visual.patch_size)
    return torch.argsort(order)
