"""Every number of the page as one CSV file, a line a metric."""

import csv
import io
from collections.abc import Sequence

from leaderboard.runs import Run
from leaderboard.schema import Metric

SPEC_COLUMNS = (
    "dataset", "dataset_digest", "limit", "target", "target_digest", "target_family", "backend", "defense", "access",
    "budget_norm", "budget_eps", "visible", "ratio", "attack", "seed", "defense_seed",
)  # fmt: skip
METRIC_COLUMNS = (
    "name", "scenario", "unit", "direction", "value", "low", "high", "n_probes", "n_persons", "n_unscored", "refusal",
)  # fmt: skip


def metrics_csv(runs: Sequence[Run]) -> str:
    """The metrics of all runs; an empty field means "over all scenarios" or "no number"."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["suite", "run_digest", *SPEC_COLUMNS, *METRIC_COLUMNS])
    for run in runs:
        for metric in run.record.metrics:
            writer.writerow(_line(run, metric))
    return buffer.getvalue()


def _line(run: Run, metric: Metric) -> list[object]:
    values = [run.record.suite, run.record.run_digest]
    values += [getattr(run.record.spec, column) for column in SPEC_COLUMNS]
    values += [getattr(metric, column) for column in METRIC_COLUMNS]
    return [_inert(value) for value in values]


def _inert(value: object) -> object:
    """A spreadsheet would run text that starts like a formula; a leading apostrophe keeps it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
