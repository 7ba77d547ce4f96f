"""Photos that stand on both sides of a line: training and probes, one person and another, this dataset and another."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from generators.checks.finding import CheckReport, Finding, Level, and_more
from generators.checks.hashing import BITS, NEAR, Distances, HashedPhotos
from generators.checks.photos import Photo

CHECK = "duplicates"


def check_duplicates(photos: Sequence[Photo], hashed: HashedPhotos) -> CheckReport:
    """Equal and nearly equal photos across splits and across people, and member probes that show no training photo.

    Equal is equal bytes or equal pixels; nearly equal is ``NEAR`` bits of the perceptual hash or fewer.
    """
    exact = [*_one_file(photos), *_equal_pixels(photos)]
    near, figures = _near(hashed)
    figures |= {"exact_duplicates": len(exact), "near_duplicates": len(near)}
    flat = len(photos) - len(hashed.photos)
    notes = [Finding("note", CHECK, "", f"{flat} photos of one flat colour cannot be compared.")] if flat else []
    return CheckReport((*exact, *near, *_members(photos), *notes), figures)


def check_shared_photos(hashed: HashedPhotos, other: HashedPhotos, other_name: str) -> CheckReport:
    """Photos that another dataset holds, too, equal or nearly equal: each an error."""
    findings = []
    distances = hashed.nearest(other)
    for photo, row in zip(hashed.photos, distances, strict=True):
        closest = int(row.argmin()) if row.size else None
        if closest is not None and row[closest] <= NEAR:
            twin = other.photos[closest]
            same = "" if photo.pixels == twin.pixels else f", {row[closest]} of {BITS} bits apart"
            message = f"stands in {other_name}, too, as {twin.row}{same}."
            findings.append(Finding("error", CHECK, photo.row, message))
    return CheckReport(tuple(findings), {f"photos_shared_with {other_name}": len(findings)})


def _one_file(photos: Sequence[Photo]) -> list[Finding]:
    """One file in rows that should not share it."""
    findings = []
    for photo in photos:
        trained, asked = photo.first("training"), photo.first("probe")
        if trained and asked:
            asked_rows = [use for use in photo.uses if use.split == "probe"]
            findings.append(_crossing(asked.row, f"shows the training photo of {trained.row}{and_more(asked_rows)}"))
        people = photo.people()
        if len(people) > 1:
            message = f"the photo is filed under {' and '.join(people)}: whose is it?"
            findings.append(Finding("error", CHECK, photo.row, message))
    return findings


def _equal_pixels(photos: Sequence[Photo]) -> list[Finding]:
    """Different files of one picture; each is compared with the first of its kind."""
    findings = []
    first: dict[str, Photo] = {}
    for photo in photos:
        twin = first.setdefault(photo.pixels, photo)
        if twin is not photo:
            crossing = _crossed(photo, twin)
            if crossing:
                probe, training = crossing
                findings.append(_crossing(probe.row, f"has the pixels of the training photo {training.row}"))
            elif photo.people() != twin.people():
                message = f"has the pixels of {twin.row}, a photo of {twin.people()[0]}: whose is it?"
                findings.append(Finding("error", CHECK, photo.row, message))
    return findings


def _near(hashed: HashedPhotos) -> tuple[list[Finding], dict[str, float]]:
    """One finding for each probe photo's nearest training photo, and for each photo's nearest one of another person."""
    photos = hashed.photos
    distances = hashed.nearest(hashed)
    pixels, people = _numbers(photo.pixels for photo in photos), _numbers(tuple(photo.people()) for photo in photos)
    training = np.array([photo.first("training") is not None for photo in photos], bool)
    probe = np.array([photo.first("probe") is not None for photo in photos], bool)
    distances[pixels[:, None] == pixels[None]] = BITS  # reported before, as equal
    across = np.where(probe[:, None] & training[None], distances, BITS)
    between = (training[:, None] == training[None]) & (people[:, None] != people[None])
    between = np.where(np.tril(between), distances, BITS)
    findings = [
        *_nearest(photos, across, "error", "the training photo "),
        *_nearest(photos, between, "warning", "a photo of another person, "),
    ]
    if not (probe.any() and training.any()):
        return findings, {}
    return findings, {"fewest_bits_between_probe_and_training_photo": float(across.min())}


def _numbers(keys: Iterable[object]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], np.int64)


def _nearest(photos: Sequence[Photo], distances: Distances, level: Level, what: str) -> list[Finding]:
    findings = []
    for photo, row in zip(photos, distances, strict=True):
        closest = int(row.argmin())
        if row[closest] <= NEAR:
            twin = f"{what}{photos[closest].row}"
            message = f"is nearly {twin}: {row[closest]} of {BITS} bits apart, and {NEAR} are too few."
            findings.append(Finding(level, CHECK, photo.row, message))
    return findings


def _members(photos: Sequence[Photo]) -> list[Finding]:
    findings = []
    for photo in photos:
        member = photo.first("member")
        if member and not photo.first("training"):
            message = "is of kind member, but its photo is in no pair: it must be a training photo."
            findings.append(Finding("warning", CHECK, member.row, message))
    return findings


def _crossing(row: str, what: str) -> Finding:
    return Finding("error", CHECK, row, f"{what}: ask on a photo that is not trained on.")


def _crossed(photo: Photo, twin: Photo) -> "tuple[Photo, Photo] | None":
    """(probe photo, training photo) where one of two photos is the one and the other is the other."""
    for probe, training in ((photo, twin), (twin, photo)):
        if probe.first("probe") and training.first("training"):
            return probe, training
    return None
