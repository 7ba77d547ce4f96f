"""Resamples of people, or of cohorts where there are enough: the same draw holds for every table."""

import numpy as np

from bench.core.statistics.sums import COHORTS_FOR_INTERVALS, Floats, Integers

RESAMPLES = 2000


def resampled_weights(cohort_of: Integers, resamples: int, random_seed: int) -> Floats:
    """How often each person is drawn in each resample: float64 array (resamples, people).

    ``cohort_of`` numbers each person's cohort. From ``COHORTS_FOR_INTERVALS`` cohorts on whole cohorts are drawn, else
    people. A person is drawn with all of their probes, attackers and training seeds.
    """
    # NumPy keeps RandomState's stream for good, that of its newer generators not (NEP 19); a published interval
    # must survive an upgrade.
    state = np.random.RandomState(random_seed)
    cohorts, number_of = np.unique(cohort_of, return_inverse=True)
    if len(cohorts) >= COHORTS_FOR_INTERVALS:
        return _multiplicities(state, resamples, len(cohorts))[:, number_of]
    return _multiplicities(state, resamples, len(cohort_of))


def resampled_means(weights: Floats, sums: Floats, counts: Floats) -> Floats:
    """Means of ``sums`` over ``counts`` (both (…, people)) in each resample: array (…, resamples).

    NaN where chance picked nobody with a scored value.
    """
    with np.errstate(invalid="ignore"):
        means: Floats = (sums @ weights.T) / (counts @ weights.T)
    return means


def _multiplicities(state: np.random.RandomState, resamples: int, size: int) -> Floats:
    return state.multinomial(size, np.full(size, 1 / size), size=resamples).astype(np.float64)
