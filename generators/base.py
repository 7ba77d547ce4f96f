"""What every photo source offers: people become a dataset with photos, descriptions and probes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bench.core.progress import ReportProgress, quiet
from scenarios.dataset import Dataset

__all__ = ["BuildOrder", "Generator", "ReportProgress"]


@dataclass(frozen=True)
class BuildOrder:
    """What to build, and how.

    ``name`` is the name of a dataset, a folder of photos, or a dataset's id on the hub, whatever the source takes.
    ``work`` is a folder of this build alone, where finished photos wait, so that a stopped build goes on where it was.
    ``limit`` keeps the first people and the first strangers of each cohort; ``workers`` is the number of processes.
    """

    name: str
    work: Path
    limit: int | None = None
    workers: int = 1
    report: ReportProgress = field(default_factory=quiet)


class Generator(ABC):
    """A photo source. Constructing one is cheap and takes its options by keyword; ``build`` does the work.

    ``source`` says what its photos are: ``rendered``, ``real`` or ``synthesized``.
    """

    source: ClassVar[str]

    def names(self) -> tuple[str, ...]:
        """Names of the datasets that this source builds from nothing; empty where it takes a folder or an id."""
        return ()

    def claims(self, name: str) -> bool:
        """Whether ``name`` is this source's to build where nobody says which source to use."""
        return name in self.names()

    def default_folder(self, name: str) -> Path:
        """Where the tables of a dataset built from ``name`` go when nobody says: a folder below the current one."""
        return Path(name)

    @abstractmethod
    def build(self, order: BuildOrder) -> Dataset:
        """Build the dataset that is ordered.

        Equal orders give equal photos on one machine. Raises UsageError for a name that this source cannot build,
        DataError naming file, row and field of what does not fit, and VeilBenchError where a part is not installed.
        """
