"""From values of single probes and photos to a record's metrics: means over people, with intervals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from bench.core.statistics import normalised_leakage, person_bootstrap
from evaluators.base import Metric
from evaluators.image_quality import PSNR_CEILING
from leaderboard.schema import Bootstrap, Measurement

UNITS = {"share": "fraction"}
"""An evaluator's unit -> the record's; others are the same."""

BY_SCENARIO = ("leakage", "leakage_open", "utility", "utility_open")
"""Metrics that a record also gives for each scenario (or topic) alone."""


def measured_metrics(
    values: pd.DataFrame,
    base: pd.DataFrame,
    undefended: pd.DataFrame | None,
    definitions: Mapping[str, Metric],
    attack: str,
    seed: int,
    bootstrap: Bootstrap,
) -> list[Measurement]:
    """Every metric of a run from its values (columns of ``evaluators.base.VALUE_COLUMNS``) and its controls'.

    ``definitions`` says what is measured, by name. ``undefended`` is None for the base control, which has no normalised
    leakage. A value of NaN counts as unscored.
    """
    measure = _Measure(definitions, attack, seed, bootstrap)
    metrics = [
        metric
        for name in definitions
        for metric in measure.means(name, _first_portraits(name, values[values["metric"] == name]))
    ]
    if undefended is not None:
        metrics += measure.normalised(*(frame[frame["metric"] == "leakage"] for frame in (values, undefended, base)))
    return metrics


def _first_portraits(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """For strangers the person counts, not the photo: the first one of each."""
    return rows.drop_duplicates("person_id") if name == "stranger_rate" else rows


@dataclass(frozen=True)
class _Measure:
    definitions: Mapping[str, Metric]
    attack: str
    seed: int
    bootstrap: Bootstrap

    def means(self, name: str, rows: pd.DataFrame) -> Iterator[Measurement]:
        """The mean over all rows and, for some metrics, in each scenario; nothing where nothing was measured."""
        if rows.empty:
            return
        yield self._mean(name, None, rows)
        if name in BY_SCENARIO:
            for scenario, own in rows.groupby("scenario", sort=True):
                yield self._mean(name, str(scenario), own)

    def _mean(self, name: str, scenario: str | None, rows: pd.DataFrame) -> Measurement:
        declared = self.definitions[name]
        unit = UNITS.get(declared.unit, declared.unit)
        if rows["value"].isna().all():
            return self._metric(name, unit, declared.direction, scenario, rows, refusal="no answer could be scored")
        if name == "psnr" and (rows["value"] >= PSNR_CEILING).all():
            return self._metric(name, unit, declared.direction, scenario, rows, refusal="the photos are unchanged")
        mean, interval = person_bootstrap(self._seeded(rows), self.bootstrap.resamples, self.bootstrap.seed)
        return self._metric(
            name, unit, declared.direction, scenario, rows, value=mean, low=interval.low, high=interval.high
        )

    def normalised(self, defended: pd.DataFrame, undefended: pd.DataFrame, base: pd.DataFrame) -> Iterator[Measurement]:
        """Normalised leakage overall and in each scenario, refused where the controls are not told apart."""
        yield self._normalised(None, defended, undefended, base)
        for scenario in sorted(set(defended["scenario"])):
            yield self._normalised(
                scenario, *(frame[frame["scenario"] == scenario] for frame in (defended, undefended, base))
            )

    def _normalised(
        self, scenario: str | None, defended: pd.DataFrame, undefended: pd.DataFrame, base: pd.DataFrame
    ) -> Measurement:
        if any(frame["value"].isna().all() for frame in (defended, undefended, base)):
            refusal = "no answer of the run or of a control could be scored"
            return self._metric("normalised", "ratio", "down", scenario, defended, refusal=refusal)
        result = normalised_leakage(
            self._seeded(defended),
            self._seeded(undefended),
            self._seeded(base),
            self.bootstrap.resamples,
            self.bootstrap.seed,
        )
        low, high = (result.interval.low, result.interval.high) if result.interval else (None, None)
        return self._metric("normalised", "ratio", "down", scenario, defended, result.value, low, high, result.refusal)

    def _seeded(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[["person_id", "value"]].assign(seed=self.seed)

    def _metric(
        self,
        name: str,
        unit: str,
        direction: str,
        scenario: str | None,
        rows: pd.DataFrame,
        value: float | None = None,
        low: float | None = None,
        high: float | None = None,
        refusal: str | None = None,
    ) -> Measurement:
        unscored = int(rows["value"].isna().sum())
        return Measurement.model_validate(
            {
                "name": name,
                "unit": unit,
                "direction": direction,
                "scenario": scenario,
                "attack": self.attack,
                "value": value,
                "low": low,
                "high": high,
                "n_probes": len(rows) - unscored,
                "n_persons": int(rows["person_id"].nunique()),
                "n_unscored": unscored,
                "seeds": [self.seed],
                "refusal": refusal,
            }
        )
