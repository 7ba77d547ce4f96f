"""A photo's file: what it says of itself, and its picture though what stands beside the pixels is broken."""

import io
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from PIL import Image

T = TypeVar("T")

# Of tags that are thrown away, and of many pixels, which whoever decodes looks at. For the whole process: warnings
# cannot be silenced for one of several threads.
warnings.filterwarnings("ignore", module=r"PIL\.")

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I"}
"""EXIF's types of whole numbers, as struct writes them."""
PNG_START = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8\xff"
_PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG_PIXELS = tuple(bytes([marker]) for marker in range(256) if marker not in (*range(0xE0, 0xF0), 0xFE))
# The most needed first: orientation, colour transform, JFIF's mark, profile of colours.
_PNG_BESIDE = (b"eXIf", b"iCCP")
_JPEG_BESIDE = (b"\xe1", b"\xee", b"\xe0", b"\xe2")
_SCAN = 0xDA


@dataclass(frozen=True)
class PhotoFile:
    """Format as Pillow calls it, width and height as stored, number of pictures, and EXIF's orientation, 1 to 8."""

    form: str
    size: tuple[int, int]
    frames: int
    orientation: int


def describe_file(image: bytes) -> PhotoFile:
    """What an encoded photo says of itself. Raises what Pillow raises for a file that is no picture."""

    def describe(stream: BinaryIO) -> PhotoFile:
        with Image.open(stream) as picture:
            frames = getattr(picture, "n_frames", 1)
            return PhotoFile(picture.format or "", picture.size, frames, orientation(picture))

    return leniently(image, describe)


def leniently(image: bytes, read: Callable[[BinaryIO], T]) -> T:
    """What ``read`` makes of an encoded photo, where need be of less and less of what stands beside the pixels.

    A text, a profile or a tag that cannot be read costs no photo: it is thrown away in the end. Raises what ``read``
    raises about the whole file.
    """
    try:
        return read(io.BytesIO(image))
    # A damaged file makes Pillow raise nearly anything, SyntaxError and struct.error included.
    except Exception:
        for less in _with_less(image):
            with suppress(Exception):
                return read(io.BytesIO(less))
        raise


def orientation(picture: Image.Image) -> int:
    """How the stored picture has to be turned, as EXIF numbers it; 1, upright, where no tag says so legibly."""
    stored = _stored_orientation(picture.info.get("exif", b""))
    if stored is not None:
        return stored
    try:
        said = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # as above
        return 1
    return int(said) if said in _TURNS else 1


def _stored_orientation(exif: bytes) -> int | None:
    """The orientation in a block of EXIF, 1 to 8, or None. Pillow stops at a tag that is cut off, whatever follows."""
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    with suppress(struct.error):
        (start,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, place)
            if tag == _ORIENTATION:
                (value,) = struct.unpack_from(f"{order}{_WHOLE_NUMBERS.get(kind, 'B')}", block, place + 8)
                return value if value in range(1, 9) else None
    return None


def turned_upright(picture: Image.Image) -> Image.Image:
    """The picture as it has to be looked at. Pillow's own function writes the tags anew, and fails on a wrong one."""
    picture.load()  # a TIFF is turned by Pillow while it is loaded, and says so only then
    turn = _TURNS.get(orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def _with_less(image: bytes) -> Iterator[bytes]:
    """The file without what is neither pixels nor on a list, then without the list's last, and so on."""
    if image.startswith(PNG_START):
        yield from _thinner(PNG_START, list(png_chunks(image)), _PNG_PIXELS, _PNG_BESIDE)
    elif image.startswith(_JPEG_START):
        yield from _thinner(image[:2], list(_jpeg_parts(image)), _JPEG_PIXELS, _JPEG_BESIDE)


def _thinner(
    start: bytes, parts: Sequence[tuple[bytes, bytes]], pixels: Sequence[bytes], beside: Sequence[bytes]
) -> Iterator[bytes]:
    for number in range(len(beside), -1, -1):
        kept = (*pixels, *beside[:number])
        yield start + b"".join(content for kind, content in parts if kind in kept)


def png_chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the bytes of each chunk of a PNG file, its length, kind and checksum among them."""
    place = len(PNG_START)
    while place + 8 <= len(image):
        (length,) = struct.unpack(">I", image[place : place + 4])
        yield image[place + 4 : place + 8], image[place : place + 12 + length]
        place += 12 + length


def _jpeg_parts(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The marker and the bytes of each segment; everything from the first scan on is one."""
    place = 2
    while place + 4 <= len(image) and image[place] == 0xFF and image[place + 1] != _SCAN:
        (length,) = struct.unpack(">H", image[place + 2 : place + 4])
        is_fill = image[place + 1] == 0xFF
        after = place + (1 if is_fill else 2 + length)
        yield image[place + 1 : place + 2], image[place:after]
        place = after
    yield bytes([_SCAN]), image[place:]
