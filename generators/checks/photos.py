"""Every distinct photo of a dataset, decoded once, with the rows that show it."""

import io
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from bench.core.digests import digest_bytes
from bench.core.progress import ReportProgress
from generators.checks.finding import CheckReport, Finding, and_more, row_name
from scenarios.dataset import Dataset

Split = Literal["training", "member", "probe"]
MOST_PIXELS = 64_000_000
"""A photo of more pixels is not decoded: its header may promise a size that fills the memory."""
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
    """The distinct photos that decode, and one error for each that does not, is too large, or lacks its face box."""
    uses: dict[bytes, list[Use]] = {}
    for image, use in _uses(dataset):
        uses.setdefault(image, []).append(use)
    photos: list[Photo] = []
    findings: list[Finding] = []
    for done, (image, shown) in enumerate(uses.items(), 1):
        try:
            photo, problems = _decode(image, tuple(shown))
        except _Undecodable as error:
            findings.append(Finding("error", CHECK, shown[0].row, f"{error}{and_more(shown)}."))
        else:
            photos.append(photo)
            findings.extend(problems)
        report(done, len(uses), "photos")
    return photos, CheckReport(tuple(findings), {"photos": len(uses)})


class _Undecodable(Exception):
    pass


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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(image))
        with picture:
            width, height = picture.size
            if width * height <= MOST_PIXELS:
                frames = getattr(picture, "n_frames", 1)
                whole = picture.convert("RGB")
    # A damaged file makes PIL raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        raise _Undecodable(f"the photo cannot be decoded ({' '.join(str(error).split())}): replace it") from error
    if width * height > MOST_PIXELS:
        raise _Undecodable(
            f"the photo has {width} x {height} pixels, more than {MOST_PIXELS // 1_000_000} million: make it smaller"
        )
    grey = np.asarray(whole.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    photo = Photo(image, uses, digest_bytes(repr(whole.size).encode() + whole.tobytes()), grey)
    return photo, _problems(photo, width, height, frames)


def _problems(photo: Photo, width: int, height: int, frames: int) -> list[Finding]:
    findings = []
    if frames > 1:
        message = f"the file holds {frames} pictures, and only the first is looked at: keep that one alone."
        findings.append(Finding("warning", CHECK, photo.row, message))
    for use in photo.uses:
        if use.face_box and (use.face_box[2] > width or use.face_box[3] > height):
            box = ", ".join(map(str, use.face_box))
            message = f"face_box {box} reaches beyond the photo of {width} x {height} pixels."
            findings.append(Finding("error", CHECK, use.row, message))
    return findings
