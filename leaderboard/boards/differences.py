"""Does a defense lower leakage at all? Each against the undefended control, over the same persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.core.statistics import holm, paired_difference
from leaderboard.figures import Figure
from leaderboard.runs import RecordedRun


@dataclass(frozen=True)
class Comparison:
    """Leakage of a defense minus that of the undefended control under the same attacker, and its adjusted p-value."""

    difference: Figure
    p_value: float

    @property
    def p_text(self) -> str:
        """The p-value as the page prints it."""
        return "< 0.001" if self.p_value < 0.001 else f"{self.p_value:.3f}"


def compare_to_undefended(
    runs: Mapping[str, Sequence[RecordedRun]], by_digest: Mapping[str, RecordedRun]
) -> dict[str, Comparison]:
    """One comparison a defense; p-values are adjusted by Holm's method for all defenses being tested together.

    ``runs``: the runs of each defense under its worst attacker, one a training seed; ``by_digest``: where their
    controls are found. A person's answers under a defense are paired with that person's answers without one; a
    defense that shares no person with its control has no comparison.
    """
    found = {}
    for name, defended in runs.items():
        controls = dict.fromkeys(str(run.record.controls.undefended) for run in defended)
        own = pd.concat([run.leakage for run in defended]).dropna(subset="value")
        without = pd.concat([by_digest[control].leakage for control in controls]).dropna(subset="value")
        if not set(own["person_id"]).isdisjoint(without["person_id"]):
            bootstrap = defended[0].record.spec.bootstrap
            found[name] = paired_difference(own, without, bootstrap.resamples, bootstrap.seed)
    adjusted = holm({name: one.p_value for name, one in found.items()})
    return {
        name: Comparison(Figure(one.mean, one.interval.low, one.interval.high), adjusted[name])
        for name, one in found.items()
    }
