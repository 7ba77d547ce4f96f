"""What each defense does to a photo: original, protected, and the difference made visible."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from bench.core.errors import DataError

AMPLIFICATION = 16

Pixels = npt.NDArray[np.uint8]
Change = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Picture:
    """One photo before and after a defense, as encoded bytes.

    ``title`` is what the suite calls the defense, ``defense`` its registered name, empty where that is the same.
    """

    title: str
    original: bytes
    protected: bytes
    defense: str = ""

    @property
    def name(self) -> str:
        """The defense's registered name."""
        return self.defense or self.title


@dataclass(frozen=True)
class ShownPicture:
    """A picture on the page: file names (relative to the page), and its change in 8-bit grey levels.

    ``share_changed`` is the share of pixels in [0, 1] of which any channel changed.
    """

    title: str
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
    changes = [_change(picture) for picture in pictures]
    # Most of the time goes into compressing the differences, which Pillow does without holding up other threads.
    with ThreadPoolExecutor() as pool:
        drawn = list(pool.map(_amplified, changes))
    files: dict[str, bytes] = {}
    shown = [
        ShownPicture(
            picture.title,
            picture.name,
            original=_add(files, picture.original),
            protected=_add(files, picture.protected),
            difference=_add(files, difference),
            largest_change=int(np.abs(change).max()),
            mean_change=float(np.abs(change).mean()),
            share_changed=float((change != 0).any(axis=2).mean()),
            width=change.shape[1],
            height=change.shape[0],
        )
        for picture, change, difference in zip(pictures, changes, drawn, strict=True)
    ]
    return shown, files


def _change(picture: Picture) -> Change:
    """Protected minus original, in grey levels: array (height, width, 3)."""
    original = _pixels(picture.original, picture.title)
    protected = _pixels(picture.protected, picture.title)
    if original.shape != protected.shape:
        raise DataError(f"the picture of defense {picture.title!r} changes size while it is protected.")
    return protected.astype(np.int16) - original.astype(np.int16)


def _amplified(change: Change) -> bytes:
    """The change as an encoded photo, around mid-grey."""
    return _png(np.clip(128 + AMPLIFICATION * change, 0, 255).astype(np.uint8))


def _pixels(content: bytes, defense: str) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"the picture of defense {defense!r} cannot be decoded: {error}.") from error


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _add(files: dict[str, bytes], content: bytes) -> str:
    kind = "png" if content.startswith(b"\x89PNG") else "jpg" if content.startswith(b"\xff\xd8") else "img"
    name = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    files[name] = content
    return name
