"""Recognition: the name is told from a new photo, rightly of a person or wrongly of a stranger."""

import numpy as np
import pandas as pd

from evaluators.base import Evaluator, Metric, open_values
from evaluators.registry import evaluators
from scenarios.schema import NAME_SCENARIO


@evaluators.register("recognition")
class Recognition(Evaluator):
    """One value for each question for the name, on held-out photos and on strangers."""

    subject = "answers"
    metrics = (
        Metric("name_open", "share", "down", "Held-out photos whose open answer names the person and nobody else."),
        Metric(
            "stranger_rate",
            "share",
            "none",
            "Photos of strangers that are given one trained person's name; a record counts each stranger's first.",
        ),
    )

    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Score name questions: right names of held-out people, and any trained name given to a stranger."""
        names = rows[rows["scenario"] == NAME_SCENARIO]
        strangers = names[names["kind"] == "stranger"]
        attributed = strangers.assign(attributed=strangers["named_person"].astype(str).to_numpy() != np.array(""))
        return pd.concat(
            [
                open_values("name_open", names[names["kind"] == "held_out"]),
                open_values("stranger_rate", attributed, "attributed"),
            ],
            ignore_index=True,
        )
