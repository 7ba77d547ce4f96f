"""How often the intervals cover the truth: people beta-binomial, cohorts and seeds with effects of their own.

    python benchmarks/statistics/coverage.py [--samples 2000]

Prints a line a design: coverage of shares by truth (a bar of .93 up to design effect 3.7 and of .90 at 6.4), and of the
headline ratio and of a maximum over equal attackers (no bar).
"""

import argparse

import numpy as np

from bench.core.statistics.headlines import AttackedLine, Reference, headline, highest_interval
from bench.core.statistics.intervals import share_interval
from bench.core.statistics.resampling import resampled_weights
from bench.core.statistics.sums import PersonSums

TRUTHS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
PEOPLE, PROBES = 20, 28


def people_sums(right: np.ndarray, probes: int = PROBES, people_a_cohort: int | None = None) -> PersonSums:
    """Sums of people with ``right`` of ``probes`` answers each; all in one cohort unless cohorts have a size."""
    names = tuple(f"person-{number:03}" for number in range(len(right)))
    cohorts = np.arange(len(right)) // (people_a_cohort or len(right))
    return PersonSums(names, cohorts, right.astype(np.float64), np.full(len(right), float(probes)))


def beta_binomial(generator: np.random.Generator, truth: float, design_effect: float) -> np.ndarray:
    """How many of ``PROBES`` are right for each of ``PEOPLE``, at that design effect of the probes within people."""
    correlation = (design_effect - 1) / (PROBES - 1)
    if correlation == 0:
        return generator.binomial(PROBES, truth, PEOPLE)
    scale = (1 - correlation) / correlation
    return generator.binomial(PROBES, generator.beta(truth * scale, (1 - truth) * scale, PEOPLE))


def share_coverage(truth: float, design_effect: float, samples: int, seed: int = 0) -> float:
    """Share of samples whose interval holds the truth."""
    generator = np.random.default_rng([seed, int(1000 * truth), int(10 * design_effect)])
    drawn = [people_sums(beta_binomial(generator, truth, design_effect)) for _ in range(samples)]
    return float(np.mean([share_interval(sums).includes(truth) for sums in drawn]))


def cohort_coverage(truth: float, cohorts: int, seeds: int, samples: int, seed: int = 0) -> float:
    """The same for cohorts of 20 people, each trained with ``seeds`` seeds: effects on the logit of .3, .2 and .8."""
    generator = np.random.default_rng([seed, int(1000 * truth), cohorts])
    people, covered = 20, 0
    reference = _expected(truth)
    for _ in range(samples):
        level = reference + generator.normal(0, 0.3, (cohorts, 1, 1)) + generator.normal(0, 0.8, (cohorts, people, 1))
        level = level + generator.normal(0, 0.2, (cohorts, 1, seeds))
        right = generator.binomial(PROBES, 1 / (1 + np.exp(-level))).sum(axis=2).ravel()
        covered += share_interval(people_sums(right, PROBES * seeds, people)).includes(truth)
    return covered / samples


def _expected(truth: float) -> float:
    """The logit whose mean share, over all effects, is the truth."""
    draws = np.random.default_rng(0).normal(0, np.sqrt(0.3**2 + 0.2**2 + 0.8**2), 20_000)
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-middle - draws))).mean() < truth else (low, middle)
    return low


def ratio_coverage(left: float, samples: int, attacks: int = 1, seed: int = 0) -> float:
    """How often a headline's interval covers the truth, where zero is .2, and undefended leakage .7 (all attacks)."""
    generator = np.random.default_rng([seed, int(1000 * left), attacks])
    truth = 0.2 + left * 0.5
    covered = 0
    for _ in range(samples):
        lines = []
        for share in (truth, 0.7):
            levels = generator.beta(share * 6, (1 - share) * 6, PEOPLE)
            drawn = [people_sums(generator.binomial(PROBES, levels)) for _ in range(attacks)]
            lines.append(AttackedLine(tuple(_excess(one) for one in drawn), tuple(drawn)))
        told = headline(lines[0], Reference.of(lines[1], 1000))
        covered += told.interval is not None and told.interval.includes(left)
    return covered / samples


def maximum(attacks: int, samples: int, seed: int = 0) -> tuple[float, float]:
    """How far a maximum over equal attackers lies above the truth (.5) on average, and how often it is covered."""
    generator = np.random.default_rng([seed, attacks])
    found, covered = [], 0
    for _ in range(samples):
        levels = generator.beta(3, 3, PEOPLE)
        drawn = tuple(people_sums(generator.binomial(PROBES, levels)) for _ in range(attacks))
        line = AttackedLine(drawn, drawn)
        found.append(line.highest - levels.mean())
        weights = resampled_weights(drawn[0].cohort_of, 1000, 0)
        covered += highest_interval(line, weights).includes(0.5)
    return float(np.mean(found)), covered / samples


def _excess(leakage: PersonSums) -> PersonSums:
    return PersonSums(leakage.persons, leakage.cohort_of, leakage.sums - 0.2 * leakage.counts, leakage.counts)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    samples = parser.parse_args().samples
    print("share, 20 people x 28 probes; columns: truth", *(f"{truth:>5}" for truth in TRUTHS))
    for design_effect in (1.0, 2.0, 3.7, 6.4, 11.0):
        covered = [share_coverage(truth, design_effect, samples) for truth in TRUTHS]
        print(f"  design effect {design_effect:>4}", *(f"{one:.3f}" for one in covered), f"lowest {min(covered):.3f}")
    for truth in (0.05, 0.2, 0.5, 0.9):
        print(f"share, 5 cohorts x 20 people x 3 seeds, truth {truth}: {cohort_coverage(truth, 5, 3, samples):.3f}")
    few = max(100, samples // 10)
    for left in (0.0, 0.1, 0.5, 1.0):
        print(
            f"headline, truth {left}: {ratio_coverage(left, few):.3f}; 2 attackers {ratio_coverage(left, few, 2):.3f}"
        )
    for attacks in (1, 2, 12):
        above, covered_maximum = maximum(attacks, few)
        print(f"maximum of {attacks} equal attackers: {above:+.3f} on average, covered {covered_maximum:.3f}")


if __name__ == "__main__":
    main()
