"""Accuracy on the training photos themselves: tells overfitting on protected photos from a broken model."""

import pandas as pd

from evaluators.base import Evaluator, Metric, choice_values
from evaluators.registry import evaluators
from scenarios.schema import NAME_SCENARIO


@evaluators.register("membership")
class Membership(Evaluator):
    """One value for each fact probe on a training photo, as it was and as it was protected."""

    subject = "answers"
    metrics = (
        Metric("member_clean", "share", "none", "Fact probes on clean training photos that are answered right."),
        Metric("member_protected", "share", "none", "Fact probes on protected training photos answered right."),
    )

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Score member fact probes by forced choice, one metric a view."""
        facts = rows[(rows["kind"] == "member") & (rows["scenario"] != NAME_SCENARIO)]
        by_view = [choice_values(f"member_{view}", facts[facts["view"] == view]) for view in ("clean", "protected")]
        return pd.concat(by_view, ignore_index=True)
