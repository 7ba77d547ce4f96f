"""What every interval and test is computed from: sums and counts of scored values, one a person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COHORTS_FOR_INTERVALS = 5
"""From so many cohorts on the cohort is the unit: below, its variance cannot be estimated with any use."""


@dataclass(frozen=True)
class PersonSums:
    """Scored values added up over probes and training seeds: ``sums`` and ``counts`` (float64, one entry a person).

    ``persons`` names the people in order, ``cohort_of`` numbers each one's cohort from 0.
    """

    persons: tuple[str, ...]
    cohort_of: Integers
    sums: Floats
    counts: Floats

    @property
    def mean(self) -> float:
        """The mean of all scored values. Raises ``ValueError`` where nothing is scored."""
        if not self.counts.sum():
            raise ValueError("a table without scored rows has no mean")
        return float(self.sums.sum() / self.counts.sum())

    @property
    def person_means(self) -> Floats:
        """One mean a person; NaN for a person without scored values."""
        with np.errstate(invalid="ignore"):
            means: Floats = self.sums / self.counts
        return means

    @property
    def cohorts(self) -> int:
        """How many cohorts have a scored value."""
        return len(np.unique(self.cohort_of[self.counts > 0]))

    @property
    def unit_is_cohort(self) -> bool:
        """Whether intervals are over cohorts; else they are over people."""
        return self.cohorts >= COHORTS_FOR_INTERVALS
