"""What a suite file may say, and messages that name the file, the field and what is allowed."""

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from bench.core.errors import UsageError
from bench.core.registry import nearest, unknown_name
from bench.targets.base import Recipe, TargetSpec

SHIPPED = Path(__file__).parent / "suites"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


class Strict(BaseModel):
    """Unknown fields, NaN and infinities are refused; an object does not change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TargetEntry(Strict):
    """A checkpoint and how it is loaded. ``batch_size`` is how many photos it answers on at once."""

    checkpoint: str = Field(min_length=1)
    family: Name = "llava"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: int = Field(default=16, ge=1)

    def spec(self) -> TargetSpec:
        """The same as the plain dataclass that targets take."""
        return TargetSpec(**self.model_dump())


class DefenseEntry(Strict):
    """A defense by its registered name, with the options it is made with."""

    name: Name
    options: dict[str, Any] = Field(default_factory=dict)


class BudgetEntry(Strict):
    """How far a defense may move a pixel; ``eps`` is in 8-bit grey levels."""

    norm: Literal["linf"] = "linf"
    eps: float = Field(gt=0, le=255)


class RecipeEntry(Strict):
    """How the attacker fine-tunes, before an attacker setting adapts it. Fields as in ``Recipe``."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    projector_learning_rate: float = Field(ge=0)
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    final_learning_rate_share: float = Field(ge=0, le=1)
    gradient_clip: float = Field(gt=0)
    questions_per_photo: int = Field(ge=1)

    def recipe(self) -> Recipe:
        """The same as the plain dataclass that targets take, without augmentation."""
        return Recipe(**self.model_dump())


class BootstrapEntry(Strict):
    """How intervals are drawn; ``seed`` makes them the same every time."""

    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)


class Suite(Strict):
    """A list of runs with their controls: every defense x ratio x attack x target x seed.

    The undefended control (``none``) is planned whether or not it is among ``defenses``, and so is the base model.
    ``surrogates`` is what defenses optimise against; empty means the targets themselves.
    """

    name: Name
    title: str = Field(min_length=1)
    dataset: str = Field(min_length=1)
    targets: tuple[TargetEntry, ...] = Field(min_length=1)
    surrogates: tuple[TargetEntry, ...] = ()
    defenses: tuple[DefenseEntry, ...] = Field(min_length=1)
    defense_seed: int = Field(default=0, ge=0)
    budget: BudgetEntry
    attacks: tuple[Name, ...] = Field(min_length=1)
    recipe: RecipeEntry
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)
    ratios: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(default=(1.0,), min_length=1)
    bootstrap: BootstrapEntry = BootstrapEntry()
    reference_defense: Literal["none"] = "none"

    # How it was asked for; nothing that a file says.
    _source: str = PrivateAttr(default="")
    _seed_given: int | None = PrivateAttr(default=None)

    @field_validator("attacks", "seeds", "ratios")
    @classmethod
    def _values_once(cls, values: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
        _refuse_repeated(values)
        return values

    @model_validator(mode="after")
    def _entries_once(self) -> Self:
        _refuse_repeated([f"defense {entry.name}" for entry in self.defenses])
        _refuse_repeated([f"target {entry.checkpoint}" for entry in self.targets])
        return self

    @property
    def source(self) -> str:
        """What the command line is given for this suite: a shipped one's name, or the name of its file (no folder)."""
        return self._source or self.name

    @property
    def seed_given(self) -> int | None:
        """The seed that took the place of the suite's own ones; None where none did."""
        return self._seed_given

    def with_seed(self, seed: int | None) -> "Suite":
        """The suite with that one training seed, photos protected as before; the suite itself for None."""
        if seed is None or self.seeds == (seed,):
            return self
        changed = self.model_copy(update={"seeds": (seed,)})
        changed._seed_given = seed
        return changed

    def surrogate_specs(self) -> tuple[TargetSpec, ...]:
        """What defenses optimise against."""
        return tuple(entry.spec() for entry in self.surrogates or self.targets)


def shipped_suites() -> dict[str, Path]:
    """Name -> file of the suites that come with the package."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load_suite(name_or_file: str) -> Suite:
    """A shipped suite by name, or a suite file by path.

    Raises UsageError for an unknown name (with the nearest ones), and for a file that breaks the schema (with the
    file, the field and what is allowed).
    """
    shipped = shipped_suites()
    looks_like_file = name_or_file.endswith((".yaml", ".yml")) or "/" in name_or_file
    path = Path(name_or_file) if looks_like_file else shipped.get(name_or_file)
    if path is None:
        raise unknown_name("suite", name_or_file, shipped)
    if not path.is_file():
        raise UsageError(f"there is no suite file {path}.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid YAML: {_one_line(error)}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: a suite is a mapping with the fields {', '.join(Suite.model_fields)}.")
    try:
        suite = Suite.model_validate(content)
    except ValidationError as error:
        raise UsageError(describe_first_error(path, error)) from error
    # A folder is a place on one machine, and what is read as a name must not be taken for a shipped suite.
    suite._source = name_or_file if not looks_like_file else path.name if path.suffix else f"./{path.name}"
    return suite


def describe_first_error(path: Path, error: ValidationError) -> str:
    """One sentence: the file, the field, what is wrong with it and what is allowed."""
    # A misspelt field also shows as a missing one; the misspelling is what helps.
    first, *others = sorted(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    field = ".".join(str(part) for part in first["loc"]) or "suite"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = list(_model_at(first["loc"][:-1]).model_fields)
        guesses = nearest(str(first["loc"][-1]), known)
        hint = f" (did you mean {' or '.join(guesses)}?)" if guesses else ""
        message = f"not a known field{hint}; allowed here: {', '.join(known)}"
    elif first["type"] == "missing":
        message = "this field is missing"
    else:
        message = f"{message[:1].lower()}{message[1:]}, and it is {first['input']!r}"
    more = f" ({len(others)} more)" if others else ""
    return f"{path}: field {field}: {message}{more}."


def _model_at(location: Sequence[int | str]) -> type[BaseModel]:
    """The model whose fields are allowed at a place of the suite, for example ``("targets", 0)``."""
    model: type[BaseModel] = Suite
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_within(model.model_fields[part].annotation) or model
    return model


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, list, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
    return None


def _refuse_repeated(values: Sequence[Hashable]) -> None:
    repeated = [value for position, value in enumerate(values) if value in values[:position]]
    if repeated:
        raise ValueError(f"{repeated[0]} stands twice")


def _one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))
