"""Protected photos against the budget, and the photos that were asked about against those that were protected."""

import numpy as np
import pandas as pd

from leaderboard.evidence.faults import Fault, first_fault
from leaderboard.evidence.people import TRAINED_ROLE, of_cohort
from leaderboard.schema import Record, RunSpec

VIEWS = {"clean": "original_digest", "protected": "protected_digest"}
"""In which state a training photo is shown -> where its digest stands."""


def photos_fault(record: Record, rows: pd.DataFrame, photos: pd.DataFrame, people: pd.DataFrame) -> Fault | None:
    """Where a photo is changed more than it may be, of nobody who was trained on, or not the one asked about."""
    return first_fault(
        find(*given)
        for find, given in (
            (_pairs_fault, (photos, people, record.spec.cohort)),
            (_change_fault, (record, photos)),
            (_shown_fault, (rows, photos)),
        )
    )


def _pairs_fault(photos: pd.DataFrame, people: pd.DataFrame, cohort: str) -> Fault | None:
    repeated = photos["pair_id"].duplicated()
    if repeated.any():
        return Fault("photos.pair_id", f"'{photos.loc[repeated, 'pair_id'].iloc[0]}' is there twice")
    own = of_cohort(people, cohort)
    trained = set(own.loc[own["role"] == TRAINED_ROLE, "person_id"])
    strays = photos[~photos["person_id"].isin(trained)]
    if strays.empty:
        return None
    pair, person = strays["pair_id"].iloc[0], strays["person_id"].iloc[0]
    return Fault("photos.person_id", f"'{pair}' is of '{person}', on whom the run was not trained")


def _change_fault(record: Record, photos: pd.DataFrame) -> Fault | None:
    allowed = _largest_allowed(record.spec, record.is_undefended)
    changes = photos["largest_change"].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~((changes >= 0) & (changes <= allowed)))
    if not len(wrong):
        return None
    place = wrong[0]
    return Fault(
        "photos.largest_change",
        f"'{photos['pair_id'].iloc[place]}' is changed by {changes[place]:g} grey levels, and {allowed:g} are allowed",
    )


def _largest_allowed(spec: RunSpec, is_undefended: bool) -> float:
    """Grey levels by which a photo may be changed at most; photos of the undefended control are as they were."""
    if is_undefended:
        return 0.0
    return 255.0 if spec.visible or spec.budget_norm != "linf" else spec.budget_eps


def _shown_fault(rows: pd.DataFrame, photos: pd.DataFrame) -> Fault | None:
    members = rows[rows["kind"] == "member"]
    for view, column in VIEWS.items():
        known = set(zip(photos["person_id"].tolist(), photos[column].tolist(), strict=True))
        shown = members[members["view"] == view]
        asked = zip(shown["person_id"].tolist(), shown["image_digest"].tolist(), strict=True)
        for request, place in zip(shown["request_id"].tolist(), asked, strict=True):
            if place not in known:
                return Fault("rows.image_digest", f"the photo of {request} is no {column[:-7]} photo of that person")
    return None
