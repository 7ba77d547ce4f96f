"""The contract of an evaluator: rows in, one value a metric and probe (or photo) out, never only a mean."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.core.errors import DataError, VeilBenchError

VALUE_COLUMNS = ("metric", "item_id", "person_id", "scenario", "value")
ANSWER_COLUMNS = (
    "request_id",
    "probe_id",
    "person_id",
    "scenario",
    "kind",
    "view",
    "question",
    "answer",
    "options",
    "text",
    "choice",
    "option_logprobs",
    "status",
    "choice_correct",
    "open_correct",
    "image_digest",
    "named_person",
)
PHOTO_COLUMNS = ("photo_id", "person_id", "scenario", "original", "protected")


@dataclass(frozen=True)
class Metric:
    """One number that an evaluator gives; ``direction`` is where better lies for the owner of the photos."""

    name: str
    unit: Literal["share", "index", "dB"]
    direction: Literal["up", "down", "none"]
    meaning: str


class Evaluator(ABC):
    """Scores the answers of a run, or the photos of a defense.

    ``subject`` says which: ``answers`` rows have ``ANSWER_COLUMNS`` (see ``evaluators.scoring``), ``photos`` rows
    have ``PHOTO_COLUMNS`` with encoded bytes in ``original`` and ``protected``. A subclass writes ``measure``.
    """

    subject: ClassVar[Literal["answers", "photos"]]
    metrics: ClassVar[tuple[Metric, ...]]

    @abstractmethod
    def measure(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows of ``VALUE_COLUMNS``: a NaN value is an item that could not be scored and is counted apart."""

    @final
    def evaluate(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Measure after checking the rows, and check what was measured.

        Returns a fresh frame of ``VALUE_COLUMNS``, one row a metric and item. Raises ``DataError`` naming a missing
        column, and ``VeilBenchError`` where the evaluator returns an undeclared metric, another column, or two
        values for one item.
        """
        required = ANSWER_COLUMNS if self.subject == "answers" else PHOTO_COLUMNS
        missing = [column for column in required if column not in rows.columns]
        if missing:
            raise DataError(f"{type(self).__name__}: the {self.subject} rows lack the column '{missing[0]}'.")
        values = self.measure(rows.copy())
        self._check(values)
        return values.loc[:, list(VALUE_COLUMNS)].reset_index(drop=True)

    def _check(self, values: pd.DataFrame) -> None:
        name = type(self).__name__
        lacking = [column for column in VALUE_COLUMNS if column not in values.columns]
        if lacking:
            raise VeilBenchError(f"{name} returned no column '{lacking[0]}'.")
        undeclared = set(values["metric"]) - {metric.name for metric in self.metrics}
        if undeclared:
            raise VeilBenchError(f"{name} returned the metric '{min(undeclared)}', which it does not declare.")
        repeated = values.duplicated(["metric", "item_id"])
        if repeated.any():
            raise VeilBenchError(f"{name} returned two values for '{values.loc[repeated, 'item_id'].iloc[0]}'.")
        if np.isinf(values["value"].to_numpy(dtype=np.float64)).any():
            raise VeilBenchError(f"{name} returned an infinite value.")


def value_rows(metric: str, rows: pd.DataFrame, item_column: str, values: Any) -> pd.DataFrame:
    """Rows of ``VALUE_COLUMNS`` for one metric from rows with ``person_id`` and ``scenario``."""
    return pd.DataFrame(
        {
            "metric": pd.Series([metric] * len(rows), dtype=object),
            "item_id": rows[item_column].to_numpy(dtype=object),
            "person_id": rows["person_id"].to_numpy(dtype=object),
            "scenario": rows["scenario"].to_numpy(dtype=object),
            "value": np.asarray(values, dtype=np.float64),
        }
    )


def choice_scored(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """For each answer row, whether its forced choice counts: one could be made, and the answer did not fail.

    With ``open_scored`` the only meaning of "scored": every count and test of answers asks these two.
    """
    made = rows["choice"].to_numpy(dtype=int) >= 0
    return np.asarray(made & (rows["status"].to_numpy(dtype=object) != "error"), dtype=np.bool_)


def open_scored(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """For each answer row, whether its open answer counts: it is neither invalid nor failed."""
    return np.asarray(rows["status"].to_numpy(dtype=object) == "ok", dtype=np.bool_)


def count_unscored(rows: pd.DataFrame) -> tuple[int, int]:
    """How many answers are unscored, and how many there are: an open one a row, and a choice where it has options."""
    chosen = rows[[options is not None and len(options) > 0 for options in rows["options"]]]
    unscored = int((~choice_scored(chosen)).sum()) + int((~open_scored(rows)).sum())
    return unscored, len(chosen) + len(rows)


def choice_values(metric: str, rows: pd.DataFrame) -> pd.DataFrame:
    """1 for a right forced choice, 0 for a wrong one, NaN where it is not scored (``choice_scored``)."""
    correct = rows["choice_correct"].to_numpy(dtype=np.float64)
    return value_rows(metric, rows, "request_id", np.where(choice_scored(rows), correct, np.nan))


def open_values(metric: str, rows: pd.DataFrame, column: str = "open_correct") -> pd.DataFrame:
    """1 where ``column`` holds, 0 where not, NaN where the open answer is not scored (``open_scored``)."""
    right = rows[column].to_numpy(dtype=np.float64)
    return value_rows(metric, rows, "request_id", np.where(open_scored(rows), right, np.nan))
