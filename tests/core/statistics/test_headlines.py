"""Headlines: one denominator for all defenses, maxima inside the resamples, and claims that must be earned."""

import numpy as np
import pytest

from bench.core.statistics.headlines import (
    FEWEST_PEOPLE,
    AttackedLine,
    Headline,
    Reference,
    difference,
    headline,
    highest_interval,
)
from bench.core.statistics.intervals import excess_interval
from bench.core.statistics.resampling import resampled_weights
from bench.core.statistics.sums import PersonSums

PROBES, ZERO = 28, 0.2


def line(*attacks: "np.ndarray | list[float]", cohorts: int = 1) -> AttackedLine:
    """A line from how many of 28 answers are right, for each person under each attack; zero is .2."""
    leakage = []
    for right in attacks:
        values = np.asarray(right, dtype=np.float64)
        names = tuple(f"person-{number:03}" for number in range(len(values)))
        cohort_of = np.arange(len(values)) * cohorts // len(values)
        leakage.append(PersonSums(names, cohort_of, values, np.full(len(values), float(PROBES))))
    excess = [PersonSums(one.persons, one.cohort_of, one.sums - ZERO * one.counts, one.counts) for one in leakage]
    return AttackedLine(tuple(excess), tuple(leakage))


def answers(share: float, people: int = 20, seed: int = 0) -> np.ndarray:
    """How many of 28 are right for people who differ."""
    generator = np.random.default_rng(seed)
    return generator.binomial(PROBES, generator.beta(share * 10, (1 - share) * 10, people))


def told(defended: AttackedLine, undefended: AttackedLine) -> Headline:
    return headline(defended, Reference.of(undefended))


def test_by_hand() -> None:
    found = told(line([14] * 20, [7] * 20), line([21] * 20, [24.5] * 20))
    assert found.value == pytest.approx((0.5 - 0.2) / (0.875 - 0.2)) and found.attack == 0


def test_the_stronger_attacker_is_the_one_that_leaks_more() -> None:
    """Each by its own attacker, blur's weaker one looked worse: .62 of .9 against .645 of .94."""
    found = told(line(answers(0.620), answers(0.645, seed=1)), line(answers(0.90, seed=2), answers(0.94, seed=3)))
    assert found.attack == 1


def test_an_attack_that_gains_nothing_more_changes_no_headline() -> None:
    undefended, defended = [answers(0.8), answers(0.85, seed=1)], [answers(0.4, seed=2), answers(0.35, seed=3)]
    before = told(line(*defended), line(*undefended))
    weaker = [np.minimum(*rights) for rights in (undefended, defended)]
    after = told(line(*defended, weaker[1]), line(*undefended, weaker[0]))
    assert (after.value, after.attack, after.interval) == (before.value, before.attack, before.interval)


def test_an_attack_that_only_makes_sense_against_a_defense_does_not_explode() -> None:
    """Undefended it leaks .29; by its own denominator the ratio would be above 3."""
    found = told(line(answers(0.3), answers(0.5, seed=1)), line(answers(0.85, seed=2), answers(0.29, seed=3)))
    assert found.value is not None and found.value < 0.6


def test_a_headline_is_refused_where_there_may_be_nothing_to_gain() -> None:
    found = told(line(answers(0.2)), line(answers(0.31, seed=1)))
    assert found.value is None and found.interval is None and found.bound is None
    assert found.refusal is not None and "gains 0.1" in found.refusal and "below 0.10" in found.refusal
    assert told(line(answers(0.2)), line(answers(0.7, seed=1))).refusal is None


def test_both_maxima_are_looked_for_anew_in_each_resample() -> None:
    """Two attackers that leak on different halves: no resample has a highest excess below the mean of its halves."""
    halves = line([28] * 10 + [0] * 10, [0] * 10 + [28] * 10)
    weights = resampled_weights(halves.excess[0].cohort_of, 500, 0)
    assert highest_interval(halves, weights).low >= 0.5 - ZERO
    one = line([28] * 10 + [0] * 10)
    assert highest_interval(one, weights).low < 0.35 - ZERO
    found = told(halves, line([28] * 20))
    assert found.interval is not None and found.interval.low >= (0.5 - ZERO) / (1 - ZERO) - 1e-9


def test_the_same_people_are_drawn_for_both_lines() -> None:
    people = answers(0.6)
    found = told(line(people * 0.75 + 1.4), line(people))
    assert found.interval is not None and found.interval.high - found.interval.low < 1e-9


def test_nothing_leaks_needs_a_bound_and_not_an_interval_that_reaches_zero() -> None:
    few = told(line([5.6] * 4 + [6]), line([28] * 5))
    assert few.interval is not None and few.interval.includes(0.01) and not few.nothing_leaks
    assert few.bound is not None and few.bound > 0.2
    many = told(line(answers(0.2, 200)), line(answers(0.9, 200, seed=1)))
    assert many.nothing_leaks and many.bound is not None and many.value is not None
    assert many.value < many.bound < 0.1


def test_people_who_answer_alike_are_no_certainty() -> None:
    """All resamples of twenty people with nothing right are alike; the bound is that of nought of twenty."""
    found = told(line([0] * 20), line([28] * 20))
    assert found.interval is not None and found.interval.high == pytest.approx(-0.25)
    assert found.bound == pytest.approx((1 - 0.05 ** (1 / 20) - ZERO) / (1 - ZERO))


def test_the_bound_of_a_defense_that_changes_nothing_is_near_its_interval() -> None:
    """What people differ in counts, not how far each of them is from the mean."""
    people = answers(0.7)
    found = told(line(people), line(people))
    own = line(people)
    alone = excess_interval(own.excess[0], own.leakage[0], 0.9).high / own.highest
    assert found.bound is not None and 1.0 < found.bound < 1.08 < alone


def test_the_bound_is_that_of_the_attack_which_may_leave_most() -> None:
    undefended = line(answers(0.9), answers(0.9, seed=1))
    quiet, loud = answers(0.25, seed=2), answers(0.35, seed=3)
    both = told(line(quiet, loud), undefended)
    alone = told(line(loud, loud), undefended)
    assert both.bound == pytest.approx(alone.bound)


def test_few_people_have_no_interval() -> None:
    people = FEWEST_PEOPLE - 1
    found = told(line([10] * people), line([28] * people))
    assert found.value is not None and found.interval is None and found.bound is not None
    assert difference(line([10] * people), Reference.of(line([28] * people)))[1] is None


def test_whole_cohorts_are_drawn_where_there_are_five() -> None:
    defended = np.repeat([4, 10, 16, 20, 26], 20)
    by_people = told(line(defended, cohorts=1), line([27] * 100))
    by_cohorts = told(line(defended, cohorts=5), line([27] * 100, cohorts=5))
    assert by_people.interval is not None and by_cohorts.interval is not None
    widths = [one.high - one.low for one in (by_people.interval, by_cohorts.interval)]
    assert widths[1] > 3 * widths[0]


def test_a_difference_has_a_sign_and_repeats() -> None:
    reference = Reference.of(line(answers(0.8)))
    value, interval = difference(line(answers(0.3, seed=1)), reference)
    assert value < 0 and interval is not None and interval.high < 0
    assert (value, interval) == difference(line(answers(0.3, seed=1)), Reference.of(line(answers(0.8))))
