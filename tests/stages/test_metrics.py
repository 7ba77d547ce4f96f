"""From values of single answers to a record's metrics."""

import math

import pandas as pd
import pytest

from bench.stages.metrics import measured_metrics
from evaluators.registry import metric_definitions
from leaderboard.schema import Bootstrap, Measurement

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


def measured(
    own: pd.DataFrame, base: pd.DataFrame, undefended: pd.DataFrame | None
) -> dict[tuple[str, str | None], Measurement]:
    """Metrics by name and scenario."""
    drawn = Bootstrap(resamples=200, seed=0)
    metrics = measured_metrics(own, base, undefended, metric_definitions(), "naive", 3, drawn)
    return {(metric.name, metric.scenario): metric for metric in metrics}


FULL, NONE, HALF = [1.0] * 12, [0.0] * 12, [1.0, 0.0] * 6


def test_means_are_told_overall_and_in_each_scenario() -> None:
    own = pd.concat([values("leakage", FULL), values("leakage", NONE, "home")])
    found = measured(own, values("leakage", NONE), None)
    assert found["leakage", None].value == 0.5
    assert found["leakage", "pet"].value == 1 and found["leakage", "home"].value == 0
    assert found["leakage", None].n_probes == 24 and found["leakage", None].n_persons == 12
    assert found["leakage", None].seeds == [3]


def test_what_could_not_be_scored_is_counted_apart() -> None:
    found = measured(values("leakage", [1.0, math.nan, 0.0, math.nan]), values("leakage", NONE), None)
    metric = found["leakage", None]
    assert (metric.value, metric.n_probes, metric.n_unscored) == (0.5, 2, 2)


def test_a_metric_of_which_nothing_could_be_scored_is_refused() -> None:
    lost = values("leakage", [math.nan] * 12)
    found = measured(lost, values("leakage", NONE), values("leakage", FULL))
    assert found["leakage", None].refusal == "no answer could be scored"
    assert found["normalised", None].value is None


def test_normalised_leakage_lies_between_the_controls() -> None:
    found = measured(values("leakage", HALF), values("leakage", NONE), values("leakage", FULL))
    metric = found["normalised", None]
    assert metric.value == pytest.approx(0.5)
    assert metric.low is not None and metric.high is not None and metric.low < 0.5 < metric.high
    assert found["normalised", "pet"].value == pytest.approx(0.5)


def test_normalised_leakage_is_refused_where_fine_tuning_leaks_nothing() -> None:
    found = measured(values("leakage", HALF), values("leakage", HALF), values("leakage", HALF))
    metric = found["normalised", None]
    assert metric.value is None and metric.refusal


def test_the_base_control_has_no_normalised_leakage() -> None:
    found = measured(values("leakage", HALF), values("leakage", HALF), None)
    assert ("normalised", None) not in found


def test_of_strangers_the_person_counts_by_the_first_portrait() -> None:
    persons = ["s1", "s1", "s2", "s2"]
    own = values("stranger_rate", [1.0, 0.0, 0.0, 1.0], "name", persons)
    metric = measured(own, values("leakage", NONE), None)["stranger_rate", None]
    assert (metric.value, metric.n_probes, metric.n_persons) == (0.5, 2, 2)


def test_unchanged_photos_have_no_signal_to_noise_ratio() -> None:
    found = measured(values("psnr", [100.0] * 12), values("leakage", NONE), None)
    assert found["psnr", None].value is None
    assert found["psnr", None].refusal == "the photos are unchanged"


def test_equal_values_give_equal_intervals() -> None:
    controls = values("leakage", NONE), values("leakage", FULL)
    assert measured(values("leakage", HALF), *controls) == measured(values("leakage", HALF), *controls)
