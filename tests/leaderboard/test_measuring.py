"""From values of single answers to a record's metrics."""

import math

import numpy as np
import pandas as pd
import pytest
from example_tables import make_photos, make_rows

from bench.core.statistics.intervals import share_interval
from bench.core.statistics.sums import PersonSums
from evaluators.registry import metric_definitions
from leaderboard.measuring import first_portraits, measured_metrics, run_metrics
from leaderboard.schema import Measurement

PEOPLE = [f"p{number}" for number in range(12)]


def values(metric: str, scores: list[float], scenario: str = "pet", persons: list[str] | None = None) -> pd.DataFrame:
    """One value a person, or for the persons given."""
    people = persons or PEOPLE
    return pd.DataFrame(
        {
            "metric": metric,
            "item_id": [f"{metric}-{scenario}-{number}" for number in range(len(scores))],
            "person_id": people[: len(scores)],
            "scenario": scenario,
            "value": scores,
        }
    )


def measured(*own: pd.DataFrame) -> dict[tuple[str, str | None], Measurement]:
    """Metrics by name and scenario."""
    metrics = measured_metrics(pd.concat(own, ignore_index=True), metric_definitions(), "naive", 3)
    return {(metric.name, metric.scenario): metric for metric in metrics}


FULL, NONE, HALF = [1.0] * 12, [0.0] * 12, [1.0, 0.0] * 6


def test_means_are_told_overall_and_in_each_scenario() -> None:
    found = measured(values("leakage", FULL), values("leakage", NONE, "home"))
    assert found["leakage", None].value == 0.5
    assert found["leakage", "pet"].value == 1 and found["leakage", "home"].value == 0
    assert found["leakage", None].n_probes == 24 and found["leakage", None].n_persons == 12
    assert found["leakage", None].seeds == [3]


def test_what_could_not_be_scored_is_counted_apart() -> None:
    metric = measured(values("leakage", [1.0, math.nan, 0.0, math.nan]))["leakage", None]
    assert (metric.value, metric.n_probes, metric.n_unscored, metric.n_persons) == (0.5, 2, 2, 4)


def test_a_metric_of_which_nothing_could_be_scored_is_refused() -> None:
    assert measured(values("leakage", [math.nan] * 12))["leakage", None].refusal == "no answer could be scored"


def test_excess_has_the_interval_of_leakage_moved_by_zero() -> None:
    right = values("leakage", HALF)
    excess = right.assign(metric="excess", item_id=right["item_id"], value=right["value"] - 0.2)
    found = measured(right, excess)
    leakage, beyond = found["leakage", None], found["excess", None]
    assert beyond.value == pytest.approx(0.3)
    assert leakage.low is not None and beyond.low == pytest.approx(leakage.low - 0.2)
    assert found["excess", "pet"].value == beyond.value


def test_of_strangers_the_person_counts_by_the_first_portrait() -> None:
    persons = ["s1", "s1", "s2", "s2"]
    run = first_portraits(values("stranger_rate", [1.0, 0.0, 0.0, 1.0], "name", persons))
    metric = measured(run)["stranger_rate", None]
    assert (metric.value, metric.n_probes, metric.n_persons) == (0.5, 2, 2)
    assert len(first_portraits(values("name_open", [1.0, 0.0, 0.0, 1.0], "name", persons))) == 4


def test_unchanged_photos_have_no_signal_to_noise_ratio() -> None:
    found = measured(values("psnr", [100.0] * 12))
    assert found["psnr", None].value is None
    assert found["psnr", None].refusal == "the photos are unchanged"


def test_a_metric_whose_items_are_no_sample_has_no_interval() -> None:
    metric = measured(values("worst_tenth", [1.0, 0.8]))["worst_tenth", None]
    assert metric.value == 0.9 and metric.low is None


def person_sums(rows: pd.DataFrame) -> PersonSums:
    """Sums and counts by cohort and person, worked out beside the code that is tested."""
    scored = rows.dropna(subset="value").groupby(["cohort", "person_id"])["value"]
    cohorts = [cohort for cohort, _ in scored.sum().index]
    return PersonSums(
        tuple(person for _, person in scored.sum().index),
        np.array([sorted(set(cohorts)).index(cohort) for cohort in cohorts]),
        scored.sum().to_numpy(),
        scored.count().to_numpy(dtype=np.float64),
    )


def test_a_person_of_two_cohorts_is_two_people_whatever_the_order_of_rows() -> None:
    own = values("leakage", HALF).assign(cohort=["a", "b"] * 6)
    again = own.iloc[::-1].assign(item_id=lambda rows: rows["item_id"] + "-again", cohort="a")
    both = pd.concat([own, again], ignore_index=True)
    both.loc[5, "value"] = np.nan
    sums = person_sums(both)
    interval = share_interval(sums)
    for rows in (both, both.sample(frac=1, random_state=1, ignore_index=True)):
        (metric,) = [one for one in measured_metrics(rows, metric_definitions(), "naive", 0) if one.scenario is None]
        assert metric.value == pytest.approx(sums.mean)
        assert (metric.low, metric.high) == pytest.approx((interval.low, interval.high))
        assert metric.n_persons == 12 and metric.n_unscored == 1, "the record counts ids"


def test_equal_values_give_equal_intervals() -> None:
    assert measured(values("leakage", HALF)) == measured(values("leakage", HALF))


def test_a_run_is_measured_from_its_answers_and_the_columns_of_its_photos() -> None:
    rows, photos = make_rows((0.8, 0.9, 0.9), seed=1, people=4), make_photos("noise")
    names = ["image_quality", "leakage"]
    found = {(one.name, one.scenario): one for one in run_metrics(rows, photos, names, "naive", 0)}
    assert found["ssim", None].value == pytest.approx(photos["ssim"].mean())
    assert found["leakage", None].n_probes + found["leakage", None].n_unscored == 4 * 28
    assert {one.name for one in run_metrics(rows, None, names, "naive", 0)} == {
        "leakage", "zero", "excess", "leakage_open",
    }  # fmt: skip
    less = run_metrics(rows, photos.drop(columns="ssim"), names, "naive", 0)
    assert "ssim" not in {one.name for one in less}
