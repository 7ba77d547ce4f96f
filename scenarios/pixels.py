"""The one decoder of photos: what owner, attacker, querier and page see is the same picture."""

from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import DataError
from scenarios.photo_files import leniently, turned_upright

Pixels = npt.NDArray[np.uint8]

MOST_PIXELS = 64_000_000
"""A photo of more pixels is not decoded: its header may promise a size that fills the memory."""
LEAST_SIDE = 11
"""Pixels: the window that structural similarity looks through."""
MOST_STRETCHED = 200
"""A photo whose longer side is more than so many times the shorter one is refused by Qwen-VL's image processor."""
LEAST_DEVIATION = 2.0
"""A photo whose levels, 0 to 255, deviate by less in every channel shows nothing."""


def open_photo(name: str, image: bytes) -> Image.Image:
    """The picture in RGB, decoded in full, upright, and on white where it is clear.

    What stands beside the pixels, a profile of colours included, decides on nothing else and costs no photo. Raises
    ``DataError`` with the photo's ``name`` where it is broken, cut, or above ``MOST_PIXELS``, and for grey levels
    whose range nobody states.
    """
    try:
        return leniently(image, _decode)
    # A damaged file makes PIL raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        raise DataError(f"photo '{name}' cannot be decoded: {' '.join(str(error).split()).rstrip('.')}.") from error


def decode_pixels(name: str, image: bytes) -> Pixels:
    """The same as uint8 (height, width, 3). Raises as ``open_photo``."""
    return np.array(open_photo(name, image), dtype=np.uint8)


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, on white where it is clear; its colours stay as they are coded.

    Raises ``ValueError`` for 32 bits of grey.
    """
    if picture.mode.startswith("I;16"):  # Pillow would cut these off at 255 rather than scale them
        return Image.fromarray(((np.asarray(picture).astype(np.uint32) + 128) // 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError("its grey levels have 32 bits, and which of them is white nobody states: save it with 8 bits")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")


def photo_problem(pixels: Pixels) -> str | None:
    """Why nobody could look at a photo, as the end of a sentence about it, or None."""
    return shape_problem((pixels.shape[1], pixels.shape[0])) or content_problem(pixels)


def shape_problem(size: tuple[int, int]) -> str | None:
    """Why a photo of that width and height is too thin for some of those who look at it, or None."""
    width, height = size
    if min(size) < LEAST_SIDE:
        return f"has {width} x {height} pixels, and {LEAST_SIDE} a side are the fewest"
    if max(size) > MOST_STRETCHED * min(size):
        return f"has {width} x {height} pixels, and {MOST_STRETCHED} to 1 is the most that a photo is stretched"
    return None


def content_problem(pixels: Pixels) -> str | None:
    """That a photo shows nothing, being black or of any other one colour, or None."""
    channels = pixels.reshape(-1, 3)
    if (channels.std(axis=0) >= LEAST_DEVIATION).any():
        return None
    red, green, blue = channels.mean(axis=0).round().astype(int)
    return f"shows nothing: all of it has about the colour {red}, {green}, {blue}"


def _decode(stream: BinaryIO) -> Image.Image:
    with Image.open(stream) as picture:
        check_pixel_count(picture.size)
        return in_eight_bits(turned_upright(picture)).convert("RGB")


def check_pixel_count(size: tuple[int, int]) -> None:
    """Raise ``ValueError`` for a width and height of more than ``MOST_PIXELS``."""
    width, height = size
    if width * height > MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise ValueError(f"it has {width} x {height} pixels, more than {most} million: make it smaller")
