"""Power: the difference that is promised to be found is found in 80 % of simulated studies."""

from dataclasses import replace

import numpy as np
import pytest

from bench.core.statistics.flips import max_t_p_values
from bench.core.statistics.power import Design, VarianceComponents, detectable_difference

COMPONENTS = VarianceComponents(0.04, None, None, attack_correlation=0.6, line_correlation=0.3)


def found(design: Design, components: VarianceComponents, difference: float, studies: int = 300) -> float:
    """How often two defenses of that difference are told apart, with people drawn by the components."""
    generator = np.random.default_rng(1)
    across, lines = components.attack_correlation, components.line_correlation
    scale = np.sqrt(components.people / (2 * (1 - lines)))
    told = 0
    for _ in range(studies):
        shape = (2, design.attacks, design.people)
        parts = ((across * lines, (1, 1)), (across * (1 - lines), (2, 1)), ((1 - across) * lines, (1, design.attacks)))
        excess = np.sqrt((1 - across) * (1 - lines)) * generator.standard_normal(shape)
        for part, (one, other) in parts:
            excess = excess + np.sqrt(part) * generator.standard_normal((one, other, design.people))
        excess = scale * excess
        excess[1] += difference
        told += max_t_p_values(excess, flips=400)[0, 1] < 0.05
    return told / studies


@pytest.mark.parametrize("attacks", [1, 4])
def test_the_promised_difference_is_found_in_four_of_five_studies(attacks: int) -> None:
    design = Design(people=40, attacks=attacks)
    promised = detectable_difference(design, COMPONENTS).difference
    assert 0.7 < found(design, COMPONENTS, promised) < 0.9
    assert found(design, COMPONENTS, promised / 2) < 0.5


def test_one_attack_by_hand() -> None:
    error = np.sqrt(0.04 / 100)
    told = detectable_difference(Design(people=100), COMPONENTS)
    assert told.error == pytest.approx(error, rel=0.02)
    assert told.difference == pytest.approx((1.984 + 0.845) * error, rel=0.02)
    assert told.above == pytest.approx(0, abs=error / 20)


def test_a_maximum_over_twelve_attacks_is_too_high() -> None:
    one, twelve = (detectable_difference(Design(20, attacks=k), COMPONENTS) for k in (1, 12))
    assert twelve.above > 3 * abs(one.above) and twelve.above > 0.01


def test_more_people_cohorts_and_seeds_each_help() -> None:
    known = replace(COMPONENTS, cohorts=0.002, runs=0.004)
    by_people = [detectable_difference(Design(people), known).difference for people in (20, 100)]
    by_cohorts = [detectable_difference(Design(200, cohorts, 1), known).difference for cohorts in (5, 20)]
    by_seeds = [detectable_difference(Design(200, 5, seeds), known).difference for seeds in (1, 8)]
    for less, more in (by_people, by_cohorts, by_seeds):
        assert more < less


def test_cohorts_count_only_where_they_are_the_unit() -> None:
    known = replace(COMPONENTS, cohorts=0.05, runs=0.05)
    assert detectable_difference(Design(80, 4), known) == detectable_difference(Design(80, 1), COMPONENTS)
    assert (
        detectable_difference(Design(80, 5), known).difference > detectable_difference(Design(80, 4), known).difference
    )


def test_one_person_is_no_design() -> None:
    with pytest.raises(ValueError, match="at least two people"):
        detectable_difference(Design(1), COMPONENTS)
