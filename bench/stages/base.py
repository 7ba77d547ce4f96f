"""What each stage is told: frozen, serialisable, and free of anything that does not decide the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore
from bench.targets.base import Recipe, Synthesis, TargetSpec

if TYPE_CHECKING:
    from bench.targets.vllm.server import EngineSettings


@dataclass(frozen=True)
class DatasetReference:
    """Where a dataset is found, how many of its people count, and the digest of what that gives."""

    location: str
    limit: int | None
    digest: str

    def identity(self) -> Any:
        """The content decides, not the place."""
        return self.digest


@dataclass(frozen=True)
class PinnedTarget:
    """A target and the digest of its checkpoint's files."""

    spec: TargetSpec
    digest: str

    def identity(self) -> Any:
        """The checkpoint's content decides, not its name or folder."""
        rest = {one.name: getattr(self.spec, one.name) for one in fields(self.spec) if one.name != "checkpoint"}
        return {**rest, "digest": self.digest}


@dataclass(frozen=True)
class ArtifactReference:
    """An artifact by its stage of the store and its key, which is known before it exists."""

    kind: str
    key: str


@dataclass(frozen=True)
class ProtectSpec:
    """Protect every photo of the dataset. ``budget_eps`` is in 8-bit grey levels."""

    dataset: DatasetReference
    defense: str
    options: Mapping[str, Any]
    budget_norm: str
    budget_eps: float
    surrogates: tuple[PinnedTarget, ...]
    seed: int


@dataclass(frozen=True)
class QualitySpec:
    """Compare protected photos with the originals."""

    dataset: DatasetReference
    protected: ArtifactReference


@dataclass(frozen=True)
class SynthesizeSpec:
    """Synthesize photos from the shared ones, of which a share ``ratio`` of each person's is protected."""

    dataset: DatasetReference
    protected: ArtifactReference
    ratio: float
    synthesis: Synthesis
    checkpoint_digest: str
    seed: int


@dataclass(frozen=True)
class FinetuneSpec:
    """Fine-tune on the photos, a share ``ratio`` of each person's protected. The recipe is the adapted one.

    Where ``synthesized`` is given, its photos take the place of the shared ones.
    """

    dataset: DatasetReference
    protected: ArtifactReference
    ratio: float
    target: PinnedTarget
    recipe: Recipe
    seed: int
    synthesized: ArtifactReference | None = None


@dataclass(frozen=True)
class QuestionsSpec:
    """Which questions are asked: every probe, and member probes again on protected photos where those are given.

    ``seed`` and ``ratio`` decide which photos were protected, as they did when fine-tuning.
    """

    dataset: DatasetReference
    protected: ArtifactReference | None
    ratio: float
    seed: int


@dataclass(frozen=True)
class AnswerSpec:
    """Ask a model: the base model where ``adapter`` is None, else one fine-tuned with LoRA of rank ``lora_rank``."""

    questions: QuestionsSpec
    target: PinnedTarget
    adapter: ArtifactReference | None
    backend: str = "transformers"
    lora_rank: int = 0


@dataclass(frozen=True)
class ScoreSpec:
    """Score a model's answers."""

    questions: QuestionsSpec
    answers: ArtifactReference


@dataclass(frozen=True)
class RecordSpec:
    """Measure one run against its controls.

    ``content`` is the record without its metrics, as ``leaderboard.schema.Record`` takes it. ``scores``, ``base``
    and ``undefended`` are scored answers of the run and of its controls; ``undefended`` and ``quality`` are None
    for the base control. How intervals are drawn stands in the content's own spec.
    """

    content: Mapping[str, Any]
    scores: ArtifactReference
    base: ArtifactReference
    undefended: ArtifactReference | None
    quality: ArtifactReference | None


def identity(value: Any) -> Any:
    """The part of a spec that decides a stage's result, as plain JSON values."""
    if hasattr(value, "identity"):
        return value.identity()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: identity(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): identity(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [identity(item) for item in value]
    return value


@dataclass(frozen=True)
class EngineAccess:
    """How the answering engine is reached, or another one started; decides no result."""

    settings: "EngineSettings"
    address: str


@dataclass(frozen=True)
class Workspace:
    """What a stage may touch: earlier artifacts, its own empty folder, the progress line, and an engine if one runs.

    ``key`` is the stage's own.
    """

    store: ArtifactStore
    folder: Path
    report: ReportProgress
    key: str = ""
    engine: EngineAccess | None = None

    @property
    def features(self) -> Path:
        """Where frozen vision features are kept from stage to stage."""
        return self.store.kept / "features"

    @property
    def resume(self) -> Path | None:
        """Where a killed attempt at this stage has left what it had."""
        return self.store.kept / "resume" / self.key if self.key else None

    def artifact(self, reference: ArtifactReference) -> Path:
        """The folder of an earlier stage's artifact. Raises VeilBenchError where it is gone."""
        path = self.store.find(reference.kind, reference.key)
        if path is None:
            raise VeilBenchError(f"the artifact {reference.kind} {reference.key[:12]} left the store during the run.")
        return path


StageFunction = Callable[[Any, Workspace], Mapping[str, float] | None]
"""Writes the artifact's files into ``workspace.folder`` and returns costs other than time and memory."""


@dataclass(frozen=True)
class Stage:
    """One step of a plan: a module-level function of a spec, whose artifact has a key that is known in advance.

    ``kind`` is the store's name for such steps, ``units`` how much work it is (photos, photo epochs, questions), so
    that earlier steps of the kind give an estimate. ``guess`` is a rough number of seconds for when there is none
    yet: only the order of work rests on it.
    """

    name: str
    kind: str
    key: str
    inputs: Mapping[str, Any]
    function: StageFunction
    spec: Any
    depends_on: tuple[str, ...] = field(default=())
    units: float = 1.0
    guess: float = 1.0

    @property
    def reference(self) -> ArtifactReference:
        """Where the artifact will be."""
        return ArtifactReference(self.kind, self.key)


def stage_key(kind: str, inputs: Mapping[str, Any]) -> str:
    """The key that any store gives the artifact of these inputs."""
    return ArtifactStore(Path()).key(kind, inputs)
