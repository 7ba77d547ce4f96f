"""A loaded vision-language model of any family, as fine-tuning, answering and defenses use it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.targets.base import LANGUAGE_LINEAR, Recipe, TargetSpec
from bench.targets.packed.features import PhotoFeatures
from bench.targets.packed.packing import PADDING, PREFIX
from bench.targets.packed.text import PromptText
from bench.targets.preprocessing import Preprocessing
from scenarios.pixels import decode_pixels

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Prefix:
    """Everything up to and including the image, for a batch of photos, padded on the right.

    ``embedded`` (rows, length, hidden) · ``owner`` (rows, length) PREFIX, or PADDING where there is no token ·
    ``positions`` (planes, rows, length) · ``ends`` for each row the position of the first token behind it ·
    ``deep`` (rows, length, levels x hidden) what later layers are shown besides, None for families without.
    """

    embedded: "torch.Tensor"
    owner: "torch.Tensor"
    positions: "torch.Tensor"
    ends: tuple[int, ...]
    deep: "torch.Tensor | None" = None


class PackedModel(ABC):
    """Weights, tokenizer, preprocessing and prompt of one checkpoint.

    ``network`` is the transformers model; PEFT replaces layers inside it in place, and every method here runs
    whatever is inside at that moment.
    """

    projector_name: ClassVar[str]
    """Where the projector stands in ``network``, for example ``model.multi_modal_projector``."""
    tower_name: ClassVar[str]
    language_name: ClassVar[str] = "model.language_model"
    planes: ClassVar[int] = 1
    """Numbers that give a token's position: 1, or 3 for M-RoPE (time, row, column)."""
    prompt_embeds: ClassVar[bool] = False
    """Whether an engine serves only the inner language model, which is shown embeddings of whole prompts."""
    words: ClassVar[type[PromptText]] = PromptText
    """How its prompt is made of words."""
    answer_lead: ClassVar[str] = " "
    """What stands between the prompt's last word and the answer."""

    network: Any
    tokenizer: Any
    preprocessing: Preprocessing
    folder: Path
    checkpoint: str
    """The checkpoint's name, or its folder's; never a path."""
    device: str

    def __init__(self, spec: TargetSpec) -> None:
        import torch

        from bench.targets.checkpoints import resolve_checkpoint

        self.spec = spec
        self.folder = resolve_checkpoint(spec.checkpoint)
        self.checkpoint = self.folder.name if Path(spec.checkpoint).exists() else spec.checkpoint
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    # The image.

    def pixels(self, image: bytes) -> "torch.Tensor":
        """A decoded photo: float tensor (3, height, width) in [0, 1]. Raises DataError where it cannot be decoded."""
        import torch

        return torch.from_numpy(decode_pixels("to be shown", image)).permute(2, 0, 1).float() / 255

    def features(self, images: "torch.Tensor") -> PhotoFeatures:
        """Features of views (views, 3, height, width) of one photo, in [0, 1]."""
        return PhotoFeatures(self.encode(images), self.grid(*images.shape[-2:]))

    @abstractmethod
    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """Differentiable features (photos, tokens, width) before the projector, of (photos, 3, height, width)."""

    @abstractmethod
    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches that a photo of that size is cut into."""

    @staticmethod
    def image_positions(config: Mapping[str, Any]) -> int:
        """How many positions a photo takes in the language model, at most, by the checkpoint's config.json."""
        vision = config["vision_config"]
        return int((vision["image_size"] // vision["patch_size"]) ** 2)

    @abstractmethod
    def project(self, features: PhotoFeatures) -> "torch.Tensor":
        """What the language model is shown of each view: (views, image tokens, hidden).

        Where later layers are shown features too, theirs follow along the last axis: (levels + 1) x hidden.
        """

    # The language model.

    def embed_prefix(self, photos: Sequence[PhotoFeatures]) -> Prefix:
        """The prefixes of a batch of photos, one view each."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        images = self._project_all(photos)
        words = self.embed_tokens(torch.tensor([self.text.before_image]))[0]
        hidden = words.shape[-1]
        rows = [torch.cat([words, image[:, :hidden].to(words.dtype)]) for image in images]
        placed = [self.prefix_positions(photo.grid, len(image)) for photo, image in zip(photos, images, strict=True)]
        embedded = pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        is_token = torch.arange(embedded.shape[1]) < lengths[:, None]
        positions = torch.zeros(self.planes, *is_token.shape, dtype=torch.long)
        for index, (place, _) in enumerate(placed):
            positions[:, index, : place.shape[1]] = place
        deep = None
        if images[0].shape[-1] > hidden:
            before = len(self.text.before_image)
            extra = [torch.nn.functional.pad(image[:, hidden:], (0, 0, before, 0)) for image in images]
            deep = pad_sequence(extra, batch_first=True)
        owner = torch.where(is_token, PREFIX, PADDING)
        return Prefix(embedded, owner, positions, tuple(end for _, end in placed), deep)

    def _project_all(self, photos: Sequence[PhotoFeatures]) -> list["torch.Tensor"]:
        """The projected image of each photo; photos of one size go through the projector together."""
        import torch

        if len({(photo.grid, photo.values.shape) for photo in photos}) == 1:
            values = torch.cat([photo.values.to(self.device) for photo in photos])
            return list(self.project(PhotoFeatures(values, photos[0].grid)))
        return [self.project(PhotoFeatures(photo.values.to(self.device), photo.grid))[0] for photo in photos]

    def prefix_positions(self, grid: tuple[int, int], image_tokens: int) -> tuple["torch.Tensor", int]:
        """Positions (planes, length) of the prefix of a photo with that grid, and the position behind it."""
        import torch

        length = len(self.text.before_image) + image_tokens
        return torch.arange(length)[None], length

    def embed_tokens(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """Embeddings (rows, length, hidden) of token ids (rows, length)."""
        return self.network.get_input_embeddings()(tokens.to(self.device))

    def run(
        self,
        embedded: "torch.Tensor",
        mask: "torch.Tensor",
        positions: "torch.Tensor",
        cache: Any = None,
        prefix: Prefix | None = None,
    ) -> "torch.Tensor":
        """Last hidden states (rows, length, hidden) of the language model; ``cache`` is extended in place.

        ``positions`` is (rows, length), or (planes, rows, length). ``prefix`` is given where ``embedded`` begins
        with it.
        """
        place = positions if positions.ndim == 2 or self.planes > 1 else positions[0]
        output = self.network.get_submodule(self.language_name)(
            inputs_embeds=embedded,
            attention_mask=mask.to(self.device),
            position_ids=place.to(self.device),
            past_key_values=cache,
            use_cache=cache is not None,
            **self.deep_arguments(prefix, embedded.shape[1]),
        )
        return output.last_hidden_state

    def deep_arguments(self, prefix: Prefix | None, length: int) -> dict[str, Any]:
        """What the language model takes besides, where image features reach its later layers."""
        return {}

    def logits(self, hidden: "torch.Tensor") -> "torch.Tensor":
        """Scores over the vocabulary."""
        return self.network.lm_head(hidden)

    # The text.

    @cached_property
    def text(self) -> PromptText:
        """The prompt and its answers as ids."""
        return self.words(self.tokenizer, self.image_token, self.answer_lead)

    @property
    def image_token(self) -> int:
        """Id of the image's placeholder."""
        return int(self.network.config.image_token_id)

    @property
    def end_tokens(self) -> frozenset[int]:
        """Ids that end an answer."""
        ends = self.network.generation_config.eos_token_id
        return frozenset([ends] if isinstance(ends, int) else ends or [self.tokenizer.eos_token_id])

    # Adapters and checkpoints.

    @staticmethod
    def published_name(name: str) -> str:
        """What serving engines call a tensor that transformers saves as ``name``."""
        return name

    def lora(self, recipe: Recipe) -> Any:
        """The PEFT configuration of a recipe: LoRA on every linear layer of the language model, the whole projector.

        With a ``tower_lora_rank``, LoRA on every linear layer of the vision tower as well.
        """
        from peft import LoraConfig

        language = rf".*{re.escape(self.language_name)}\..*\.({'|'.join(LANGUAGE_LINEAR)})"
        linear, namesakes = self._tower_layers()
        tower = rf".*{re.escape(self.tower_name)}\..*\.({'|'.join(linear)})"
        rank = recipe.tower_lora_rank
        left_out = [rf".*{re.escape(self.projector_name)}\..*"]
        left_out += [rf".*{re.escape(f'{self.tower_name}.{name}')}" for name in namesakes if rank]
        return LoraConfig(
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            target_modules=f"({language})|({tower})" if rank else language,
            exclude_modules="|".join(left_out),
            rank_pattern={tower: rank} if rank else {},
            alpha_pattern={tower: rank * recipe.lora_alpha // recipe.lora_rank} if rank else {},
            modules_to_save=[self.projector_name.rsplit(".", 1)[-1]],
        )

    def _tower_layers(self) -> tuple[list[str], list[str]]:
        """Last names of the tower's linear layers, the projector's left out; names of other layers called alike."""
        from torch import nn

        inside = set(self.network.get_submodule(self.projector_name).modules())
        layers = dict(self.network.get_submodule(self.tower_name).named_modules())
        is_linear = {name: isinstance(layer, nn.Linear) and layer not in inside for name, layer in layers.items()}
        linear = {name.rsplit(".", 1)[-1] for name in layers if is_linear[name]}
        others = [name for name, layer in layers.items() if not isinstance(layer, nn.Linear)]
        return sorted(linear), [name for name in others if name.rsplit(".", 1)[-1] in linear]

    @contextmanager
    def adapted(self, adapt: Callable[[Any], Any]) -> Iterator[Any]:
        """Let ``adapt`` wrap the network with PEFT for a while; afterwards it is the base model again.

        PEFT's ``unload`` takes LoRA out but leaves its trained copy of the projector in place, so that the
        original one is put back here.
        """
        original = self.network.get_submodule(self.projector_name)
        tuned = adapt(self.network)
        try:
            yield tuned
        finally:
            tuned.unload()
            self.network.set_submodule(self.projector_name, original)
            self.network.eval()
