"""Intervals, normalised leakage and comparisons; the person is the unit that is resampled.

Every table here has the columns ``person_id``, ``seed`` (the training seed) and ``value`` (a number or a truth value
for one probe; NaN where the answer could not be scored). A mean is always the mean over scored rows.

A resample draws persons with replacement, and apart from them training seeds, which then hold for all persons drawn:
one training run decides for everybody at once, so seeds drawn anew for each person would make intervals too narrow
(Owen, The pigeonhole bootstrap, 2007).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

RESAMPLES = 2000
SIGN_FLIPS = 10_000
CONFIDENCE = 0.95
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Interval:
    """A 95 % percentile interval; both ends belong to it."""

    low: float
    high: float

    def includes(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Normalised:
    """Leakage between the base model (0) and the undefended one (1), or the sentence why it cannot be given."""

    value: float | None
    interval: Interval | None
    refusal: str | None


class Difference(NamedTuple):
    """A paired difference of two means, its interval, and the two-sided p-value of there being none."""

    mean: float
    interval: Interval
    p_value: float


def person_bootstrap(frame: "pd.DataFrame", resamples: int = RESAMPLES, random_seed: int = 0) -> tuple[float, Interval]:
    """Return the mean of ``value`` and its interval; equal rows in any order give equal results.

    With a single person and seed the interval is the mean alone. Raises ``ValueError`` where no row is scored.
    """
    design = _Design([frame])
    return design.means()[0], _percentile_interval(design.resampled_means(resamples, random_seed)[0])


def normalised_leakage(
    defended: "pd.DataFrame",
    undefended: "pd.DataFrame",
    base: "pd.DataFrame",
    resamples: int = RESAMPLES,
    random_seed: int = 0,
) -> Normalised:
    """Return (defended - base) / (undefended - base) of mean values, the same persons resampled in all three.

    Refused, with a sentence, where the 95 % interval of the denominator is not wholly above zero or there are fewer
    than two persons. Below 0 and above 1 are possible. Raises ``ValueError`` as ``paired_difference`` does.
    """
    design = _Design([defended, undefended, base])
    if len(design.persons) < 2:
        return Normalised(None, None, "Normalised leakage needs at least two people.")
    defended_mean, undefended_mean, base_mean = design.means()
    defended_draws, undefended_draws, base_draws = design.resampled_means(resamples, random_seed)
    gap, gap_draws = undefended_mean - base_mean, undefended_draws - base_draws
    gap_interval = _percentile_interval(gap_draws)
    if gap_interval.low <= 0:
        return Normalised(
            None,
            None,
            f"Undefended leakage exceeds that of the base model by {gap:.3f} only (95 % interval "
            f"{gap_interval.low:.3f} to {gap_interval.high:.3f}), so that there is nothing to normalise by.",
        )
    # At most one draw in forty has no gap (else we had refused), and it has no ratio either.
    usable = gap_draws > 0
    ratios = (defended_draws[usable] - base_draws[usable]) / gap_draws[usable]
    return Normalised((defended_mean - base_mean) / gap, _percentile_interval(ratios), None)


def paired_difference(
    a: "pd.DataFrame", b: "pd.DataFrame", resamples: int = RESAMPLES, random_seed: int = 0
) -> Difference:
    """Return mean(a) - mean(b), the same persons and seeds resampled in both.

    The p-value flips the sign of whole persons' differences, all ways where there are at most 10,000, else 10,000
    seeded ones. A person without a scored row in one table weighs nothing there and is left out of the test.
    A table of one seed (a base model, which is not trained) is compared with every seed of the other.
    Raises ``ValueError`` where the tables have different sets of several seeds, or no person in common.
    """
    design = _Design([a, b])
    mean_a, mean_b = design.means()
    draws_a, draws_b = design.resampled_means(resamples, random_seed)
    person_a, person_b = design.person_means()
    differences = (person_a - person_b)[~np.isnan(person_a - person_b)]
    return Difference(
        mean_a - mean_b, _percentile_interval(draws_a - draws_b), _sign_flip_p_value(differences, random_seed)
    )


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values adjusted for all being looked at together (Holm's step-down method), in the given order."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def rank_ranges(
    means: Mapping[str, float],
    p_values: Mapping[tuple[str, str], float],
    lower_is_better: bool = True,
    significance: float = SIGNIFICANCE,
) -> dict[str, tuple[int, int]]:
    """Return (best, worst) rank of every name, 1 the best, where names that are not told apart may change places.

    ``p_values`` holds the adjusted p-value of a pair's difference, in either order of the two names; a pair that is
    missing is not told apart.
    """

    def told_apart(one: str, other: str) -> bool:
        return min(p_values.get((one, other), 1.0), p_values.get((other, one), 1.0)) < significance

    def is_better(one: str, other: str) -> bool:
        return told_apart(one, other) and (means[one] < means[other]) == lower_is_better

    return {
        name: (
            1 + sum(is_better(other, name) for other in means if other != name),
            len(means) - sum(is_better(name, other) for other in means if other != name),
        )
        for name in means
    }


class _Design:
    """Several tables over the same persons and seeds, as sums and counts of scored values per (person, seed)."""

    def __init__(self, frames: Sequence["pd.DataFrame"]) -> None:
        scored = [frame.loc[frame["value"].notna(), ["person_id", "seed", "value"]] for frame in frames]
        if any(frame.empty for frame in scored):
            raise ValueError("a table without scored rows has no mean")
        people = [set(frame["person_id"]) for frame in scored]
        if not set.intersection(*people):
            raise ValueError("the tables have no person in common")
        self.persons = sorted(set.union(*people))
        self.seeds = _common_seeds(scored)
        self._cells = [self._sums_and_counts(frame) for frame in scored]

    def means(self) -> list[float]:
        return [float(sums.sum() / counts.sum()) for sums, counts in self._cells]

    def person_means(self) -> list[Floats]:
        """One mean a person for each table; NaN for a person without scored rows."""
        with np.errstate(invalid="ignore"):
            return [sums.sum(axis=1) / counts.sum(axis=1) for sums, counts in self._cells]

    def resampled_means(self, resamples: int, random_seed: int) -> list[Floats]:
        """One array of ``resamples`` means for each table; draw i has the same persons and seeds in all of them."""
        # NumPy keeps RandomState's stream for good, that of its newer generators not (NEP 19); a published interval
        # must survive an upgrade.
        state = np.random.RandomState(random_seed)
        person_weights = _multiplicities(state, resamples, len(self.persons))
        seed_weights = _multiplicities(state, resamples, len(self.seeds))
        with np.errstate(invalid="ignore"):
            return [
                _weighted(person_weights, sums, seed_weights) / _weighted(person_weights, counts, seed_weights)
                for sums, counts in self._cells
            ]

    def _sums_and_counts(self, frame: "pd.DataFrame") -> tuple[Floats, Floats]:
        """Arrays (persons, seeds). A table of a single seed counts for each seed of the design alike."""
        person_of_row = np.searchsorted(self.persons, frame["person_id"].to_numpy())
        seeds = sorted(set(frame["seed"]))
        seed_of_row = np.searchsorted(seeds, frame["seed"].to_numpy())
        cell_of_row = person_of_row * len(seeds) + seed_of_row
        shape, cells = (len(self.persons), len(seeds)), len(self.persons) * len(seeds)
        sums = np.bincount(cell_of_row, frame["value"].to_numpy(dtype=np.float64), minlength=cells).reshape(shape)
        counts = np.bincount(cell_of_row, minlength=cells).reshape(shape).astype(np.float64)
        repeats = len(self.seeds) // len(seeds)
        return np.tile(sums, repeats), np.tile(counts, repeats)


def _common_seeds(frames: Sequence["pd.DataFrame"]) -> list[int]:
    sets = {tuple(sorted(set(frame["seed"]))) for frame in frames}
    several = {seeds for seeds in sets if len(seeds) > 1}
    if len(several) > 1:
        raise ValueError(f"the tables have different training seeds: {sorted(several)}")
    return list(several.pop() if several else min(sets))


def _multiplicities(state: np.random.RandomState, resamples: int, size: int) -> Floats:
    """How often each of ``size`` units is drawn in each resample: array (resamples, size), rows sum to ``size``."""
    return state.multinomial(size, np.full(size, 1 / size), size=resamples).astype(np.float64)


def _weighted(person_weights: Floats, cells: Floats, seed_weights: Floats) -> Floats:
    weighted: Floats = ((person_weights @ cells) * seed_weights).sum(axis=1)
    return weighted


def _percentile_interval(draws: Floats) -> Interval:
    # A draw is NaN where chance picked nobody with a scored row; there is no mean of nothing to take part.
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _sign_flip_p_value(differences: Floats, random_seed: int) -> float:
    """How often differences of random sign are at least as far from zero in sum, the observed signs counted in."""
    size = len(differences)
    if 2**size <= SIGN_FLIPS:
        bits = np.arange(2**size)[:, None] >> np.arange(size) & 1
        sums = (1 - 2 * bits) @ differences
    else:
        flips = np.random.RandomState(random_seed).randint(0, 2, size=(SIGN_FLIPS, size))
        sums = np.append((1 - 2 * flips) @ differences, differences.sum())
    # Sums of the same numbers in another order differ in the last bits; they are ties all the same.
    tolerance = 1e-9 * float(np.abs(differences).sum())
    return float(np.mean(np.abs(sums) >= abs(differences.sum()) - tolerance))
