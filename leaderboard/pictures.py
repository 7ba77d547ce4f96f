"""What each defense does to a photo: original, protected, and the difference made visible."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import DataError
from scenarios.pixels import Pixels, decode_pixels

AMPLIFICATION = 16

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
    decoded = [_pixels(picture) for picture in pictures]
    # Most of the time goes into compressing, which Pillow does without holding up other threads.
    with ThreadPoolExecutor() as pool:
        drawn = list(pool.map(_drawn, decoded))
    changes = [_change(original, protected) for original, protected in decoded]
    files: dict[str, bytes] = {}
    shown = [
        ShownPicture(
            picture.title,
            picture.name,
            original=_add(files, original),
            protected=_add(files, protected),
            difference=_add(files, difference),
            largest_change=int(np.abs(change).max()),
            mean_change=float(np.abs(change).mean()),
            share_changed=float((change != 0).any(axis=2).mean()),
            width=change.shape[1],
            height=change.shape[0],
        )
        for picture, change, (original, protected, difference) in zip(pictures, changes, drawn, strict=True)
    ]
    return shown, files


def _pixels(picture: Picture) -> tuple[Pixels, Pixels]:
    """Original and protected, as whoever looks at the photos sees them."""
    name = f"of defense {picture.title}"
    original, protected = decode_pixels(name, picture.original), decode_pixels(name, picture.protected)
    if original.shape != protected.shape:
        raise DataError(f"the picture of defense {picture.title!r} changes size while it is protected.")
    return original, protected


def _change(original: Pixels, protected: Pixels) -> Change:
    """Protected minus original, in grey levels: array (height, width, 3)."""
    return protected.astype(np.int16) - original.astype(np.int16)


def _drawn(decoded: tuple[Pixels, Pixels]) -> tuple[bytes, bytes, bytes]:
    """Original, protected, and their difference around mid-grey, as files that hold pixels alone."""
    difference = np.clip(128 + AMPLIFICATION * _change(*decoded), 0, 255).astype(np.uint8)
    return _png(decoded[0]), _png(decoded[1]), _png(difference)


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _add(files: dict[str, bytes], content: bytes) -> str:
    name = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.png"
    files[name] = content
    return name
