"""Every number of the page as one CSV file, a line a metric."""

import csv
import io
from collections.abc import Sequence

from leaderboard.runs import RecordedRun

RUN_COLUMNS = ("suite", "run_digest", "standing", "defense", "label")
SPEC_COLUMNS = (
    "dataset", "dataset_digest", "limit", "cohort", "target", "target_digest", "target_family", "backend", "access",
    "budget_norm", "budget_eps", "visible", "ratio", "attack", "adaptive", "seed", "defense_seed",
)  # fmt: skip
METRIC_COLUMNS = (
    "name", "scenario", "unit", "direction", "value", "low", "high", "n_probes", "n_persons", "n_unscored", "refusal",
)  # fmt: skip


def metrics_csv(runs: Sequence[RecordedRun]) -> str:
    """The metrics of all runs; an empty field means "over all scenarios" or "no number".

    ``defense`` is the registered name, ``label`` what the suite calls it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*RUN_COLUMNS, *SPEC_COLUMNS, *METRIC_COLUMNS])
    for run in runs:
        record = run.record
        about = [record.suite, record.run_digest, record.standing, record.spec.defense, record.title]
        about += [getattr(record.spec, column) for column in SPEC_COLUMNS]
        for metric in record.metrics:
            values = [getattr(metric, column) for column in METRIC_COLUMNS]
            writer.writerow([_inert(value) for value in (*about, *values)])
    return buffer.getvalue()


def _inert(value: object) -> object:
    """A spreadsheet would run text that starts like a formula; a leading apostrophe keeps it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
