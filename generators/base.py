"""What every photo source offers: people become a dataset with photos, descriptions and probes."""

from abc import ABC, abstractmethod
from typing import ClassVar

from bench.core.progress import ReportProgress
from scenarios.dataset import Dataset

__all__ = ["Generator", "ReportProgress"]


class Generator(ABC):
    """A photo source. Constructing one is cheap; ``build`` does the work.

    ``source`` says what its photos are: ``rendered``, ``real`` or ``synthesized``.
    """

    source: ClassVar[str]

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the datasets that this source can build."""

    @abstractmethod
    def build(self, name: str, limit: int | None, workers: int, report: ReportProgress) -> Dataset:
        """Build the dataset ``name``, or its first ``limit`` people and strangers.

        Equal arguments give equal photos on one machine. Raises UsageError for an unknown name and VeilBenchError
        where a part is not installed.
        """
