"""Every distinct photo of a dataset, decoded once, with the rows that show it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from bench.core.digests import digest_bytes
from bench.core.errors import DataError
from bench.core.progress import ReportProgress
from generators.checks.finding import CheckReport, Finding, and_more, row_name
from scenarios.dataset import Dataset
from scenarios.photo_files import describe_file
from scenarios.pixels import decode_pixels, photo_problem

Split = Literal["training", "member", "probe"]
SIDE = 128
"""Height and width of ``Photo.grey``."""
CHECK = "decodable"


@dataclass(frozen=True)
class Use:
    """One row that shows a photo. ``member`` probes show training photos on purpose; ``probe`` is any other probe."""

    table: str
    row: str
    person_id: str
    split: Split
    source: str
    face_box: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Photo:
    """A distinct photo: encoded bytes, its rows, and where it decodes the digest of its pixels and a small grey copy.

    ``grey`` is uint8 (SIDE, SIDE), stretched to a square.
    """

    image: bytes
    uses: tuple[Use, ...]
    pixels: str = ""
    grey: "np.ndarray[Any, np.dtype[np.uint8]] | None" = None

    @property
    def row(self) -> str:
        """The first row that shows it."""
        return self.uses[0].row

    def people(self, *splits: Split) -> list[str]:
        """Ids of the people under whom it is filed, in the order of the rows; of some splits or of all."""
        return list(dict.fromkeys(use.person_id for use in self.uses if not splits or use.split in splits))

    def first(self, *splits: Split) -> Use | None:
        """The first row of these splits that shows it."""
        return next((use for use in self.uses if use.split in splits), None)


def read_photos(dataset: Dataset, report: ReportProgress) -> tuple[list[Photo], CheckReport]:
    """The distinct photos that decode, and an error for each that does not, or that nobody could look at."""
    uses: dict[bytes, list[Use]] = {}
    for image, use in _uses(dataset):
        uses.setdefault(image, []).append(use)
    photos: list[Photo] = []
    findings: list[Finding] = []
    for done, (image, shown) in enumerate(uses.items(), 1):
        try:
            photo, problems = _decode(image, tuple(shown))
        except DataError as error:
            message = f"{str(error).rstrip('.')}: replace it{and_more(shown)}."
            findings.append(Finding("error", CHECK, shown[0].row, message))
        else:
            photos.append(photo)
            findings.extend(problems)
        report(done, len(uses), "photos")
    return photos, CheckReport(tuple(findings), {"photos": len(uses)})


def _uses(dataset: Dataset) -> list[tuple[bytes, Use]]:
    found = []
    for table in ("pairs", "probes"):
        for row in getattr(dataset, table).to_dict("records"):
            kind = row.get("kind")
            split: Split = "training" if kind is None else "member" if kind == "member" else "probe"
            box = row.get("face_box")
            face_box = None if box is None else tuple(box)
            use = Use(table, row_name(table, row), row["person_id"], split, row["source"], face_box)
            found.append((row["image"], use))
    return found


def _decode(image: bytes, uses: tuple[Use, ...]) -> tuple[Photo, list[Finding]]:
    pixels = decode_pixels(uses[0].row, image)
    whole = Image.fromarray(pixels)
    grey = np.asarray(whole.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    photo = Photo(image, uses, digest_bytes(repr(whole.size).encode() + whole.tobytes()), grey)
    problem = photo_problem(pixels)
    findings = [Finding("error", CHECK, photo.row, f"the photo {problem}{and_more(uses)}.")] if problem else []
    return photo, [*findings, *_file_findings(photo), *_box_findings(photo, *whole.size)]


def _file_findings(photo: Photo) -> list[Finding]:
    file, findings = describe_file(photo.image), []
    if file.frames > 1:
        message = f"the file holds {file.frames} pictures, and only the first is looked at: keep that one alone."
        findings.append(Finding("warning", CHECK, photo.row, message))
    if file.orientation != 1:
        message = (
            f"the file says that its picture is to be turned (EXIF orientation {file.orientation}), which is done here"
            " and not everywhere, so that a face box may mean another place: save the pixels upright."
        )
        findings.append(Finding("error", CHECK, photo.row, message))
    return findings


def _box_findings(photo: Photo, width: int, height: int) -> list[Finding]:
    findings = []
    for use in photo.uses:
        if use.face_box and (use.face_box[2] > width or use.face_box[3] > height):
            box = ", ".join(map(str, use.face_box))
            message = f"face_box {box} reaches beyond the photo of {width} x {height} pixels."
            findings.append(Finding("error", CHECK, use.row, message))
    return findings
