"""What a suite says: a list of runs with their controls."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from bench.core.models import Strict
from bench.targets.base import TargetSpec
from bench.targets.recipes import RecipeEntry, expand_recipe
from leaderboard.schema import BASE, UNDEFENDED
from scenarios.cohorts import FILE_NAME, FILE_NAME_RULE, LONGEST_NAME


def _file_name(text: str) -> str:
    if not FILE_NAME.fullmatch(text):
        raise ValueError(FILE_NAME_RULE)
    return text


Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_file_name)]


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


class BudgetEntry(Strict):
    """How far a defense may move a pixel; ``eps`` is in 8-bit grey levels."""

    norm: Literal["linf"] = "linf"
    eps: float = Field(gt=0, le=255)


class DefenseEntry(Strict):
    """A defense by its registered name, with the options it is made with.

    ``label`` tells it from others of the same name, in stages, records and on the page; it is the name unless given.
    ``budget`` and ``surrogates`` are those of the suite unless the defense has its own.
    """

    name: Name
    label: Name = ""
    options: dict[str, Any] = Field(default_factory=dict)
    budget: BudgetEntry | None = None
    surrogates: tuple[TargetEntry, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _labelled_by_name(cls, stated: Any) -> Any:
        if isinstance(stated, Mapping) and not stated.get("label") and "name" in stated:
            return {**stated, "label": stated["name"]}
        return stated

    @model_validator(mode="after")
    def _controls_are_what_they_are(self) -> Self:
        if self.label == BASE or (self.label == UNDEFENDED) != (self.name == UNDEFENDED):
            raise ValueError(f"'{self.label}' is the name of a control: give the defense another label")
        if self.name == UNDEFENDED and (self.budget or self.surrogates):
            raise ValueError(f"'{UNDEFENDED}' leaves photos as they are: it has neither budget nor surrogates")
        return self


class BootstrapEntry(Strict):
    """How intervals are drawn; ``seed`` makes them the same every time."""

    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)


class Suite(Strict):
    """A list of runs with their controls: every defense x ratio x attack x target x cohort x seed.

    The undefended control (``none``) is planned whether or not it is among ``defenses``, and so is the base model.
    ``surrogates`` is what defenses optimise against; empty means the targets themselves. ``recipe`` may be stated as
    a name, or as a name with fields that differ; once loaded, it tells every number. ``evaluators`` names what is
    measured; empty means all that come with the project. ``cohorts`` names those of the dataset that are trained on,
    each apart from the others; empty means all.
    """

    name: Name
    title: str = Field(min_length=1)
    dataset: str = Field(min_length=1)
    cohorts: tuple[Name, ...] = ()
    targets: tuple[TargetEntry, ...] = Field(min_length=1)
    surrogates: tuple[TargetEntry, ...] = ()
    defenses: tuple[DefenseEntry, ...] = Field(min_length=1)
    defense_seed: int = Field(default=0, ge=0)
    budget: BudgetEntry
    attacks: tuple[Name, ...] = Field(min_length=1)
    recipe: RecipeEntry
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)
    ratios: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(default=(1.0,), min_length=1)
    evaluators: tuple[Name, ...] = ()
    bootstrap: BootstrapEntry = BootstrapEntry()
    reference_defense: Literal["none"] = "none"

    # How it was asked for; nothing that a file says.
    _source: str = PrivateAttr(default="")
    _seed_given: int | None = PrivateAttr(default=None)
    _changes: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("recipe", mode="before")
    @classmethod
    def _recipe_in_full(cls, stated: Any) -> Any:
        return expand_recipe(stated)

    @field_validator("cohorts", "attacks", "seeds", "ratios", "evaluators")
    @classmethod
    def _values_once(cls, values: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
        _refuse_repeated(values)
        return values

    @model_validator(mode="after")
    def _entries_once(self) -> Self:
        _refuse_repeated([f"defense {entry.label}" for entry in self.defenses], ": give each a label of its own")
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

    @property
    def changes(self) -> tuple[str, ...]:
        """What ``--set`` changed, each as ``FIELD=VALUE``."""
        return self._changes

    def asked_for(self, source: str, changes: Sequence[str]) -> Self:
        """The same suite, which remembers by what name and with which changes it was asked for."""
        self._source, self._changes = source, tuple(changes)
        return self

    def with_seed(self, seed: int | None) -> "Suite":
        """The suite with that one training seed, photos protected as before; the suite itself for None."""
        if seed is None or self.seeds == (seed,):
            return self
        changed = self.model_copy(update={"seeds": (seed,)})
        changed._seed_given = seed
        return changed

    def surrogates_of(self, defense: DefenseEntry) -> tuple[TargetSpec, ...]:
        """What a defense optimises against, if it optimises against anything."""
        return tuple(entry.spec() for entry in defense.surrogates or self.surrogates or self.targets)

    def budget_of(self, defense: DefenseEntry) -> BudgetEntry:
        """How far a defense may move a pixel."""
        return defense.budget or self.budget


def _refuse_repeated(values: Sequence[Hashable], cure: str = "") -> None:
    repeated = [value for position, value in enumerate(values) if value in values[:position]]
    if repeated:
        raise ValueError(f"{repeated[0]} stands twice{cure}")
