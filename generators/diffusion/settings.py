"""The options of the diffusion photo source."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from bench.core.errors import UsageError
from bench.core.models import Strict
from bench.core.registry import unknown_name

KNOWN_CHECKPOINTS = {
    "sd15": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
}
"""Short names of published checkpoints. None is ever fetched unless it is named."""
_IP_ADAPTER = ("adapter", "adapter_weights", "image_encoder", "adapter_scale")
TRAINING_OPTIONS = (
    "identifier",
    "rank",
    "learning_rate",
    "train_steps",
    "train_batch_size",
    "class_images",
    "prior_weight",
)
"""The options that decide on a person's LoRA."""
_DREAMBOOTH = (*TRAINING_OPTIONS, "gradient_checkpointing")
_PUBLISHED = ("variant", "size", "negative_prompt", "dtype", "offload", "attention_slicing", "vae_slicing")
_METHODS = {
    **dict.fromkeys(_IP_ADAPTER, ("ip-adapter",)),
    **dict.fromkeys(_DREAMBOOTH, ("dreambooth",)),
    **dict.fromkeys(_PUBLISHED, ("ip-adapter", "dreambooth")),
}
"""Options that mean something to some methods only."""


class Settings(Strict):
    """What to synthesize, with which checkpoint, and how; every field is an option of the photo source."""

    method: Literal["embedded", "ip-adapter", "dreambooth"] = "embedded"
    checkpoint: str = ""
    """``sd15``, ``sdxl``, a hub id ``owner/name`` or ``owner/name@revision``, or a folder."""
    variant: str = ""
    """Which files of the checkpoint, for example ``fp16``."""

    photos_per_scenario: int = Field(default=1, ge=1)
    probes: Literal["reference", "synthesized"] = "reference"
    """Whose portraits are asked about: the reference dataset's own, or synthesized ones."""
    portraits: int = Field(default=4, ge=1)
    """Synthesized portraits a person, where ``probes`` is ``synthesized``."""
    references: int = Field(default=4, ge=1)
    """Photos of a person that the model sees."""
    seed: int = Field(default=0, ge=0)

    steps: int | None = Field(default=None, ge=1)
    guidance: float | None = Field(default=None, ge=0)
    size: int | None = Field(default=None, ge=8, multiple_of=8)
    """Side of a photo in pixels; the checkpoint's own where it is not given."""
    negative_prompt: str = "drawing, cartoon, deformed, blurry, text, watermark"
    batch_size: int | None = Field(default=None, ge=1)
    device: str = "auto"
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    offload: Literal["none", "model", "sequential"] = "none"
    attention_slicing: bool = False
    vae_slicing: bool = True

    adapter: str = ""
    """ip-adapter: a hub id or a folder with the adapter and its image encoder."""
    adapter_weights: str = ""
    """ip-adapter: the adapter's file inside of it."""
    image_encoder: str = ""
    """ip-adapter: the image encoder's folder inside of it."""
    adapter_scale: float = Field(default=0.7, ge=0)

    identifier: str = Field(default="sks", pattern=r"^\S+$")
    """dreambooth: the rare word that comes to mean the person."""
    rank: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    train_steps: int = Field(default=400, ge=1)
    train_batch_size: int = Field(default=1, ge=1)
    class_images: int = Field(default=0, ge=0)
    """dreambooth: photos of people at large that keep the model from forgetting them; 0 for none."""
    prior_weight: float = Field(default=1.0, ge=0)
    gradient_checkpointing: bool = True

    @model_validator(mode="after")
    def _check_method(self) -> Self:
        if self.method != "embedded" and not self.checkpoint:
            names = " or ".join(f"checkpoint={short} ({name})" for short, name in KNOWN_CHECKPOINTS.items())
            raise ValueError(f"method={self.method} needs a checkpoint: {names}, another hub id, or a folder")
        for option in sorted(self.model_fields_set):
            if self.method not in _METHODS.get(option, (self.method,)):
                raise ValueError(f"{option} is an option of method={' or '.join(_METHODS[option])}, not {self.method}")
        if self.method == "dreambooth" and self.offload == "sequential":
            raise ValueError("method=dreambooth trains, which offload=sequential cannot: use offload=model")
        return self

    @property
    def photos_at_once(self) -> int:
        """The batch size, the method's own where none is given."""
        return self.batch_size or (16 if self.method == "embedded" else 4)

    def says(self, option: str) -> bool:
        """Whether an option was given, and not as None."""
        return option in self.model_fields_set and getattr(self, option) is not None

    @property
    def full_checkpoint(self) -> str:
        """The checkpoint with its short name written out."""
        return KNOWN_CHECKPOINTS.get(self.checkpoint, self.checkpoint)


def parse_settings(options: Mapping[str, Any]) -> Settings:
    """The settings of plain options. Raises UsageError naming the option and what is allowed."""
    for option in options:
        if option not in Settings.model_fields:
            raise unknown_name("option of the generator 'diffusion',", option, Settings.model_fields)
    try:
        return Settings.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        option = f"option {first['loc'][0]}: " if first["loc"] else ""
        raise UsageError(f"generator 'diffusion': {option}{first['msg'].removeprefix('Value error, ')}.") from error
