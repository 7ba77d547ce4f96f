"""How long ranks take, how many can be told apart, and how often equal defenses are.

    python benchmarks/statistics/ranks.py [--simulations 500]

Bars: 60 evenly separated defenses of 20 people x 28 probes get 60 single ranks, 100 with 280 probes; 100 equal ones
share one range in .93 of 500 simulations; 200 defenses x 12 attacks x 3 targets within 30 s on two cores.
"""

import argparse
import time

import numpy as np

from bench.core.statistics.flips import max_t_p_values, rank_ranges


def single_ranks(defenses: int, probes: int) -> int:
    """How many of evenly separated defenses have a rank of their own."""
    level = np.arange(defenses)[:, None] / (defenses - 1) * probes
    excess = (np.floor(level + (np.arange(20) + 0.5) / 20) / probes)[:, None, :]
    ranges = rank_ranges(excess.mean(axis=(1, 2)).tolist(), max_t_p_values(excess))
    return sum(best == worst for best, worst in ranges)


def one_range(share: float, differ: bool, simulations: int) -> float:
    """How often 100 equal defenses share all ranks."""
    generator = np.random.default_rng(7)
    together = 0
    for _ in range(simulations):
        people = generator.beta(3 * share, 3 * (1 - share), 20) if differ else np.full(20, share)
        excess = (generator.binomial(28, np.tile(people, (100, 1))) / 28)[:, None, :]
        together += bool((max_t_p_values(excess) >= 0.05).all())
    return together / simulations


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    simulations = parser.parse_args().simulations
    print(f"60 defenses, 28 probes: {single_ranks(60, 28)} single ranks; 100, 280 probes: {single_ranks(100, 280)}")
    excess = np.random.default_rng(0).random((201, 12, 100))
    began = time.perf_counter()
    for _ in range(3):
        max_t_p_values(excess)
    print(f"200 defenses x 12 attacks x 3 targets, 100 people: {time.perf_counter() - began:.1f} s")
    for share, differ in ((0.5, False), (0.3, True), (0.03, False), (0.03, True)):
        told = "people differ" if differ else "people alike"
        print(f"100 equal defenses, leakage {share}, {told}: one range in {one_range(share, differ, simulations):.3f}")


if __name__ == "__main__":
    main()
