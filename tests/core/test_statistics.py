"""Statistics: against hand-computed values, SciPy, and designs whose answer is known."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats  # type: ignore[import-untyped]

from bench.core.statistics import (
    Interval,
    Normalised,
    holm,
    normalised_leakage,
    paired_difference,
    person_bootstrap,
    rank_ranges,
)


def table(values: np.ndarray | list[list[float]], seeds: tuple[int, ...] = (0,)) -> pd.DataFrame:
    """One row for each entry of ``values`` (persons, rows a person) and each seed."""
    rows = [
        (f"person-{person:03}", seed, value)
        for seed in seeds
        for person, row in enumerate(np.asarray(values, dtype=float))
        for value in row
    ]
    return pd.DataFrame(rows, columns=["person_id", "seed", "value"])


def answers(rate: float, persons: int = 20, probes: int = 7, random_seed: int = 0) -> np.ndarray:
    """Right (1) and wrong (0) answers, array (persons, probes), at a rate that varies between persons."""
    generator = np.random.default_rng(random_seed)
    rates = np.clip(rate + generator.normal(0, 0.1, persons), 0, 1)
    return (generator.random((persons, probes)) < rates[:, None]).astype(float)


def test_the_interval_agrees_with_scipy_over_persons() -> None:
    values = answers(0.6)
    mean, interval = person_bootstrap(table(values), resamples=20_000)
    reference = stats.bootstrap(
        (values.mean(axis=1),), np.mean, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    assert mean == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx((reference.low, reference.high), abs=0.01)


def test_the_person_is_the_unit_not_the_probe() -> None:
    persons_agree = np.repeat([[0.0], [1.0]] * 10, 50, axis=1)
    _, interval = person_bootstrap(table(persons_agree))
    _, as_if_independent = person_bootstrap(table(persons_agree.reshape(-1, 1)))
    assert interval.high - interval.low > 5 * (as_if_independent.high - as_if_independent.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = [
        person_bootstrap(table(answers(0.5, persons=40, random_seed=seed)), resamples=400)[1].includes(0.5)
        for seed in range(200)
    ]
    assert 0.88 <= np.mean(covered) <= 0.99


def test_training_seeds_are_resampled_for_all_persons_together() -> None:
    # Three training runs, of which one failed: whoever is drawn, the mean is 0, 1/3, 2/3 or 1 of the runs drawn.
    runs = pd.concat([table(np.full((30, 4), value), seeds=(seed,)) for seed, value in enumerate([1.0, 1.0, 0.0])])
    mean, interval = person_bootstrap(runs)
    assert mean == pytest.approx(2 / 3)
    assert (interval.low, interval.high) == pytest.approx((0, 1))


def test_equal_rows_give_equal_intervals_in_any_order_and_another_seed_others() -> None:
    rows = table(answers(0.4), seeds=(0, 1, 2))
    first = person_bootstrap(rows)
    assert person_bootstrap(rows.sample(frac=1, random_state=3).reset_index(drop=True)) == first
    assert person_bootstrap(rows, random_seed=1) != first


def test_the_stream_is_pinned_because_published_intervals_rest_on_it() -> None:
    assert person_bootstrap(table(np.arange(20.0).reshape(10, 2))) == (9.5, Interval(6.1, 13.1))


def test_unscored_rows_do_not_count() -> None:
    values = np.array([[1.0, np.nan], [1.0, 0.0], [np.nan, np.nan]])
    assert person_bootstrap(table(values))[0] == pytest.approx(2 / 3)
    truth_values = table([[1], [0]]).assign(value=pd.Series([True, None], dtype=object))
    assert person_bootstrap(truth_values) == (1.0, Interval(1.0, 1.0))


def test_a_table_without_scored_rows_is_refused() -> None:
    for rows in (table([[1.0]]).iloc[:0], table([[np.nan]])):
        with pytest.raises(ValueError, match="without scored rows"):
            person_bootstrap(rows)


def test_normalised_leakage_is_zero_at_base_and_one_at_undefended() -> None:
    undefended, base = table(answers(0.8)), table(answers(0.2, random_seed=1))
    assert normalised_leakage(undefended, undefended, base) == Normalised(1.0, Interval(1.0, 1.0), None)
    assert normalised_leakage(base, undefended, base) == Normalised(0.0, Interval(0.0, 0.0), None)


def test_normalised_leakage_by_hand() -> None:
    base, undefended = np.full((20, 10), 0.2), np.full((20, 10), 0.7)
    defended = np.repeat([[0.2], [0.4]] * 10, 10, axis=1)
    result = normalised_leakage(table(defended), table(undefended), table(base))
    assert result.value == pytest.approx(0.2)
    _, interval = person_bootstrap(table(defended))
    assert result.interval is not None
    assert result.interval.low == pytest.approx((interval.low - 0.2) / 0.5)
    assert result.interval.high == pytest.approx((interval.high - 0.2) / 0.5)


def test_the_same_persons_are_resampled_in_all_three_tables() -> None:
    # Persons differ widely, but each is normalised to one half: only unpaired resampling would give this a width.
    scale = np.linspace(0.1, 1, 20)[:, None]
    result = normalised_leakage(table(0.5 * scale), table(scale), table(0 * scale))
    assert result.interval is not None
    assert (result.value, result.interval.low, result.interval.high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize("undefended_rate", [0.05, 0.2])
def test_normalised_leakage_is_refused_without_a_gap_above_zero(undefended_rate: float) -> None:
    undefended, base = table(answers(undefended_rate, random_seed=2)), table(answers(0.2, random_seed=1))
    result = normalised_leakage(undefended, undefended, base)
    assert (result.value, result.interval) == (None, None)
    assert result.refusal is not None
    assert "nothing to normalise by" in result.refusal


def test_normalised_leakage_is_refused_for_one_person() -> None:
    result = normalised_leakage(table([[1.0]]), table([[1.0]]), table([[0.0]]))
    assert result == Normalised(None, None, "Normalised leakage needs at least two people.")


def test_a_base_model_without_training_seeds_is_compared_with_every_seed() -> None:
    undefended = table(answers(0.8), seeds=(0, 1, 2))
    base = answers(0.2, random_seed=1)
    once = normalised_leakage(undefended, undefended, table(base))
    assert once == normalised_leakage(undefended, undefended, table(base, seeds=(0, 1, 2)))
    assert once.value == 1.0


def test_tables_that_cannot_be_compared_are_refused() -> None:
    rows = table(answers(0.5), seeds=(0, 1))
    with pytest.raises(ValueError, match="different training seeds"):
        paired_difference(rows, rows.assign(seed=rows["seed"] + 1))
    with pytest.raises(ValueError, match="no person in common"):
        paired_difference(rows, rows.assign(person_id="other-" + rows["person_id"]))


def test_a_paired_difference_agrees_with_scipy() -> None:
    a, b = answers(0.55, persons=60), answers(0.45, persons=60, random_seed=1)
    mean, interval, p_value = paired_difference(table(a), table(b))
    person_a, person_b = a.mean(axis=1), b.mean(axis=1)
    reference = stats.permutation_test(
        (person_a, person_b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=1,
    )
    assert mean == pytest.approx(a.mean() - b.mean())
    assert 0.001 < reference.pvalue < 0.5, "the comparison says little at the ends"
    assert p_value == pytest.approx(reference.pvalue, abs=0.02)
    _, of_differences = person_bootstrap(table((person_a - person_b)[:, None]))
    assert (interval.low, interval.high) == pytest.approx((of_differences.low, of_differences.high))


def test_the_p_value_of_few_persons_is_exact() -> None:
    a, b = table([[1.0]] * 5), table([[0.0]] * 5)
    assert paired_difference(a, b).p_value == 2 / 2**5
    assert paired_difference(a, a).p_value == 1.0
    assert paired_difference(table([[0.3], [0.1], [0.0]]), table([[0.0], [0.0], [0.2]])).p_value == 6 / 8


def test_a_paired_difference_has_a_sign_and_repeats() -> None:
    a, b = table(answers(0.7, persons=30)), table(answers(0.4, persons=30, random_seed=1))
    forward, backward = paired_difference(a, b), paired_difference(b, a)
    assert forward == paired_difference(a, b)
    assert forward.mean == -backward.mean > 0
    assert forward.p_value == backward.p_value < 0.01
    assert forward.interval.low == pytest.approx(-backward.interval.high)


def test_holm_by_hand() -> None:
    # 0.01 x 4, 0.02 x 3, then 0.03 x 2 = 0.06, and 0.04 x 1 raised to 0.06: never below a smaller one.
    adjusted = holm({"d": 0.04, "a": 0.01, "c": 0.03, "b": 0.02})
    assert list(adjusted) == ["d", "a", "c", "b"]
    assert adjusted == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_ranks_are_ranges_where_methods_are_not_told_apart() -> None:
    means = {"dp2vl": 0.1, "blur": 0.5, "noise": 0.9, "none": 0.92}
    apart = {("dp2vl", "blur"): 0.01, ("noise", "dp2vl"): 0.001, ("dp2vl", "none"): 0.001, ("none", "blur"): 0.04}
    assert rank_ranges(means, apart) == {"dp2vl": (1, 1), "blur": (2, 3), "noise": (2, 4), "none": (3, 4)}
    assert rank_ranges(means, apart, lower_is_better=False)["dp2vl"] == (4, 4)
    assert rank_ranges(means, {}) == dict.fromkeys(means, (1, 4))
    assert rank_ranges(means, {("dp2vl", "blur"): 0.05})["dp2vl"] == (1, 4), "0.05 is not below 0.05"


@pytest.mark.parametrize("compute", [person_bootstrap, lambda rows: normalised_leakage(rows, rows, rows)])
def test_a_hundred_persons_take_no_time(compute: Callable[[pd.DataFrame], object]) -> None:
    rows = table(answers(0.6, persons=100, probes=28), seeds=(0, 1, 2))
    start = time.process_time()
    compute(rows)
    assert time.process_time() - start < 2, "a loop over resamples in Python takes minutes"
