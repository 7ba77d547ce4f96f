"""A defense's headline: what its strongest attacker gains over chance, as a part of what there was to gain.

Headline = (maximum over attacks of the defense's excess) / (maximum over attacks of the undefended excess), where
excess is leakage minus zero, and zero is permutation chance (``evaluators.zero``). The denominator is common to all
defenses, so that a weak attack can neither inflate nor refuse a headline.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bench.core.statistics.intervals import CONFIDENCE, Interval, excess_interval
from bench.core.statistics.resampling import RESAMPLES, resampled_means, resampled_weights
from bench.core.statistics.sums import Floats, PersonSums

LEAST_GAIN = 0.10
"""A headline is refused where what there was to gain may be less, and "nothing leaks" is claimed only below it."""

FEWEST_PEOPLE = 5
"""Resampling fewer people tells nothing about others."""

ONE_SIDED = 2 * CONFIDENCE - 1
"""The confidence of a two-sided interval each of whose ends is a one-sided bound of 95 %."""


@dataclass(frozen=True)
class AttackedLine:
    """Excess and leakage of one defense (or of none) under each attack, people in the same order everywhere."""

    excess: tuple[PersonSums, ...]
    leakage: tuple[PersonSums, ...]

    @cached_property
    def means(self) -> Floats:
        """Mean excess under each attack."""
        return np.array([one.mean for one in self.excess])

    @property
    def strongest(self) -> int:
        """The attack under which the excess is highest; the first of equals."""
        return int(self.means.argmax())

    @property
    def highest(self) -> float:
        """The excess under that attack."""
        return float(self.means.max())

    def resampled(self, weights: Floats) -> Floats:
        """Mean excess under each attack in each resample: array (attacks, resamples)."""
        sums = np.stack([one.sums for one in self.excess])
        counts = np.stack([one.counts for one in self.excess])
        return resampled_means(weights, sums, counts)


@dataclass(frozen=True)
class Headline:
    """``value`` is the headline, ``attack`` the number of the attack that gains most, ``bound`` the one-sided bound.

    ``interval`` has both maxima recomputed in each resample; None below ``FEWEST_PEOPLE`` people. Where the number is
    refused, ``refusal`` says why and the others are None.
    """

    value: float | None
    attack: int
    interval: Interval | None = None
    bound: float | None = None
    refusal: str | None = None

    @property
    def nothing_leaks(self) -> bool:
        """Whether the bound supports the claim that (next to) nothing is left of the leak."""
        return self.bound is not None and self.bound < LEAST_GAIN


@dataclass(frozen=True)
class Reference:
    """What there was to gain: the undefended line, and the same draws of people for all that is compared with it."""

    undefended: AttackedLine
    weights: Floats

    @classmethod
    def of(cls, undefended: AttackedLine, resamples: int = RESAMPLES, random_seed: int = 0) -> "Reference":
        """With so many seeded resamples of the people (or cohorts) of the undefended line."""
        cohort_of = undefended.excess[0].cohort_of
        return cls(undefended, resampled_weights(cohort_of, resamples, random_seed))

    @cached_property
    def highest_draws(self) -> Floats:
        """The highest undefended excess over attacks in each resample."""
        highest: Floats = self.undefended.resampled(self.weights).max(axis=0)
        return highest

    @cached_property
    def lower_bound(self) -> float:
        """One-sided 95 % lower bound of the highest undefended excess: the highest of the attacks' own bounds.

        Each of K attacks' bounds is taken at level .05 / K, for the highest of K is looked for (Bonferroni).
        """
        confidence = 1 - (1 - ONE_SIDED) / len(self.undefended.excess)
        pairs = zip(self.undefended.excess, self.undefended.leakage, strict=True)
        return max(excess_interval(excess, leakage, confidence).low for excess, leakage in pairs)

    @cached_property
    def refusal(self) -> str | None:
        """Why there is no headline at all; None where there is enough to gain."""
        if self.lower_bound >= LEAST_GAIN:
            return None
        return (
            f"without a defense the strongest attacker gains {self.undefended.highest:.2f} over zero, and it may be "
            f"{self.lower_bound:.2f} only (95 % bound): below {LEAST_GAIN:.2f} there is nothing to compare with"
        )


def headline(defended: AttackedLine, reference: Reference) -> Headline:
    """The headline of a defense that met every attack of the reference, in the same order and on the same people."""
    if reference.refusal is not None:
        return Headline(None, defended.strongest, refusal=reference.refusal)
    there = reference.undefended.highest
    draws = defended.resampled(reference.weights)
    interval = None
    if np.count_nonzero(defended.excess[0].counts) >= FEWEST_PEOPLE:
        interval = _percentiles(_ratios(draws.max(axis=0), reference.highest_draws))
    return Headline(defended.highest / there, defended.strongest, interval, _upper_bound(defended, draws, reference))


def difference(defended: AttackedLine, reference: Reference) -> tuple[float, Interval | None]:
    """Highest excess of a defense minus the highest undefended one, and its interval as in ``headline``."""
    value = defended.highest - reference.undefended.highest
    if np.count_nonzero(defended.excess[0].counts) < FEWEST_PEOPLE:
        return value, None
    return value, _percentiles(defended.resampled(reference.weights).max(axis=0) - reference.highest_draws)


def highest_interval(line: AttackedLine, weights: Floats) -> Interval:
    """The interval of the highest excess over attacks, which is looked for anew in each resample."""
    return _percentiles(line.resampled(weights).max(axis=0))


def _upper_bound(defended: AttackedLine, draws: Floats, reference: Reference) -> float:
    """One-sided 95 % upper bound: the largest over attacks of excess / denominator.

    Of each attack the larger of two: the resampled quantile, and the exact bound of its excess over the denominator, at
    the variance of what people differ in from the part of the undefended excess that remains on average. Resamples of
    people who all answered alike are all alike and would claim certainty.
    """
    there, without = reference.undefended.highest, reference.undefended.excess[reference.undefended.strongest]
    bounds = []
    for excess, leakage, drawn in zip(defended.excess, defended.leakage, draws, strict=True):
        resampled = float(np.nanquantile(_ratios(drawn, reference.highest_draws), CONFIDENCE))
        spread = replace(excess, sums=excess.sums - excess.mean / there * without.sums)
        exact = excess_interval(excess, leakage, ONE_SIDED, spread).high / there
        bounds.append(max(resampled, exact))
    return max(bounds)


def _ratios(numerators: Floats, denominators: Floats) -> Floats:
    # Where there is enough to gain, hardly a draw has nothing to gain, and it has no ratio either.
    usable = denominators > 0
    ratios: Floats = numerators[usable] / denominators[usable]
    return ratios


def _percentiles(draws: Floats) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))
