"""The results record: what a run publishes, as numbers, with no time and no host in it."""

import dataclasses
import math
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, JsonValue, model_validator

from bench.core.models import Strict

SCHEMA_VERSION: Final = 2

UNDEFENDED = "none"
"""The defense of the undefended control: fine-tuned on the photos as they are."""

BASE = "base"
"""The attack (or defense) of the base control: the model as it came, never fine-tuned."""

Access = Literal["white box", "transfer"]
"""Whether a defense optimised against the very model that is attacked, or against others only."""

Standing = Literal["current", "superseded", "withdrawn"]
"""Whether a record still counts."""

Role = Literal["base", "undefended", "defense"]
"""What a run is to its suite: one of the two controls that others are read against, or a defense."""

WHITE_BOX: Final = "white box"
TRANSFER: Final = "transfer"


def plain(value: object) -> object:
    """The value as JSON would give it back: dataclasses and models become objects, tuples become lists."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def finite(value: object) -> object:
    """The value. Raises ValueError where it holds NaN or an infinity, which JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("NaN and infinities are no numbers that JSON knows")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        finite(item)
    return value


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=300)]
Count = Annotated[int, Field(ge=0)]
Settings = Annotated[dict[str, JsonValue], BeforeValidator(plain), AfterValidator(finite)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Label = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", max_length=80)]
Change = Annotated[str, Field(pattern=r"^[^=]+=")]


class RecordedSurrogate(Strict):
    """An encoder that a defense optimised against, by checkpoint and the digest of its files."""

    checkpoint: Name
    digest: Name


class Bootstrap(Strict):
    """How intervals are drawn: the number of resamples, and the seed that makes them the same every time."""

    resamples: Annotated[int, Field(ge=1)]
    seed: Count


class RunSpec(Strict):
    """Everything that decides a run's result. ``budget_eps`` is in 8-bit grey levels, ``ratio`` in [0, 1].

    ``limit`` is empty where all people of the dataset were used, else the first so many people and strangers were;
    ``dataset_digest`` covers just these. ``seed`` is that of training, ``defense_seed`` that of protecting.
    ``visible`` says that the defense edits the photo visibly and is not held to the budget. ``surrogates`` is empty
    for a defense that optimises against no encoder. The base control has the attack ``base`` and an empty recipe.
    ``synthesis`` says how the attacker made the photos that it trained on; empty where these are the shared ones.
    ``target_family`` names the code that runs the target, ``backend`` what computed its answers.
    ``cohort`` names the people who were trained together, empty for a dataset that has one cohort only;
    ``dataset_digest`` covers all cohorts. ``adaptive`` says that the attacker knows the defense and adapts to it.
    ``search`` is the space that a tuned attacker searched, empty where it searched none; ``recipe`` is what it chose.
    """

    dataset: Name
    dataset_digest: Digest
    limit: Annotated[int, Field(ge=1)] | None
    cohort: Annotated[str, Field(max_length=300)] = ""
    defense: Name
    defense_options: Settings
    defense_seed: Count
    surrogates: list[RecordedSurrogate]
    budget_norm: Name
    budget_eps: Annotated[float, Field(ge=0, le=255)]
    visible: bool
    ratio: Annotated[float, Field(ge=0, le=1)]
    attack: Name
    adaptive: bool = False
    search: Settings = Field(default_factory=dict)
    target: Name
    target_digest: Name
    target_family: Annotated[str, Field(max_length=300)] = ""
    backend: Name = "transformers"
    recipe: Settings
    synthesis: Settings = Field(default_factory=dict)
    seed: int
    bootstrap: Bootstrap

    @property
    def access(self) -> Access | None:
        """Whether the defense optimised against the attacked checkpoint; None where it optimised against none."""
        if not self.surrogates:
            return None
        return WHITE_BOX if self.target_digest in {one.digest for one in self.surrogates} else TRANSFER


class Invocation(Strict):
    """How the run was asked for, beside its limit: a shipped suite's name or the name of a suite file (no folder).

    ``seed`` is the seed that took the place of the suite's own ones, empty where none did. ``changes`` are the fields
    that ``--set`` changed, each as ``budget.eps=4``.
    """

    suite: Name
    seed: Count | None = None
    changes: list[Change] = Field(default_factory=list)


class Controls(Strict):
    """Run digests of the two controls that this run is read against; empty only where a run is that control."""

    base: Digest | None = None
    undefended: Digest | None = None


class Measurement(Strict):
    """One measured number with its 95 % interval, or the sentence that says why there is none.

    ``scenario`` is empty for a number over all scenarios. ``direction`` says which way is better for the owner of
    the photos. Fractions are in [0, 1], never percent. ``n_unscored`` counts answers that were refused, invalid or
    errors: they are never counted as protected.
    """

    name: Name
    unit: Name
    direction: Literal["up", "down", "none"]
    scenario: Name | None
    attack: Name
    value: float | None
    low: float | None
    high: float | None
    n_probes: Count
    n_persons: Count
    n_unscored: Count
    seeds: list[int]
    refusal: Name | None = None

    @model_validator(mode="after")
    def _value_or_refusal(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high must both be numbers or both be null")
        if self.value is None and (self.refusal is None or self.low is not None):
            raise ValueError("a metric without a value needs a refusal that says why, and no interval")
        if self.value is not None and self.refusal is not None:
            raise ValueError("a metric has a value or a refusal, not both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low}) must not be above high ({self.high})")
        if self.unit == "fraction" and self.value is not None and not 0 <= self.value <= 1:
            raise ValueError(f"a fraction lies between 0 and 1, and value is {self.value}")
        return self


class RecordedFile(Strict):
    """A Parquet file beside the record that its numbers are computed from, and the sha256 of its bytes."""

    file: FileName
    digest: Digest


class Record(Strict):
    """What a run publishes. Equal specs give byte-identical records; costs stand in a file beside it.

    ``label`` is what the suite calls the defense, empty for its own name. It decides no result, so it is no part of the
    specification. ``standing`` says whether the record still counts: one that is superseded or withdrawn stands outside
    of all tables, with the reason in ``standing_reason``.

    ``rows`` holds the scored answers, ``people`` who was trained on (once a dataset), ``photos`` how far each protected
    photo is from its original; the base control, which has no photos, has none. ``evaluators`` and the digest
    ``scorer`` of their code say what computed the metrics from them.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    run_digest: Digest
    suite: Name
    label: Label = ""
    invocation: Invocation
    spec: RunSpec
    controls: Controls
    environment: Settings
    metrics: Annotated[list[Measurement], Field(min_length=1)]
    rows: RecordedFile | None = None
    people: RecordedFile | None = None
    photos: RecordedFile | None = None
    evaluators: Annotated[list[Name], Field(min_length=1)]
    scorer: Digest
    standing: Standing = "current"
    standing_reason: str = ""
    artifacts: dict[str, str]
    disclosures: list[str]

    @property
    def command(self) -> str:
        """The command that computes this run, and the others of its suite, again."""
        words = ["veilbench", "run", self.invocation.suite]
        words += [] if self.spec.limit is None else ["--limit", str(self.spec.limit)]
        words += [] if self.invocation.seed is None else ["--seed", str(self.invocation.seed)]
        words += [] if self.spec.backend == "transformers" else ["--backend", self.spec.backend]
        for change in self.invocation.changes:
            words += ["--set", change]
        return shlex.join(words)

    @property
    def title(self) -> str:
        """What people call the defense: its label, or its own name."""
        return self.label or self.spec.defense

    @property
    def is_base(self) -> bool:
        """Whether this is the base control: nobody fine-tuned."""
        return BASE in (self.spec.attack, self.spec.defense)

    @property
    def is_undefended(self) -> bool:
        """Whether this is the undefended control: fine-tuned on the photos as they are."""
        return self.spec.defense == UNDEFENDED and not self.is_base

    def metric(self, name: str, scenario: str | None = None) -> Measurement | None:
        """The measurement of that metric, over all scenarios or in one; None where the record does not have it."""
        return next((one for one in self.metrics if (one.name, one.scenario) == (name, scenario)), None)

    @model_validator(mode="after")
    def _label_is_no_controls(self) -> Self:
        if self.label in (BASE, UNDEFENDED) and self.label != self.spec.defense:
            raise ValueError(f"label: {self.label!r} is the name of a control, and the defense is no control")
        return self

    @model_validator(mode="after")
    def _controls_named(self) -> Self:
        if not self.is_base and self.controls.base is None:
            raise ValueError("controls.base must name the run of the base control")
        if not self.is_base and not self.is_undefended and self.controls.undefended is None:
            raise ValueError("controls.undefended must name the run of the undefended control")
        return self

    @model_validator(mode="after")
    def _metrics_named_once(self) -> Self:
        counts = Counter((metric.name, metric.scenario) for metric in self.metrics)
        repeated = [f"{name} ({scenario or 'overall'})" for (name, scenario), count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"metrics names {repeated[0]} twice")
        return self
