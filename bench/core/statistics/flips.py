"""Which lines differ: people's answers are exchanged between two lines, under all attacks at once.

Were two defenses equal, nothing would change if any person's answers were given to the other one. A flip does that for
a random half of the people; both maxima over attacks are then looked for anew, so that the choice of the attacker is
inside the test. One matrix of flips serves all pairs, and the largest statistic over all pairs is what each one is
compared with (single-step max-T: Westfall and Young, Resampling-Based Multiple Testing, 1993), so that the chance of
any false difference is 5 % however many lines there are, and nothing is multiplied.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.core.statistics.sums import Floats

FLIPS = 2000
EXACT_UP_TO = 10
SIGNIFICANCE = 0.05
_BLOCK = 64


def draw_flips(people: int, random_seed: int = 0, flips: int = FLIPS) -> NDArray[np.bool_]:
    """Whose answers are exchanged: bool array (flips, people), the first row with nobody's.

    All 2**people ways where there are at most ``EXACT_UP_TO`` people, else ``flips`` seeded ones.
    """
    if people <= EXACT_UP_TO:
        return (np.arange(2**people)[:, None] >> np.arange(people) & 1).astype(np.bool_)
    drawn = np.random.RandomState(random_seed).randint(0, 2, size=(flips, people)).astype(np.bool_)
    return np.concatenate([np.zeros((1, people), dtype=np.bool_), drawn])


def max_t_p_values(excess: Floats, random_seed: int = 0, flips: int = FLIPS) -> Floats:
    """Adjusted two-sided p-values of all pairs' differences in highest excess: symmetric array (lines, lines).

    ``excess``: (lines, attacks, people), each person's mean. A person with a NaN anywhere takes no part; with nobody
    left, or lines that are equal to the last answer, p is 1. The diagonal is 1.
    """
    lines = len(excess)
    p_values = np.ones((lines, lines))
    present = ~np.isnan(excess).any(axis=(0, 1))
    if lines < 2 or not present.any():
        return p_values
    exchanged = draw_flips(int(present.sum()), random_seed, flips)
    statistics, largest = _statistics(excess[:, :, present] / present.sum(), exchanged)
    # Sums of the same numbers in another order differ in the last bits; they are ties all the same.
    ordered = np.sort(largest) + 1e-9
    at_least = len(ordered) - np.searchsorted(ordered, statistics, side="left")
    first, second = np.triu_indices(lines, 1)
    p_values[first, second] = p_values[second, first] = at_least[first, second] / len(ordered)
    return p_values


def rank_ranges(values: Sequence[float], p_values: Floats, significance: float = SIGNIFICANCE) -> list[tuple[int, int]]:
    """(best, worst) rank of every line, 1 for the lowest value; lines that are not told apart may change places.

    ``p_values`` as ``max_t_p_values`` gives them.
    """
    placed = np.asarray(values, dtype=np.float64)
    lower = (placed[:, None] < placed[None, :]) & (p_values < significance)
    better, worse = lower.sum(axis=0), lower.sum(axis=1)
    return [(1 + int(above), len(placed) - int(below)) for above, below in zip(better, worse, strict=True)]


def _statistics(excess: Floats, exchanged: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Each pair's difference by its own deviation over the flips, and the largest over all pairs in each flip."""
    lines = len(excess)
    # What the exchanged people add to each line, and what the others do: (attacks, lines, flips).
    given = np.moveaxis(excess @ exchanged.T.astype(np.float64), 1, 0)
    kept = np.moveaxis(excess @ (~exchanged).T.astype(np.float64), 1, 0)
    statistics, largest = np.zeros((lines, lines)), np.zeros(len(exchanged))
    for one in range(lines - 1):
        for start in range(one + 1, lines, _BLOCK):
            others = slice(start, start + _BLOCK)
            differences = np.abs(
                (kept[:, one, None] + given[:, others]).max(axis=0)
                - (kept[:, others] + given[:, one, None]).max(axis=0)
            )
            deviations = np.sqrt((differences**2).mean(axis=1))
            told = deviations > 1e-12
            differences[told] /= deviations[told, None]
            differences[~told] = 0.0
            statistics[one, others] = differences[:, 0]
            np.maximum(largest, differences.max(axis=0), out=largest)
    return statistics, largest
