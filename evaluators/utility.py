"""Utility: what anyone can see is still told rightly, so that a broken model is no defense."""

import pandas as pd

from evaluators.base import Evaluator, Metric, choice_values, open_values
from evaluators.registry import evaluators


@evaluators.register("utility")
class Utility(Evaluator):
    """One value for each question whose answer is visible in a photo of somebody on whom nothing was trained."""

    subject = "answers"
    metrics = (
        Metric("utility", "share", "up", "Visible-attribute probes whose likeliest option is right."),
        Metric("utility_open", "share", "up", "Visible-attribute probes whose open answer is right."),
    )

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Score utility probes by forced choice and by open answer."""
        visible = rows[rows["kind"] == "utility"]
        return pd.concat([choice_values("utility", visible), open_values("utility_open", visible)], ignore_index=True)
