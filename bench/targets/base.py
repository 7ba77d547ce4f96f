"""What every vision-language model family offers: fine-tune, answer, encode."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.progress import ReportProgress

if TYPE_CHECKING:
    import pandas as pd
    import torch

__all__ = [
    "LANGUAGE_LINEAR",
    "Augmentation",
    "Recipe",
    "ReportProgress",
    "Synthesis",
    "Target",
    "TargetSpec",
    "TrainingExample",
]

LANGUAGE_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Names of the linear layers of a language model: what LoRA is put on, and what an engine serves of it."""


@dataclass(frozen=True)
class Augmentation:
    """Random views that an attacker trains on in place of the photo as it is.

    ``views`` views a photo are drawn once and encoded once. ``scale`` is the range of the crop's side as a
    share of the photo's side, ``shift`` the largest shift as a share of the side, ``colour`` the largest
    relative change of brightness and of each channel, ``flip`` the probability of a mirrored view.
    """

    views: int
    scale: tuple[float, float]
    shift: float
    colour: float
    flip: float


@dataclass(frozen=True)
class Synthesis:
    """Photos that the attacker makes out of the shared ones and trains on in their place.

    For each pair ``photos_per_pair`` photos of the same person in the same scenario are synthesized by the diffusion
    model ``checkpoint`` (empty: the embedded one) in ``steps`` steps with classifier-free ``guidance``.
    """

    photos_per_pair: int
    steps: int
    guidance: float
    checkpoint: str = ""


@dataclass(frozen=True)
class Recipe:
    """Every hyper-parameter of a fine-tuning run; the seed is given apart.

    Learning rates are AdamW's peak values, reached after ``warmup_steps`` and lowered linearly to
    ``final_learning_rate_share`` of the peak. ``questions_per_photo`` question branches share one image prefix.
    ``method`` is ``lora`` (LoRA on the language model and the whole projector: an adapter) or ``full`` (every weight
    of the projector and the language model: a checkpoint). The vision tower is frozen unless ``tower_lora_rank`` is
    given. ``source`` says where the numbers come from.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    projector_learning_rate: float
    lora_rank: int
    lora_alpha: int
    weight_decay: float
    warmup_steps: int
    final_learning_rate_share: float
    gradient_clip: float
    questions_per_photo: int
    augmentation: Augmentation | None = None
    method: str = "lora"
    tower_lora_rank: int = 0
    source: str = ""

    def identity(self) -> dict[str, Any]:
        """What decides the result: all but where the numbers come from."""
        return {name: value for name, value in asdict(self).items() if name != "source"}


@dataclass(frozen=True)
class TrainingExample:
    """One pair with every (question, answer) that the attacker may train on with it.

    ``images`` holds the encoded photo, or several photos of which each step shows one.
    """

    photo_id: str
    images: tuple[bytes, ...]
    conversations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TargetSpec:
    """A checkpoint by name and how it is fitted into a machine. The tiny and the published models differ here alone.

    ``checkpoint`` is the name of a shipped checkpoint, a local folder, or a hub id. ``batch_size`` photos are
    answered on at once. ``quantization`` is ``none`` or ``4bit`` (bitsandbytes' nf4, as in QLoRA, arXiv 2305.14314).
    While fine-tuning, ``training_batch_size`` rows go through the model at once (0: the recipe's whole batch; fewer
    are accumulated to it), in ``processes`` processes.
    """

    checkpoint: str
    family: str = "llava"
    dtype: str = "float32"
    batch_size: int = 16
    quantization: str = "none"
    training_batch_size: int = 0
    gradient_checkpointing: bool = False
    processes: int = 1


class Target(ABC):
    """A VLM family. Constructing one is cheap; weights are loaded on first use.

    Requests and answers are frames. A request row has ``request_id`` (str), ``image`` (encoded bytes),
    ``question`` (str) and ``options`` (list of str, may be empty). An answer row has ``request_id``, ``text``
    (greedy open answer), ``choice`` (index of the likeliest option, -1 without options), ``option_logprobs``
    (list of float, natural log of each whole option's likelihood) and ``status`` (``ok``, ``invalid``, ``error``).
    """

    family: ClassVar[str]

    def __init__(self, spec: TargetSpec, cache: Path | None = None) -> None:
        """``cache`` is a folder where frozen vision features are kept from one use to the next."""
        self.spec = spec
        self.cache = cache

    @abstractmethod
    def finetune(
        self,
        examples: Sequence[TrainingExample],
        recipe: Recipe,
        seed: int,
        output: Path,
        report: ReportProgress,
        resume: Path | None = None,
    ) -> None:
        """Fine-tune on ``examples`` and write a PEFT adapter folder to ``output`` (which exists and is empty).

        With the recipe's method ``full`` a whole checkpoint is written. A run that was killed goes on from what it
        left in ``resume``; the result is the same.
        """

    @abstractmethod
    def answer(
        self,
        requests: "pd.DataFrame",
        adapter: Path | None,
        report: ReportProgress,
        accepted: Sequence[str] = (),
    ) -> "pd.DataFrame":
        """Answer every request with the base model, or with the fine-tuned one whose folder is given.

        ``accepted`` are the answers that count to any of the questions, in no order: an open answer is never cut
        before it can be the longest of them.
        """

    @abstractmethod
    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """Features that the language model is shown, before the projector; differentiable.

        ``images``: float tensor (photos, 3, height, width) in [0, 1], any size. Returns (photos, tokens, width).
        The model's own preprocessing is part of the computation.
        """
