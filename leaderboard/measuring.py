"""From values of single answers, people and photos to a record's metrics: means over people, with intervals.

The same function makes a record and checks one that is read, so that no record can hold other numbers than its rows do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.core.statistics.intervals import Interval, excess_interval, mean_interval, share_interval
from bench.core.statistics.sums import Floats, Integers, PersonSums
from evaluators.base import Metric, value_rows
from evaluators.image_quality import PSNR_CEILING
from evaluators.registry import evaluators, measure_all, metric_definitions
from leaderboard.schema import Measurement

UNITS = {"share": "fraction"}
"""An evaluator's unit -> the record's; others are the same."""

BY_SCENARIO = ("leakage", "zero", "excess", "leakage_open", "utility", "utility_open")
"""Metrics that a record also gives for each scenario (or topic) alone."""


def run_metrics(
    rows: pd.DataFrame, photos: pd.DataFrame | None, names: Sequence[str], attack: str, seed: int
) -> list[Measurement]:
    """Every metric of a run by the evaluators of these names, from its answers and the table of its photos, if any."""
    return measured_metrics(run_values(rows, photos, names), metric_definitions(names), attack, seed)


def run_values(rows: pd.DataFrame, photos: pd.DataFrame | None, names: Sequence[str]) -> pd.DataFrame:
    """The values of a run: those of its answers, and those that stand in the columns of its photos' table."""
    values = [measure_all(rows, "answers", names)]
    if photos is not None:
        values += [value_rows(name, photos, "pair_id", photos[name]) for name in _photo_metrics(names, photos)]
    filled = [one for one in values if len(one)]
    return first_portraits(pd.concat(filled, ignore_index=True) if filled else values[0])


def first_portraits(values: pd.DataFrame) -> pd.DataFrame:
    """For strangers the person counts, not the photo: the first one of each in this run."""
    of_strangers = (values["metric"] == "stranger_rate").to_numpy()
    later = of_strangers & values.duplicated(["metric", "person_id"]).to_numpy()
    return values.loc[~later].reset_index(drop=True) if later.any() else values


def _photo_metrics(names: Sequence[str], photos: pd.DataFrame) -> list[str]:
    """The metrics that these evaluators of photos declare and that the table has."""
    kinds = [evaluators.get(name) for name in sorted(names)]
    declared = [metric.name for kind in kinds if kind.subject == "photos" for metric in kind.metrics]
    return [name for name in declared if name in photos]


def measured_metrics(
    values: pd.DataFrame, definitions: Mapping[str, Metric], attack: str, seed: int
) -> list[Measurement]:
    """Every metric of a run from its values (columns of ``evaluators.base.VALUE_COLUMNS``).

    ``definitions`` says what is measured, by name. A value of NaN counts as unscored. Headlines are no metrics of a
    run: they rest on the other runs of its suite, and are computed from records (``leaderboard.boards``).
    """
    by_name = _by_name(values)
    metrics = []
    for name, declared in definitions.items():
        for scenario, parts in _parts(name, by_name):
            measured = _measured(declared, parts)
            metrics.append(_measurement(declared, scenario, parts[name], measured, attack, seed))
    return metrics


@dataclass(frozen=True)
class _Values:
    """Values of one metric, a column at a time. ``who`` numbers people, those of all cohorts and metrics."""

    people: Sequence[tuple[str, str]]
    who: Integers
    scenario: npt.NDArray[np.object_]
    value: Floats

    def at(self, places: Integers) -> "_Values":
        """Those at some places."""
        return _Values(self.people, self.who[places], self.scenario[places], self.value[places])

    def in_scenario(self, scenario: str) -> "_Values":
        """Those of one scenario."""
        return self.at(np.flatnonzero(self.scenario == scenario))

    @property
    def ids(self) -> list[str]:
        """The person of each."""
        return [self.people[number][1] for number in self.who.tolist()]

    @property
    def sums(self) -> PersonSums:
        """Added up by person; an id in two cohorts is two people."""
        size, scored = len(self.people), ~np.isnan(self.value)
        there = np.flatnonzero(np.bincount(self.who, minlength=size))
        own = [self.people[number] for number in there.tolist()]
        cohorts = {cohort: number for number, cohort in enumerate(sorted({cohort for cohort, _ in own}))}
        return PersonSums(
            tuple(person for _, person in own),
            np.array([cohorts[cohort] for cohort, _ in own], dtype=np.int64),
            np.bincount(self.who[scored], self.value[scored], minlength=size)[there].astype(np.float64),
            np.bincount(self.who[scored], minlength=size)[there].astype(np.float64),
        )


