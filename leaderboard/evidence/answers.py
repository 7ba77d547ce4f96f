"""Scored answers against their own texts, choices and log-likelihoods."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluators.scoring import STATUSES, rescored
from leaderboard.evidence.faults import Fault, first_fault

SCORED_COLUMNS = ("choice_correct", "open_correct", "named_person", "option_margin")
"""What stands in the rows and follows from the others."""

MARGIN_TOLERANCE = 1e-9

Flags = npt.NDArray[np.bool_]


def answers_fault(rows: pd.DataFrame, people: pd.DataFrame) -> Fault | None:
    """Where a column of ``SCORED_COLUMNS`` is not what scoring gives, or a choice not the likeliest option.

    ``people`` are those of the run's cohort.
    """
    fault = first_fault(find(rows) for find in (_malformed, likeliest_fault))
    if fault is not None:
        return fault
    again = rescored(rows, people)
    for column in SCORED_COLUMNS:
        stands, gives = rows[column].to_numpy(), again[column].to_numpy()
        differs = np.flatnonzero(_differs(column, stands, gives))
        if len(differs):
            place = differs[0]
            return Fault(
                f"rows.{column}",
                f"the answer to {rows['request_id'].iloc[place]} has {_shown(stands[place])}, and scoring it gives "
                f"{_shown(gives[place])}{_others(len(differs))}",
            )
    return None


def likeliest_fault(rows: pd.DataFrame) -> Fault | None:
    """Where another option than the chosen one has the highest log-likelihood. Of equal ones any may be chosen."""
    counts = np.array([len(some) for some in rows["option_logprobs"]], dtype=np.int64)
    asked = np.flatnonzero(counts > 0)
    if not len(asked):
        return None
    options = np.array([len(some) for some in rows["options"]], dtype=np.int64)
    request, choice = rows["request_id"], rows["choice"].to_numpy(dtype=np.int64)
    unequal = np.flatnonzero(counts[asked] != options[asked])
    if len(unequal):
        place = asked[unequal[0]]
        likely = f"{counts[place]} log-likelihoods for {options[place]} options"
        return Fault("rows.option_logprobs", f"the answer to {request.iloc[place]} has {likely}")
    flat = np.concatenate(rows["option_logprobs"].iloc[asked].tolist()).astype(np.float64)
    starts = np.concatenate([[0], np.cumsum(counts[asked])[:-1]])
    best = np.maximum.reduceat(flat, starts)
    own = choice[asked]
    inside = (own >= 0) & (own < counts[asked])
    chosen = np.where(inside, flat[starts + np.where(inside, own, 0)], -np.inf)
    # An answer that failed has no choice; a log-likelihood that is no number is nothing to compare with.
    free = np.isnan(best) | ((own < 0) & (rows["status"].to_numpy(dtype=object)[asked] == "error"))
    wrong = np.flatnonzero(~free & (~inside | (chosen < best)))
    if not len(wrong):
        return None
    place = asked[wrong[0]]
    likeliest = int(np.argmax(rows["option_logprobs"].iloc[place]))
    return Fault(
        "rows.choice",
        f"the answer to {request.iloc[place]} chooses option {choice[place]}, and option {likeliest} has the highest "
        f"log-likelihood{_others(len(wrong))}",
    )


def _malformed(rows: pd.DataFrame) -> Fault | None:
    """Where a row is none that scoring could have made, so that nothing can be computed from it."""
    columns = (rows[name].tolist() for name in ("request_id", "options", "answer", "choice", "status"))
    repeated = rows["request_id"].duplicated()
    if repeated.any():
        return Fault("rows.request_id", f"'{rows.loc[repeated, 'request_id'].iloc[0]}' is there twice")
    for request, options, answer, choice, status in zip(*columns, strict=True):
        if len(options) and answer not in options:
            return Fault("rows.options", f"the right answer to {request} is not among them")
        if not -1 <= choice < len(options):
            return Fault("rows.choice", f"the answer to {request} chooses option {choice} of {len(options)}")
        if status not in STATUSES:
            return Fault("rows.status", f"that of {request} is '{status}', which is none of {', '.join(STATUSES)}")
    return None


def _differs(column: str, stands: npt.NDArray[Any], gives: npt.NDArray[Any]) -> Flags:
    if column == "option_margin":
        first, second = stands.astype(np.float64), gives.astype(np.float64)
        return ~np.isclose(first, second, rtol=0, atol=MARGIN_TOLERANCE, equal_nan=True)
    differs: Flags = stands.astype(object) != gives.astype(object)
    return differs


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _others(count: int) -> str:
    return f" ({count - 1} more)" if count > 1 else ""
