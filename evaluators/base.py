"""The contract of an evaluator: rows in, one value a metric and probe (or photo) out, never only a mean."""

from abc import ABC, abstractmethod
from collections import Counter
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
    "aliases",
    "options",
    "text",
    "choice",
    "option_logprobs",
    "option_margin",
    "status",
    "choice_correct",
    "open_correct",
    "image_digest",
    "named_person",
)
_TEXT_COLUMNS = pd.Index(VALUE_COLUMNS[:4], dtype=object)
PHOTO_COLUMNS = ("photo_id", "person_id", "scenario", "original", "protected")


@dataclass(frozen=True)
class Metric:
    """One number that an evaluator gives; ``direction`` is where better lies for the owner of the photos.

    A ``share`` is a mean of values in [0, 1], a ``difference`` one of values in [-1, 1]. Without ``interval`` the mean
    is told alone: its items are no sample of people.
    """

    name: str
    unit: Literal["share", "difference", "index", "dB"]
    direction: Literal["up", "down", "none"]
    meaning: str
    interval: bool = True


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
        if tuple(values.columns) != VALUE_COLUMNS:
            values = values.loc[:, list(VALUE_COLUMNS)]
        return values.reset_index(drop=True)

    def _check(self, values: pd.DataFrame) -> None:
        name = type(self).__name__
        lacking = [column for column in VALUE_COLUMNS if column not in values.columns]
        if lacking:
            raise VeilBenchError(f"{name} returned no column '{lacking[0]}'.")
        undeclared = set(values["metric"]) - {metric.name for metric in self.metrics}
        if undeclared:
            raise VeilBenchError(f"{name} returned the metric '{min(undeclared)}', which it does not declare.")
        metrics, items = (values[column].to_numpy(dtype=object) for column in ("metric", "item_id"))
        numbers = values["value"].to_numpy(dtype=np.float64)
        if np.isinf(numbers).any():
            raise VeilBenchError(f"{name} returned an infinite value.")
        ranges = {"share": (0.0, 1.0), "difference": (-1.0, 1.0)}
        for metric in self.metrics:
            own = metrics == metric.name
            named = items[own].tolist()
            if len(set(named)) < len(named):
                (repeated, _), *_ = Counter(named).most_common(1)
                raise VeilBenchError(f"{name} returned two values for '{repeated}'.")
            low, high = ranges.get(metric.unit, (-np.inf, np.inf))
            if ((numbers[own] < low) | (numbers[own] > high)).any():
                raise VeilBenchError(f"{name} returned a {metric.unit} '{metric.name}' outside [{low:g}, {high:g}].")


def value_rows(metric: str, rows: pd.DataFrame, item_column: str, values: Any) -> pd.DataFrame:
    """Rows of ``VALUE_COLUMNS`` for one metric from rows with ``person_id`` and ``scenario``."""
    names = (item_column, "person_id", "scenario")
    items, people, scenarios = (rows[name].to_numpy(dtype=object) for name in names)
    return value_frame(metric, items, people, scenarios, values)


def value_frame(metric: str, items: Any, people: Any, scenarios: Any, values: Any) -> pd.DataFrame:
    """Rows of ``VALUE_COLUMNS`` for one metric, a column at a time."""
    texts = np.empty((4, len(items)), dtype=object)
    for place, column in enumerate((metric, items, people, scenarios)):
        texts[place] = column
    # One block of plain objects: a column at a time pandas would look through every text, and a run has dozens.
    frame = pd.DataFrame(texts.T, columns=_TEXT_COLUMNS, dtype=object, copy=False)
    frame["value"] = np.asarray(values, dtype=np.float64)
    return frame


def plain_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with texts and lists as plain Python has them: pandas' and NumPy's are slow to take apart."""
    plain: dict[str, list[Any]] = {}
    for name, column in rows.items():
        if isinstance(column.dtype, pd.StringDtype):
            plain[str(name)] = column.tolist()
        elif column.dtype == object and isinstance(next(filter(_is_there, column), None), np.ndarray):
            plain[str(name)] = [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in column.tolist()]
    if not plain:
        return rows
    own = {name: pd.Series(cells, rows.index, dtype=object) for name, cells in plain.items()}
    made = rows.assign(**own).copy()  # the copy lies in one block, from which rows are taken at once
    made.columns = made.columns.astype(object)
    return made


def _is_there(cell: object) -> bool:
    return cell is not None


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
    chosen = rows[[options is not None and len(options) > 0 for options in rows["options"].tolist()]]
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