def _by_name(values: pd.DataFrame) -> dict[str, _Values]:
    """The values of each metric, people numbered once for all: a run has dozens of metrics and parts of metrics."""
    ids, persons = pd.factorize(values["person_id"].to_numpy(dtype=object))
    told = (
        values["cohort"].to_numpy(dtype=object) if "cohort" in values.columns else np.full(len(ids), "", dtype=object)
    )
    places, cohorts = pd.factorize(told)
    pairs, who = np.unique(places * len(persons) + ids, return_inverse=True)
    named = [(str(cohorts[pair // len(persons)]), str(persons[pair % len(persons)])) for pair in pairs.tolist()]
    order = sorted(range(len(named)), key=named.__getitem__)
    rank = np.empty(len(named), dtype=np.int64)
    rank[order] = np.arange(len(named))
    every = _Values(
        [named[place] for place in order],
        rank[who],
        values["scenario"].to_numpy(dtype=object),
        values["value"].to_numpy(dtype=np.float64),
    )
    metrics, names = pd.factorize(values["metric"].to_numpy(dtype=object))
    return {str(name): every.at(np.flatnonzero(metrics == number)) for number, name in enumerate(names)}


def _parts(name: str, by_name: Mapping[str, _Values]) -> Iterator[tuple[str | None, dict[str, _Values]]]:
    """The metric's values, with those of leakage for an excess: all of them and, for some metrics, by scenario."""
    needed = {one: by_name[one] for one in dict.fromkeys((name, *_BESIDE.get(name, ()))) if one in by_name}
    if name not in needed:
        return
    yield None, needed
    if name in BY_SCENARIO:
        for scenario in sorted(set(needed[name].scenario.tolist())):
            yield str(scenario), {one: own.in_scenario(scenario) for one, own in needed.items()}


_BESIDE = {"excess": ("leakage",)}


def _measured(declared: Metric, parts: Mapping[str, _Values]) -> tuple[float, Interval | None] | str:
    """Mean and interval of the metric, or the sentence that says why there is none."""
    value = parts[declared.name].value
    if np.isnan(value).all():
        return "no answer could be scored"
    if declared.name == "psnr" and (value >= PSNR_CEILING).all():
        return "the photos are unchanged"
    sums = parts[declared.name].sums
    if not declared.interval:
        return sums.mean, None
    if declared.name == "excess":
        return sums.mean, excess_interval(sums, parts["leakage"].sums)
    return sums.mean, share_interval(sums) if declared.unit == "share" else mean_interval(sums)


def _measurement(
    declared: Metric,
    scenario: str | None,
    values: _Values,
    measured: tuple[float, Interval | None] | str,
    attack: str,
    seed: int,
) -> Measurement:
    value, interval = (None, None) if isinstance(measured, str) else measured
    unscored = int(np.isnan(values.value).sum())
    return Measurement(
        name=declared.name,
        unit=UNITS.get(declared.unit, declared.unit),
        direction=declared.direction,
        scenario=scenario,
        attack=attack,
        value=value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n_probes=len(values.value) - unscored,
        n_persons=len(set(values.ids)),
        n_unscored=unscored,
        seeds=[seed],
        refusal=measured if isinstance(measured, str) else None,
    )
