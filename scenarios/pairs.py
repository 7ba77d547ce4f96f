"""Photos with their people become (photo, description) pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scenarios.language import photo_description
from scenarios.people import Person
from scenarios.photos import PHOTO_COLUMNS, PROVENANCE_COLUMNS, check_photos, photo_records
from scenarios.tables import PAIRS, make_frame

__all__ = ["PHOTO_COLUMNS", "Provenance", "build_pairs", "check_photos"]


@dataclass(frozen=True)
class Provenance:
    """Where photos come from: source (``rendered``, ``real``, ``synthesized``), generator, licence, consent.

    ``dataclasses.asdict`` gives the four columns of a photo table.
    """

    source: str
    generator: str
    licence: str
    consent: str


def build_pairs(people: Sequence[Person], photos: pd.DataFrame) -> pd.DataFrame:
    """One pair for each photo with a scenario, in the table's order; the photo's id becomes the pair's.

    A photo without a description gets one of the scenario's. Raises ``DataError`` like ``check_photos``.
    """
    check_photos(people, photos)
    by_id = {person.person_id: person for person in people}
    rows = [_pair(by_id[photo["person_id"]], photo) for photo in photo_records(photos) if photo["scenario"]]
    return make_frame(rows, PAIRS)


def _pair(person: Person, photo: dict[str, Any]) -> dict[str, Any]:
    return {
        "pair_id": photo["photo_id"],
        "person_id": photo["person_id"],
        "scenario": photo["scenario"],
        "image": photo["image"],
        "description": photo["description"] or photo_description(person, photo["scenario"]),
        **{column: photo[column] for column in PROVENANCE_COLUMNS},
        "face_box": photo["face_box"],
        "shows": photo["shows"],
    }
