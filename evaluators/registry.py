"""Every evaluator by name, and all of them run at once."""

from typing import Literal

import pandas as pd

from bench.core.errors import UsageError
from bench.core.registry import Registry
from evaluators.base import VALUE_COLUMNS, Evaluator, Metric

evaluators: Registry[type[Evaluator]] = Registry(
    "evaluator",
    "veilbench.evaluators",
    (
        "evaluators.leakage",
        "evaluators.membership",
        "evaluators.recognition",
        "evaluators.utility",
        "evaluators.image_quality",
    ),
)


def metric_definitions() -> dict[str, Metric]:
    """Every metric that any evaluator declares, by name; ``UsageError`` where two declare the same."""
    known: dict[str, Metric] = {}
    for name in evaluators.names():
        for metric in evaluators.get(name).metrics:
            if metric.name in known:
                raise UsageError(f"evaluator '{name}' declares the metric '{metric.name}', which another one has.")
            known[metric.name] = metric
    return known


def measure_all(rows: pd.DataFrame, subject: Literal["answers", "photos"]) -> pd.DataFrame:
    """The values of every evaluator of that subject, one row a metric and item (``VALUE_COLUMNS``)."""
    chosen = [evaluators.get(name) for name in evaluators.names()]
    frames = [kind().evaluate(rows) for kind in chosen if kind.subject == subject]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(VALUE_COLUMNS))
