"""Ranks of the defenses, as ranges where a difference could be chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import pandas as pd

from bench.core.statistics import holm, paired_difference, rank_ranges
from leaderboard.runs import RecordedRun


def rank_defenses(
    means: Mapping[str, float], runs: Mapping[str, Sequence[RecordedRun]], leakages: Mapping[str, float]
) -> dict[str, tuple[int, int]]:
    """The best and the worst rank that each defense may hold; lower means rank first.

    ``means``: worst-case normalised leakage by defense; ``runs``: the runs behind it, one a training seed;
    ``leakages``: leakage by run digest, for the controls. Two defenses differ where a paired test over the persons
    asked in both is significant at 0.05 after Holm's correction over all pairs.
    """
    samples = {name: _Sample(pd.concat([_normalised_answers(run, leakages) for run in runs[name]])) for name in means}
    pairs = list(combinations(sorted(means), 2))
    p_values = holm({str(place): _p_value(samples[a], samples[b]) for place, (a, b) in enumerate(pairs)})
    return rank_ranges(means, {pair: p_values[str(place)] for place, pair in enumerate(pairs)})


@dataclass(frozen=True)
class _Sample:
    """Scored answers on the normalised scale, and which question each answers."""

    answers: pd.DataFrame

    @cached_property
    def questions(self) -> list[tuple[str, str, int]]:
        columns = [self.answers[name].tolist() for name in ("item_id", "person_id", "seed")]
        return list(zip(*columns, strict=True))

    def restricted(self, questions: set[tuple[str, str, int]]) -> pd.DataFrame:
        return self.answers.loc[[one in questions for one in self.questions]]


def _normalised_answers(run: RecordedRun, leakages: Mapping[str, float]) -> pd.DataFrame:
    """One row a scored answer on the normalised scale, as two worst cases may have different attackers."""
    controls = run.record.controls
    base, undefended = leakages[str(controls.base)], leakages[str(controls.undefended)]
    scored = run.leakage.dropna(subset="value")
    return scored.assign(value=(scored["value"] - base) / (undefended - base))


def _p_value(a: _Sample, b: _Sample) -> float:
    """Of the questions that both were asked; 1 where there are none, which tells nothing apart."""
    shared = {*a.questions}.intersection(b.questions)
    if not shared:
        return 1.0
    # The test draws no resamples, and nobody asks for the interval here.
    return paired_difference(a.restricted(shared), b.restricted(shared), resamples=1).p_value
