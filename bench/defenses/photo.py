"""A photo as a defense sees it, and as it leaves the defense."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import DataError
from scenarios.pixels import Pixels, decode_pixels


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo: ``pixels`` is a read-only copy, uint8 (height, width, 3); ``face_box`` is x0, y0, x1, y1 in pixels.

    Raises ``DataError`` naming the photo for another shape or type, and for a face box that misses the photo.
    """

    photo_id: str
    pixels: Pixels
    face_box: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        """Check the pixels and the box, and keep a read-only copy of the pixels."""
        pixels = np.array(self.pixels)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise DataError(
                f"photo '{self.photo_id}': pixels must be uint8 of shape (height, width, 3), "
                f"got {pixels.dtype} of shape {pixels.shape}."
            )
        pixels.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)
        if self.face_box is not None:
            object.__setattr__(self, "face_box", self._checked_box(self.face_box))

    def _checked_box(self, box: Sequence[int]) -> tuple[int, int, int, int]:
        """The box as plain integers, cut to the photo: a face may reach over the edge."""
        if len(box) != 4:
            raise DataError(f"photo '{self.photo_id}': face_box must be x0, y0, x1, y1, got {list(box)}.")
        height, width = self.pixels.shape[:2]
        left, top = max(int(box[0]), 0), max(int(box[1]), 0)
        right, bottom = min(int(box[2]), width), min(int(box[3]), height)
        if left >= right or top >= bottom:
            raise DataError(
                f"photo '{self.photo_id}': face_box {[int(side) for side in box]} covers nothing "
                f"of a photo {width} pixels wide and {height} high."
            )
        return left, top, right, bottom


@dataclass(frozen=True, eq=False)
class ProtectedPhoto:
    """A defended photo: PNG ``image``, the ``pixels`` reloaded from it, and the largest change in grey levels.

    ``cut_off`` is the share, 0 to 1, of the change that the defense wanted and the budget did not allow.
    """

    photo_id: str
    image: bytes
    pixels: Pixels
    largest_change: int
    cut_off: float = 0.0


def decode_photo(photo_id: str, image: bytes, face_box: Sequence[int] | npt.NDArray[np.integer] | None = None) -> Photo:
    """A ``Photo`` from encoded bytes; ``DataError`` names a photo that cannot be decoded."""
    box = None if face_box is None else (int(face_box[0]), int(face_box[1]), int(face_box[2]), int(face_box[3]))
    return Photo(photo_id, decode_pixels(photo_id, image), box)


def encode_png(pixels: Pixels) -> bytes:
    """PNG bytes without metadata: equal pixels give equal bytes with the same Pillow and zlib."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()
