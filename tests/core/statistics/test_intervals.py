"""Intervals: against SciPy and hand computation, and by how often they cover a truth that is known."""

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from bench.core.statistics.intervals import Interval, effective_size, excess_interval, mean_interval, share_interval
from bench.core.statistics.sums import PersonSums

PEOPLE, PROBES = 20, 28


def sums(right: "np.ndarray | list[float]", probes: float = PROBES, cohorts: int = 1) -> PersonSums:
    """People with ``right`` of ``probes`` answers each, spread evenly over cohorts."""
    values = np.asarray(right, dtype=np.float64)
    names = tuple(f"person-{number:03}" for number in range(len(values)))
    cohort_of = np.arange(len(values)) * cohorts // len(values)
    return PersonSums(names, cohort_of, values, np.full(len(values), float(probes)))


def beta_binomial(generator: np.random.Generator, truth: float, design_effect: float) -> np.ndarray:
    """How many of 28 are right for each of 20 people, at that design effect."""
    correlation = (design_effect - 1) / (PROBES - 1)
    scale = (1 - correlation) / correlation
    return generator.binomial(PROBES, generator.beta(truth * scale, (1 - truth) * scale, PEOPLE))


@pytest.mark.parametrize(("design_effect", "bar"), [(2.0, 0.93), (3.7, 0.93), (6.4, 0.90)])
@pytest.mark.parametrize("truth", [0.01, 0.02, 0.03, 0.1, 0.5, 0.86, 0.97, 0.98, 0.99])
def test_shares_near_nought_and_one_are_covered_as_often_as_stated(
    truth: float, design_effect: float, bar: float
) -> None:
    generator = np.random.default_rng(11)
    drawn = [sums(beta_binomial(generator, truth, design_effect)) for _ in range(600)]
    covered = np.mean([share_interval(one).includes(truth) for one in drawn])
    # 600 samples tell the coverage to within .02; benchmarks/statistics/coverage.py asks more.
    assert covered >= bar - 0.02


def test_cohorts_are_the_unit_where_there_are_five() -> None:
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        level = generator.normal(0, 0.5, (5, 1)) + generator.normal(0, 0.6, (5, 20))
        right = generator.binomial(PROBES, 1 / (1 + np.exp(-level))).ravel()
        covered += share_interval(sums(right, cohorts=5)).includes(0.5)
    assert 0.92 <= covered / 400 <= 0.99
    by_people = share_interval(sums(right, cohorts=4))
    by_cohorts = share_interval(sums(np.repeat([2.0, 8, 14, 20, 26], 20), cohorts=5))
    assert by_cohorts.high - by_cohorts.low > 3 * (by_people.high - by_people.low)


def test_twenty_people_who_all_leak_are_no_certainty() -> None:
    interval = share_interval(sums([PROBES] * 20))
    assert (interval.low, interval.high) == (pytest.approx(0.8316, abs=1e-4), 1.0)
    exact = stats.binomtest(20, 20).proportion_ci(method="exact")
    assert interval.low == pytest.approx(exact.low)


def test_four_people_who_all_leak_may_be_four_lucky_draws() -> None:
    assert share_interval(sums([PROBES] * 4)).low == pytest.approx(0.3976, abs=1e-4)
    assert share_interval(sums([0] * 4)).high == pytest.approx(0.6024, abs=1e-4)
    assert share_interval(sums([1], probes=1)) == Interval(pytest.approx(0.025), 1.0)


def test_the_person_is_the_unit_not_the_probe() -> None:
    few = share_interval(sums([0, 50] * 10, probes=50))
    many = share_interval(sums([0, 5000] * 10, probes=5000))
    assert (few.low, few.high) == pytest.approx((many.low, many.high), abs=2e-3)
    assert few.low < 0.28 and few.high > 0.72
    independent = stats.binomtest(500, 1000).proportion_ci()
    assert few.high - few.low > 5 * (independent.high - independent.low)


def test_one_answer_a_person_is_about_clopper_and_pearsons_interval() -> None:
    interval = share_interval(sums([1] * 30 + [0] * 70, probes=1))
    exact = stats.binomtest(30, 100).proportion_ci(method="exact")
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high), abs=0.005)


def test_the_effective_size_by_hand() -> None:
    # Means .25 and .75, half of ten people each: variance of the mean .0625 * 10 / 9 / 10, and doubt .4 * .25 / 90.
    people = sums([1, 3] * 5, probes=4)
    t = stats.t.ppf(0.975, 39) / stats.t.ppf(0.975, 9)
    assert effective_size(0.5, people) == pytest.approx(0.25 / (0.0625 / 9 + 0.1 / 90) * t**2)


def test_an_excess_has_its_own_spread_around_its_own_place() -> None:
    leakage = sums([10, 14, 18, 22] * 5)
    excess = PersonSums(leakage.persons, leakage.cohort_of, leakage.sums - 5.6, leakage.counts)
    moved, plain = excess_interval(excess, leakage), share_interval(leakage)
    assert (moved.low, moved.high) == pytest.approx((plain.low - 0.2, plain.high - 0.2))


def test_a_mean_of_any_numbers_agrees_with_scipys_t_interval() -> None:
    values = np.random.default_rng(0).normal(34, 2, 12)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    interval = mean_interval(sums(values, probes=1))
    assert interval is not None and (interval.low, interval.high) == pytest.approx((low, high))
    assert mean_interval(sums([3.0], probes=1)) is None


def test_a_table_without_scored_rows_has_no_mean() -> None:
    with pytest.raises(ValueError, match="without scored rows"):
        share_interval(sums([0, 0], probes=0))
