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
from bench.targets.base import TargetSpec
from bench.targets.recipes import RecipeEntry, expand_recipe

SHIPPED = Path(__file__).parent / "suites"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


class Strict(BaseModel):
    """Unknown fields, NaN and infinities are refused; an object does not change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TargetEntry(Strict):
    """A checkpoint, and how it is fitted into a machine. Fields as in ``TargetSpec``."""

    checkpoint: str = Field(min_length=1)
    family: Name = "llava"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: int = Field(default=16, ge=1)
    quantization: Literal["none", "4bit"] = "none"
    training_batch_size: int = Field(default=0, ge=0)
    gradient_checkpointing: bool = False
    processes: int = Field(default=1, ge=1)

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


class BootstrapEntry(Strict):
    """How intervals are drawn; ``seed`` makes them the same every time."""

    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)


class Suite(Strict):
    """A list of runs with their controls: every defense x ratio x attack x target x seed.

    The undefended control (``none``) is planned whether or not it is among ``defenses``, and so is the base model.
    ``surrogates`` is what defenses optimise against; empty means the targets themselves. ``recipe`` may be stated as
    a name, or as a name with fields that differ; once loaded, it tells every number.
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

    @field_validator("recipe", mode="before")
    @classmethod
    def _recipe_in_full(cls, stated: Any) -> Any:
        return expand_recipe(stated)

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

    @model_validator(mode="after")
    def _full_weights_can_be_trained(self) -> Self:
        quantized = [entry.checkpoint for entry in self.targets if entry.quantization != "none"]
        if self.recipe.method == "full" and quantized:
            raise ValueError(
                f"target {quantized[0]} is quantized, and the recipe's method 'full' trains every weight: "
                "use method: lora or quantization: none"
            )
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
    except UsageError as error:
        raise UsageError(f"{path}: field recipe: {error}") from error
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
        known = _fields_at(first["loc"][:-1])
        guesses = nearest(str(first["loc"][-1]), known)
        hint = f" (did you mean {' or '.join(guesses)}?)" if guesses else ""
        message = f"not a known field{hint}; allowed here: {', '.join(known)}"
    elif first["type"] == "missing":
        message = "this field is missing"
    elif not first["loc"]:
        message = f"{message[:1].lower()}{message[1:]}"
    else:
        message = f"{message[:1].lower()}{message[1:]}, and it is {first['input']!r}"
    more = f" ({len(others)} more)" if others else ""
    return f"{path}: field {field}: {message}{more}."


def _fields_at(location: Sequence[int | str]) -> list[str]:
    """What may stand at a place of the suite; a recipe may have a name besides its fields."""
    model = _model_at(location)
    return [*(["name"] if model is RecipeEntry else []), *model.model_fields]


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
