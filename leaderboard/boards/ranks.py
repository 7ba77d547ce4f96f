"""Which defenses can be told apart, from each other and from none, and what the ranks may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.statistics.flips import max_t_p_values, rank_ranges
from bench.core.statistics.headlines import AttackedLine
from bench.core.statistics.sums import COHORTS_FOR_INTERVALS, Floats

SEEDS_FOR_RANKS = 3
PEOPLE_FOR_RANKS = 100
COHORTS_FOR_RANKS = COHORTS_FOR_INTERVALS


@dataclass(frozen=True)
class Comparisons:
    """Ranks of the defenses in their order, and the adjusted p-value of each one's difference to undefended."""

    ranks: tuple[tuple[int, int], ...]
    p_undefended: tuple[float, ...]


def compare(defended: Sequence[AttackedLine], undefended: AttackedLine, random_seed: int) -> Comparisons:
    """Test all pairs of defenses, and each defense against none, as one family (``bench.core.statistics.flips``).

    Defenses that met another number of attacks than the undefended line take no part; the caller leaves them out.
    """
    excess = np.stack([_person_means(line) for line in (undefended, *defended)])
    p_values = max_t_p_values(excess, random_seed)
    return Comparisons(
        tuple(rank_ranges([line.highest for line in defended], p_values[1:, 1:])),
        tuple(float(value) for value in p_values[0, 1:]),
    )


def unranked_because(seeds: int, people: int, cohorts: int) -> str:
    """Why a board of such a size gives no ranks; empty where it does."""
    needed = ((seeds, SEEDS_FOR_RANKS, "training seed"), (people, PEOPLE_FOR_RANKS, "person"))
    lacking = [_lack(has, needs, what) for has, needs, what in (*needed, (cohorts, COHORTS_FOR_RANKS, "cohort"))]
    told = [one for one in lacking if one]
    return f"Ranks need more: {', '.join(told)}." if told else ""


def _lack(has: int, needs: int, what: str) -> str:
    plural = {"person": "people"}.get(what, f"{what}s")
    return "" if has >= needs else f"{has} {what if has == 1 else plural} of {needs}"


def _person_means(line: AttackedLine) -> Floats:
    """Each person's mean excess under each attack: array (attacks, people)."""
    return np.stack([one.person_means for one in line.excess])
