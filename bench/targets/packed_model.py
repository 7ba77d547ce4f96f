"""What fine-tuning and answering need of a loaded model, whatever its family."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.targets.base import Recipe
from bench.targets.packing import Branch

if TYPE_CHECKING:
    import torch


class PackedModel(ABC):
    """A loaded vision-language model whose questions share one image prefix.

    ``network`` is the transformers model; PEFT replaces layers inside it in place, and every method here runs
    whatever is inside at that moment.
    """

    network: Any
    checkpoint: str
    """The checkpoint's name, or its folder's; never a path."""
    projector_name: str
    """Where the projector stands in ``network``, for example ``model.multi_modal_projector``."""

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

    @abstractmethod
    def pixels(self, image: bytes) -> "torch.Tensor":
        """A decoded photo: float tensor (3, height, width) in [0, 1]."""

    @abstractmethod
    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """Differentiable features (photos, tokens, width) before the projector, of (photos, 3, height, width)."""

    @abstractmethod
    def vision_features(self, images: Sequence[bytes]) -> "torch.Tensor":
        """The same features, without gradient, through the checkpoint's own image processor."""

    @abstractmethod
    def embed_prefix(self, features: "torch.Tensor") -> "torch.Tensor":
        """Embeddings (photos, length, hidden) of everything up to and including the image."""

    @abstractmethod
    def embed_tokens(self, tokens: "torch.Tensor") -> "torch.Tensor":
        """Embeddings (rows, length, hidden) of token ids (rows, length)."""

    @abstractmethod
    def run(
        self, embedded: "torch.Tensor", mask: "torch.Tensor", positions: "torch.Tensor", cache: Any = None
    ) -> "torch.Tensor":
        """Last hidden states (rows, length, hidden) of the language model; ``cache`` is extended in place."""

    @abstractmethod
    def logits(self, hidden: "torch.Tensor") -> "torch.Tensor":
        """Scores over the vocabulary."""

    @abstractmethod
    def conversation(self, question: str, answer: str) -> Branch:
        """What follows the image: the question, the template's words, and the answer with its end, to be learned."""

    @abstractmethod
    def question(self, question: str) -> Branch:
        """What follows the image up to where the model begins to answer."""

    @abstractmethod
    def answer_tokens(self, question: str, answer: str) -> tuple[int, ...]:
        """Ids of ``answer`` and its end after ``question``."""

    @abstractmethod
    def decode(self, tokens: Sequence[int]) -> str:
        """Text of generated ids without special tokens."""

    @property
    @abstractmethod
    def end_tokens(self) -> frozenset[int]:
        """Ids that end an answer."""

    @abstractmethod
    def lora(self, recipe: Recipe) -> Any:
        """The PEFT configuration of a recipe: LoRA on the language model's linear layers, the projector in full."""
