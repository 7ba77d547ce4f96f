"""Photos with their people become (photo, description) pairs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from bench.core.errors import DataError
from scenarios.language import photo_description
from scenarios.people import Person
from scenarios.schema import load_scenarios
from scenarios.tables import PAIRS, make_frame

PHOTO_COLUMNS = ("photo_id", "person_id", "scenario", "image", "face_box", "visible")
"""Columns of a photo table. ``scenario`` is '' for a portrait that shows only the person, ``image`` holds encoded
bytes, ``face_box`` is [x0, y0, x1, y1] in pixels or None, ``visible`` is topic -> option (may be empty)."""


@dataclass(frozen=True)
class Provenance:
    """Where photos come from: source (``rendered``, ``real``, ``synthesized``), generator, licence, consent."""

    source: str
    generator: str
    licence: str
    consent: str


def check_photos(people: Sequence[Person], photos: pd.DataFrame) -> None:
    """Raise ``DataError`` naming the column or the photo where the photo table does not fit the people."""
    missing = [column for column in PHOTO_COLUMNS if column not in photos.columns]
    if missing:
        raise DataError(f"photo table: column '{missing[0]}' is missing; needed are {', '.join(PHOTO_COLUMNS)}.")
    repeated = photos["photo_id"][photos["photo_id"].duplicated()]
    if len(repeated):
        raise DataError(f"photo table: photo_id '{repeated.iloc[0]}' stands there twice.")
    known = {person.person_id for person in people}
    scenarios = ("", *load_scenarios())
    for row in photos.to_dict("records"):
        if row["person_id"] not in known:
            raise DataError(f"photo '{row['photo_id']}': person_id '{row['person_id']}' is no person of this dataset.")
        if row["scenario"] not in scenarios:
            allowed = ", ".join(scenarios[1:])
            raise DataError(f"photo '{row['photo_id']}': scenario '{row['scenario']}' is not one of {allowed} or ''.")


def build_pairs(people: Sequence[Person], photos: pd.DataFrame, provenance: Provenance) -> pd.DataFrame:
    """One pair for each photo with a scenario, in the table's order; the photo's id becomes the pair's.

    Raises ``DataError`` like ``check_photos``.
    """
    check_photos(people, photos)
    by_id = {person.person_id: person for person in people}
    rows = [
        {
            "pair_id": row["photo_id"],
            "person_id": row["person_id"],
            "scenario": row["scenario"],
            "image": row["image"],
            "description": photo_description(by_id[row["person_id"]], row["scenario"]),
            "face_box": None if row["face_box"] is None else [int(edge) for edge in row["face_box"]],
            **asdict(provenance),
        }
        for row in photos.to_dict("records")
        if row["scenario"]
    ]
    return make_frame(rows, PAIRS)
