"""What every stage is: a frozen spec that says what it costs and needs, and computes one artifact.

A new stage is one file in this folder with one subclass of ``StageSpec``, and one line where ``bench.plan.planner``
puts runs together.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.errors import VeilBenchError
from bench.core.progress import ReportProgress
from bench.core.store import ArtifactStore, plain_key
from bench.stages.references import ArtifactReference

if TYPE_CHECKING:
    from bench.targets.vllm.server import EngineSettings

__all__ = ["ArtifactReference", "EngineAccess", "Needs", "Stage", "StageSpec", "Workspace", "stage_key"]


@dataclass(frozen=True)
class Needs:
    """What a stage needs while it runs: processor cores, memory, and whether it is faster on an accelerator.

    ``memory_bytes`` is a rough peak of the process, for placing stages; no stage is stopped for using more.
    """

    cores: int = 1
    memory_bytes: int = 600_000_000
    accelerator: bool = False


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


class StageSpec(ABC):
    """What one stage is told, and the stage itself: a subclass is a frozen dataclass, serialisable as it is.

    Every field decides the result unless it is declared ``undecisive``. Artifacts that the stage reads are fields,
    too (``ArtifactReference``), so that what it waits for is never said twice. ``name`` begins the names of its stages.
    """

    name: ClassVar[str]

    @property
    def kind(self) -> str:
        """The store's name for such stages; those of one kind take alike long a unit."""
        return self.name

    @property
    @abstractmethod
    def units(self) -> float:
        """How much work it is, in photos, photo epochs or questions: costs of earlier stages give an estimate by it."""

    @property
    @abstractmethod
    def seconds_per_unit(self) -> float:
        """A rough guess on one core with an embedded target, for when no earlier stage of the kind is known."""

    @property
    def needs(self) -> Needs:
        """What it needs while it runs."""
        return Needs()

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules besides its own whose code decides the result."""
        return ()

    @abstractmethod
    def compute(self, workspace: Workspace) -> Mapping[str, float] | None:
        """Write the artifact's files into ``workspace.folder``; return costs other than time and memory, if any."""


@dataclass(frozen=True)
class Stage:
    """One step of a plan: a spec whose artifact has a key that is known in advance.

    ``inputs`` is all that the key covers. ``depends_on`` names the stages whose artifacts the spec reads.
    """

    name: str
    key: str
    inputs: Mapping[str, Any]
    spec: StageSpec
    depends_on: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> str:
        """The store's name for such stages."""
        return self.spec.kind

    @property
    def guess(self) -> float:
        """Roughly how many seconds it takes; only the order of work rests on it."""
        return self.spec.units * self.spec.seconds_per_unit

    @property
    def reference(self) -> ArtifactReference:
        """Where the artifact will be."""
        return ArtifactReference(self.kind, self.key)


def stage_key(kind: str, inputs: Mapping[str, Any]) -> str:
    """The key that any store gives the artifact of these inputs, which are plain JSON values already."""
    return plain_key(kind, inputs)
