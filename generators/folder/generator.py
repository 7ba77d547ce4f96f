"""A folder of photos with metadata.csv or metadata.jsonl as a photo source."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from bench.core.errors import DataError, UsageError
from generators.base import BuildOrder, Generator
from generators.folder.declarations import (
    REQUIRED,
    Box,
    DeclaredPhoto,
    Defaults,
    declared_people,
    declared_photos,
    optional_columns,
)
from generators.folder.files import PhotoFiles
from generators.folder.metadata import NAMES, find_metadata, read_rows
from generators.folder.photos import CleanPhoto, PhotoProblem, clean_photo
from generators.registry import generators
from scenarios.cohorts import first_of_each
from scenarios.dataset import Dataset, build_dataset
from scenarios.people import Person
from scenarios.photos import PHOTO_COLUMNS

LEAST_SIDE = 32


@generators.register("folder")
class Folder(Generator):
    """Your own photos: a folder with metadata.csv or metadata.jsonl, one row a photo.

    ``name`` is the dataset's, the folder's where it is not given. ``licence`` and ``consent`` hold for every photo
    whose row states none, and ``max_side`` is the most pixels that a photo has a side. Raises UsageError for a value
    of the wrong type, and for a ``max_side`` below 32.
    """

    source: ClassVar[str] = "real"

    def __init__(self, name: str = "", licence: str = "", consent: str = "", max_side: int = 1024) -> None:
        for option, value in (("name", name), ("licence", licence), ("consent", consent)):
            if not isinstance(value, str):
                raise UsageError(
                    f"generator 'folder', option {option}: must be text (a colon needs quotes), not {value!r}."
                )
        if not isinstance(max_side, int) or isinstance(max_side, bool) or max_side < LEAST_SIDE:
            raise UsageError(
                f"generator 'folder', option max_side: must be {LEAST_SIDE} pixels or more, not {max_side!r}."
            )
        self._name = name
        self._defaults = Defaults(licence.strip(), consent.strip())
        self._max_side = max_side

    def claims(self, name: str) -> bool:
        """Whether ``name`` is a folder with a metadata file."""
        return bool(name) and any((Path(name) / metadata).is_file() for metadata in NAMES)

    def default_folder(self, name: str) -> Path:
        """``NAME-dataset``, or the option ``name``. Raises UsageError where that would lie among the photos."""
        folder = Path(name).resolve()
        if Path.cwd().is_relative_to(folder):
            raise UsageError(f"You are among the photos of '{name}', where no tables go: name a place with --out.")
        return Path(self._name or f"{folder.name}-dataset")

    def build(self, order: BuildOrder) -> Dataset:
        """See the base class. Every row is checked before the first photo is decoded."""
        folder = Path(order.name)
        if not order.name or not folder.is_dir():
            raise UsageError(f"there is no folder '{order.name}'; needed is one with {' or '.join(NAMES)}.")
        metadata = find_metadata(folder)
        rows = read_rows(metadata, REQUIRED, optional_columns())
        files = PhotoFiles(folder)
        photos = declared_photos(rows, files, self._defaults)
        people = _first_people(declared_people(rows), order.limit)
        if all(person.role == "stranger" for person in people):
            raise DataError(f"{metadata}, role: every person is a stranger, so there is nobody to train on.")
        files.check_all_named({photo.path for photo in photos}, metadata.name)
        kept = {person.person_id for person in people}
        table = self._photo_table([photo for photo in photos if photo.person_id in kept], order)
        return build_dataset(self._name or folder.resolve().name, people, table)

    def _photo_table(self, photos: Sequence[DeclaredPhoto], order: BuildOrder) -> pd.DataFrame:
        order.work.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, Any]] = []
        # Threads suffice: Pillow decodes and scales outside the interpreter's lock.
        executor = ThreadPoolExecutor(max_workers=order.workers)
        try:
            cleaned = executor.map(lambda photo: self._clean(photo, order.work), photos)
            order.report(0, len(photos), "")
            for photo, clean in zip(photos, cleaned, strict=True):
                rows.append(_photo_row(photo, clean))
                order.report(len(rows), len(photos), photo.photo_id)
        finally:
            executor.shutdown(cancel_futures=True)
        return pd.DataFrame(rows, columns=list(PHOTO_COLUMNS))

    def _clean(self, photo: DeclaredPhoto, work: Path) -> CleanPhoto:
        try:
            return clean_photo(photo.path, self._max_side, work)
        except PhotoProblem as problem:
            raise photo.row.error("file_name", f"{photo.path} {problem}") from problem


def _first_people(people: Sequence[Person], limit: int | None) -> list[Person]:
    if limit is None:
        return list(people)
    if limit < 1:
        raise UsageError(f"At least 1 person is needed, not {limit}.")
    return first_of_each(people, limit)


def _photo_row(photo: DeclaredPhoto, clean: CleanPhoto) -> dict[str, Any]:
    return {
        "photo_id": photo.photo_id,
        "person_id": photo.person_id,
        "scenario": photo.scenario,
        "image": clean.image,
        "face_box": None if photo.face_box is None else _box_within(photo, photo.face_box, clean),
        "visible": dict(photo.visible),
        "shows": None if photo.shows is None else list(photo.shows),
        "source": photo.source,
        "generator": "folder",
        "licence": photo.licence,
        "consent": photo.consent,
        "description": photo.description,
    }


def _box_within(photo: DeclaredPhoto, box: Box, clean: CleanPhoto) -> list[int]:
    """The box in pixels of the scaled photo, cut to it: a detected face may reach over the edge."""
    width, height = clean.size
    left, top = (max(0, math.floor(edge * clean.scale)) for edge in box[:2])
    right, bottom = (math.ceil(edge * clean.scale) for edge in box[2:])
    right, bottom = min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        upright = f"{round(width / clean.scale)} x {round(height / clean.scale)}"
        raise photo.row.error("face_box", f"covers nothing of the photo, which is {upright} pixels when upright")
    return [left, top, right, bottom]
