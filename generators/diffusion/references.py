"""The few photos of a person that a diffusion model sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core.errors import DataError
from generators.diffusion.synthesis import encode_png
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.pixels import open_photo

PORTRAIT_KINDS = ("held_out", "stranger", "utility")
"""Kinds of probes whose photo shows nothing but the person."""


@dataclass(frozen=True)
class References:
    """Encoded reference photos of one person, and under which licence and consent they stand."""

    photos: tuple[bytes, ...]
    licence: str
    consent: str


def references_of(dataset: Dataset, person: Person, count: int, margin: float) -> References:
    """At most ``count`` photos of the person, cut out around the face where the dataset says where it is.

    ``margin`` is what is left around the face, in sizes of the face. Training photos are taken, and portraits of
    people who have none, such as strangers. Raises DataError for a person without photos and for real photos whose
    consent is not stated.
    """
    rows = _rows(dataset.pairs, "pair_id", person) or _portraits(dataset, person)
    if not rows:
        raise DataError(f"{dataset.name}: person_id '{person.person_id}' has no photo that could serve as a reference.")
    chosen = [rows[index * len(rows) // count] for index in range(count)] if len(rows) > count else rows
    for row in chosen:
        if row["source"] == "real" and not row["consent"].strip():
            raise DataError(
                f"{dataset.name}: photo '{row['photo_id']}': consent is empty, and a real person's photos are used as "
                "references only with a consent that is stated."
            )
    return References(
        photos=tuple(_cut_out(row, margin) for row in chosen),
        licence="; ".join(dict.fromkeys(row["licence"] for row in chosen)),
        consent="; ".join(dict.fromkeys(row["consent"] for row in chosen)),
    )


def _rows(frame: Any, identifier: str, person: Person) -> list[dict[str, Any]]:
    own = frame[frame["person_id"] == person.person_id]
    return [{**row, "photo_id": row[identifier]} for row in own.to_dict("records")]


def _portraits(dataset: Dataset, person: Person) -> list[dict[str, Any]]:
    portraits = dataset.probes[dataset.probes["kind"].isin(PORTRAIT_KINDS)]
    rows = _rows(portraits, "probe_id", person)
    return list({row["image"]: {**row, "face_box": None} for row in reversed(rows)}.values())[::-1]


def _cut_out(row: Mapping[str, Any], margin: float) -> bytes:
    try:
        photo = open_photo(row["photo_id"], row["image"])
    # A damaged file makes PIL raise nearly anything.
    except Exception as error:
        raise DataError(f"photo '{row['photo_id']}': it cannot be decoded: {error}") from error
    if row["face_box"] is None:
        return encode_png(photo)
    return encode_png(photo.crop(_square(row["face_box"], photo.size, margin)))


def _square(box: Sequence[int], size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """A square around the box with the margin on each side, moved and shrunk until it lies inside the photo."""
    wanted = max(box[2] - box[0], box[3] - box[1]) * (1 + 2 * margin)
    side = round(min(wanted, *size))
    left = round((box[0] + box[2] - side) / 2)
    top = round((box[1] + box[3] - side) / 2)
    left = min(max(left, 0), size[0] - side)
    top = min(max(top, 0), size[1] - side)
    return left, top, left + side, top + side
