"""What training a small model of any family needs to know about the family."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

IMAGE_SIZE = 112
HIDDEN, LAYERS, MLP, HEADS, POSITIONS = 192, 4, 512, 3, 1024
"""Sizes of the small language models, the same for each family."""
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def normalised(images: torch.Tensor) -> torch.Tensor:
    """CLIP's normalisation, which all three families use, of images in [0, 1]."""
    return (images - torch.tensor(CLIP_MEAN).view(1, 3, 1, 1)) / torch.tensor(CLIP_STD).view(1, 3, 1, 1)


def language_sizes(tokenizer: Any) -> dict[str, Any]:
    """What the configurations of all small language models have in common."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": HIDDEN,
        "intermediate_size": MLP,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": POSITIONS,
        "tie_word_embeddings": True,
    }


def byte_level_bpe(lines: Sequence[str], vocabulary: int, special: Sequence[str]) -> Any:
    """A tokenizer of the library ``tokenizers`` that cuts words as GPT-2 does, behind the ``special`` tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


class Architecture(ABC):
    """A small model of one family: how its parts are built, and how they are put together."""

    name: ClassVar[str]
    """The checkpoint's name, for example ``tiny-llava``."""
    family: ClassVar[str]
    tower_width: ClassVar[int]
    seed: ClassVar[int]
    """Initial weights, views and order of photos follow from it, so that no two towers are alike."""

    @abstractmethod
    def build_tower(self) -> Any:
        """The untrained vision tower, a ``PreTrainedModel``; what is no part of the tower is frozen."""

    @abstractmethod
    def load_tower(self, folder: Path) -> Any:
        """The tower that was saved to ``folder``."""

    @abstractmethod
    def patch_features(self, tower: Any, images: torch.Tensor) -> torch.Tensor:
        """Features (photos, patches, tower_width) of images (photos, 3, 112, 112) in [0, 1], before the projector."""

    @abstractmethod
    def train_tokenizer(self, lines: Sequence[str]) -> Any:
        """A fast tokenizer of the family's kind, trained on lines of text."""

    @abstractmethod
    def line(self, question: str, answer: str) -> str:
        """A question and its answer in the words of the family's template, without special tokens."""

    @abstractmethod
    def assemble(self, tower: Any, tokenizer: Any, features: torch.Tensor, output: Path) -> None:
        """Write a checkpoint with an untrained language model around the tower.

        ``features`` (photos, patches, tower_width) is a sample by which the projector's input is standardised.
        """
