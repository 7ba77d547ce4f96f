"""Every evaluator by name, and all of them run at once."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from bench.core.errors import UsageError
from bench.core.registry import Registry
from evaluators.base import VALUE_COLUMNS, Evaluator, Metric, plain_cells

evaluators: Registry[type[Evaluator]] = Registry(
    "evaluator",
    "veilbench.evaluators",
    (
        "evaluators.leakage",
        "evaluators.membership",
        "evaluators.recognition",
        "evaluators.utility",
        "evaluators.tails",
        "evaluators.open_set",
        "evaluators.image_quality",
    ),
)


def metric_definitions(names: Sequence[str] | None = None) -> dict[str, Metric]:
    """Every metric that these evaluators (default: all) declare, by name; ``UsageError`` where two declare the same."""
    known: dict[str, Metric] = {}
    for name in evaluators.names() if names is None else sorted(names):
        for metric in evaluators.get(name).metrics:
            if metric.name in known:
                raise UsageError(f"evaluator '{name}' declares the metric '{metric.name}', which another one has.")
            known[metric.name] = metric
    return known


def measure_all(
    rows: pd.DataFrame, subject: Literal["answers", "photos"], names: Sequence[str] | None = None
) -> pd.DataFrame:
    """The values of these evaluators (default: all) of that subject, one row a metric and item (``VALUE_COLUMNS``)."""
    chosen = [evaluators.get(name) for name in (evaluators.names() if names is None else sorted(names))]
    given = plain_cells(rows)
    frames = [kind().evaluate(given) for kind in chosen if kind.subject == subject]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(VALUE_COLUMNS))
