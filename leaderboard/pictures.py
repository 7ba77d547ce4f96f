"""What each defense does to a photo: original, protected, and the difference made visible."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from bench.core.errors import DataError

AMPLIFICATION = 16


@dataclass(frozen=True)
class Picture:
    """One photo before and after a defense, as encoded bytes."""

    defense: str
    original: bytes
    protected: bytes


@dataclass(frozen=True)
class ShownPicture:
    """A picture on the page: file names (relative to the page), and its change in 8-bit grey levels.

    ``share_changed`` is the share of pixels in [0, 1] of which any channel changed.
    """

    defense: str
    original: str
    protected: str
    difference: str
    largest_change: int
    mean_change: float
    share_changed: float
    width: int
    height: int


def show_pictures(pictures: Sequence[Picture]) -> tuple[list[ShownPicture], Mapping[str, bytes]]:
    """The pictures as the page needs them, and the files to write (name → bytes), named by content.

    Raises DataError naming the defense where a photo cannot be decoded or the two sizes differ.
    """
    files: dict[str, bytes] = {}
    shown = []
    for picture in pictures:
        original = _pixels(picture.original, picture.defense)
        protected = _pixels(picture.protected, picture.defense)
        if original.shape != protected.shape:
            raise DataError(f"the picture of defense {picture.defense!r} changes size while it is protected.")
        change = protected.astype(np.int16) - original.astype(np.int16)
        difference = np.clip(128 + AMPLIFICATION * change, 0, 255).astype(np.uint8)
        shown.append(
            ShownPicture(
                picture.defense,
                original=_add(files, picture.original),
                protected=_add(files, picture.protected),
                difference=_add(files, _png(difference)),
                largest_change=int(np.abs(change).max()),
                mean_change=float(np.abs(change).mean()),
                share_changed=float((change != 0).any(axis=2).mean()),
                width=original.shape[1],
                height=original.shape[0],
            )
        )
    return shown, files


def _pixels(content: bytes, defense: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"the picture of defense {defense!r} cannot be decoded: {error}.") from error


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _add(files: dict[str, bytes], content: bytes) -> str:
    kind = "png" if content.startswith(b"\x89PNG") else "jpg" if content.startswith(b"\xff\xd8") else "img"
    name = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    files[name] = content
    return name
