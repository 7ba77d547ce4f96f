"""A run with its answers and costs, read once for all pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.core.errors import DataError
from evaluators.base import choice_values, count_unscored
from leaderboard.records import ROW_COLUMNS, file_stem, load_records, load_rows, read_costs
from leaderboard.schema import Record

READ_COLUMNS = tuple(name for name in ROW_COLUMNS if name not in ("probe_id", "option_logprobs", "image_digest"))
"""What the page shows or counts of the answers."""

FACT_COLUMNS = ("request_id", "person_id", "scenario", "options", "choice", "choice_correct", "status")
"""What leakage and chance are computed from."""

SHARED_WITH_CONTROLS = {"dataset_digest": "dataset", "target_digest": "target", "backend": "backend"}
"""Fields of the specification that a run and its controls must have in common, and what they are called."""


@dataclass(frozen=True)
class RecordedRun:
    """A record with the answers behind it (``READ_COLUMNS``). ``costs`` is empty where nobody measured any."""

    record: Record
    rows: pd.DataFrame
    costs: Mapping[str, Any]

    @property
    def seconds_per_photo(self) -> float | None:
        """Seconds to protect one photo; None where nobody measured it."""
        seconds = self.costs.get("seconds_per_photo")
        return float(seconds) if isinstance(seconds, (int, float)) else None

    @cached_property
    def stem(self) -> str:
        """The name that the run's page and files share."""
        return file_stem(self.record)

    @cached_property
    def fact_rows(self) -> pd.DataFrame:
        """Forced-choice answers about private facts on new photos: what leakage is computed from."""
        has_options = np.array(
            [options is not None and len(options) > 0 for options in self.rows["options"]], dtype=bool
        )
        return self.rows.loc[(self.rows["kind"] == "held_out") & has_options, list(FACT_COLUMNS)]

    @cached_property
    def leakage(self) -> pd.DataFrame:
        """What leakage is the mean of: item_id, person_id, seed, value; one row a fact asked on a new photo.

        The value is 1 for a fact given away, 0 for one kept, and NaN where the answer could not be scored.
        """
        values = choice_values("leakage", self.fact_rows).assign(seed=self.record.spec.seed)
        # Plain Python strings: the tests compare and count persons far more often than pandas' own strings are good at.
        return values[["item_id", "person_id", "seed", "value"]].astype({"item_id": object, "person_id": object})

    @cached_property
    def unscored(self) -> tuple[int, int]:
        """How many answers of any kind could not be scored, and how many there are."""
        return count_unscored(self.rows[["options", "choice", "status"]])

    def chance(self, scenario: str | None = None) -> float | None:
        """What guessing would reach, from the number of options; None without such questions."""
        rows = self.fact_rows if scenario is None else self.fact_rows[self.fact_rows["scenario"] == scenario]
        return None if rows.empty else float((1 / rows["options"].map(len)).mean())


def load_runs(folder: Path) -> list[RecordedRun]:
    """Every run of a folder of records.

    Raises DataError for a malformed record, and for a run whose controls are not in the folder or measured something
    else: its numbers could not be read against anything.
    """
    records = load_records(folder)
    known = {record.run_digest: record for record in records}
    for record in records:
        for role in ("base", "undefended"):
            control = getattr(record.controls, role)
            fault = None if control is None else _control_fault(record, known.get(control))
            if fault:
                path = folder / f"{file_stem(record)}.json"
                raise DataError(f"{path}: field controls.{role}: {fault} run {control[:12]}.")
    return [
        RecordedRun(record, load_rows(record, folder, READ_COLUMNS), read_costs(record, folder)) for record in records
    ]


def _control_fault(record: Record, control: Record | None) -> str | None:
    """Why the record cannot be read against that control, in words that its name follows."""
    if control is None:
        return "the folder has no record of"
    for field, what in SHARED_WITH_CONTROLS.items():
        if getattr(record.spec, field) != getattr(control.spec, field):
            return f"another {what} was measured in"
    return None
