"""What difference between two defenses a design detects: from variance components, before anything is trained."""

from dataclasses import dataclass

import numpy as np

from bench.core.statistics.flips import SIGNIFICANCE
from bench.core.statistics.sums import COHORTS_FOR_INTERVALS

POWER = 0.8
_DRAWS = 20_000


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of the paired difference of two defenses' excess under one attack.

    ``people``: between people of one training run, the noise of their answers included. ``cohorts``: between cohorts
    beyond their people. ``runs``: between training runs of one cohort. None: it could not be estimated.
    ``attack_correlation`` and ``line_correlation``: of people's excess under two attacks of one defense, and under two
    defenses of one attack.
    """

    people: float
    cohorts: float | None
    runs: float | None
    attack_correlation: float
    line_correlation: float


@dataclass(frozen=True)
class Design:
    """How many people in all, in how many cohorts, with how many training seeds each, under how many attacks."""

    people: int
    cohorts: int = 1
    seeds: int = 1
    attacks: int = 1

    @property
    def unit_is_cohort(self) -> bool:
        """Whether the cohort is the unit of its intervals."""
        return self.cohorts >= COHORTS_FOR_INTERVALS

    @property
    def degrees(self) -> int:
        """Degrees of freedom of its error."""
        return (self.cohorts if self.unit_is_cohort else self.people) - 1


@dataclass(frozen=True)
class Detectable:
    """``difference``: what is found in ``POWER`` of such studies; ``error``: its standard error, of two maxima.

    ``above``: by how much a maximum over equal attacks comes out too high on average.
    """

    difference: float
    error: float
    above: float


def detectable_difference(design: Design, components: VarianceComponents) -> Detectable:
    """The smallest difference of two headlines' numerators (highest excess) that a design detects with ``POWER``.

    One comparison at two-sided level .05 by t quantiles; a table of many comparisons detects less. Components that
    could not be estimated count as 0. All attacks are taken to be equally strong, which makes maxima noisiest.
    Raises ``ValueError`` below two people (or cohorts).
    """
    from scipy.special import stdtrit

    if design.degrees < 1:
        raise ValueError("a design needs at least two people")
    # Below five cohorts nothing but people is in the error: what other runs would change, such a test cannot know.
    between = (components.cohorts or 0.0) + (components.runs or 0.0) / design.seeds if design.unit_is_cohort else 0.0
    single = float(np.sqrt(components.people / design.people + between / design.cohorts))
    inflation, above = _maxima(design.attacks, components)
    error = single * inflation
    quantiles = stdtrit(design.degrees, 1 - SIGNIFICANCE / 2) + stdtrit(design.degrees, POWER)
    return Detectable(float(quantiles * error), error, above * single)


def _maxima(attacks: int, components: VarianceComponents) -> tuple[float, float]:
    """By how much a difference of two maxima is noisier than that of two means; and their bias, in its unit."""
    state = np.random.RandomState(0)
    across, lines = max(components.attack_correlation, 0.0), max(components.line_correlation, 0.0)
    common = state.standard_normal((_DRAWS, 1, 1))
    own = [state.standard_normal((_DRAWS, *shape)) for shape in ((2, 1), (1, attacks), (2, attacks))]
    parts = (across * lines, across * (1 - lines), (1 - across) * lines, (1 - across) * (1 - lines))
    drawn = sum(np.sqrt(part) * draws for part, draws in zip(parts, (common, *own), strict=True))
    assert not isinstance(drawn, int)
    highest = drawn.max(axis=2)
    # One mean's deviation in units of the deviation of a difference of two.
    unit = np.sqrt(2 * (1 - lines)) if lines < 1 else 1.0
    return float((highest[:, 0] - highest[:, 1]).std() / unit), float(highest.mean() / unit)
