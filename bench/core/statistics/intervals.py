"""95 % intervals of shares and means over people, or over cohorts where there are enough."""

from dataclasses import dataclass

import numpy as np

from bench.core.statistics.sums import Floats, PersonSums

CONFIDENCE = 0.95

DOUBT = 0.4
"""How much of one more person's complete disagreement is added to the variance.

Near 0 and 1 hardly two people differ, and the sample's own variance is too small: at a true share of .025 and a design
effect of 6.4 the interval of 20 people would cover it in .88 of samples in place of .95; so it does in .94
(``benchmarks/statistics/coverage.py``).
"""


@dataclass(frozen=True)
class Interval:
    """An interval; both ends belong to it."""

    low: float
    high: float

    def includes(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval."""
        return self.low <= value <= self.high


def share_interval(values: PersonSums, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a mean of values in [0, 1]: Clopper-Pearson at the effective sample size.

    Korn and Graubard (Survey Methodology 24, 1998): the sample counts as so many independent answers as would give
    the variance that people (or cohorts) show, corrected by t quantiles for how few they are. Where all people are
    equal, each counts once: 20 people who all leaked give [.83, 1]. Raises ``ValueError`` where nothing is scored.
    """
    return _share_interval(values.mean, values, confidence)


def excess_interval(
    excess: PersonSums, leakage: PersonSums, confidence: float = CONFIDENCE, spread: PersonSums | None = None
) -> Interval:
    """The interval of a mean of (right - zero): that of leakage, with the variance of the excess, moved by mean zero.

    Both tables count the same answers. ``spread`` has another variance in place of the excess's, that of what people
    differ in where the excess is compared with something. Raises ``ValueError`` where nothing is scored.
    """
    around = _share_interval(leakage.mean, spread or excess, confidence)
    zero = leakage.mean - excess.mean
    return Interval(around.low - zero, around.high - zero)


def mean_interval(values: PersonSums) -> Interval | None:
    """The t interval of a mean of any numbers, over people or cohorts; None for a single one.

    Raises ``ValueError`` where nothing is scored.
    """
    units = _units(values)
    if units < 2:
        return None
    half = _t_quantile(CONFIDENCE, units - 1) * float(np.sqrt(_variance_of_mean(values)))
    return Interval(values.mean - half, values.mean + half)


def effective_size(share: float, spread: PersonSums) -> float:
    """How many independent answers tell as much about a share in [0, 1] as these, whose variance ``spread`` shows.

    The number of people where all of their answers are equal, and never more than there are answers.
    """
    answers = float(spread.counts.sum())
    people = float(np.count_nonzero(spread.counts))
    if _units(spread) < 2 or not 0 < share < 1:
        return people
    variance = _variance_of_mean(spread)
    doubt = DOUBT * share * (1 - share) / ((people - 1) * people)
    independent = share * (1 - share) / (variance + doubt)
    correction = _t_quantile(CONFIDENCE, answers - 1) / _t_quantile(CONFIDENCE, _units(spread) - 1)
    return min(independent * correction**2, answers)


def _share_interval(share: float, spread: PersonSums, confidence: float) -> Interval:
    from scipy.special import betaincinv

    share = min(max(share, 0.0), 1.0)
    size = effective_size(share, spread)
    successes, failures, tail = share * size, (1 - share) * size, (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures == 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return Interval(low, high)


def _units(values: PersonSums) -> int:
    return values.cohorts if values.unit_is_cohort else int(np.count_nonzero(values.counts))


def _variance_of_mean(values: PersonSums) -> float:
    """The variance of the mean over units drawn with replacement, by linearisation of sum over count."""
    residuals: Floats = values.sums - values.mean * values.counts
    if values.unit_is_cohort:
        residuals = np.bincount(values.cohort_of, residuals).astype(np.float64)
    units = _units(values)
    return float(units / (units - 1) * (residuals**2).sum() / values.counts.sum() ** 2)


def _t_quantile(confidence: float, degrees: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(degrees, 1.0), 1 - (1 - confidence) / 2))
