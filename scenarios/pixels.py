"""The one decoder of photos: what owner, attacker, querier and page see is the same picture."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.errors import DataError

Pixels = npt.NDArray[np.uint8]


def open_photo(name: str, image: bytes) -> Image.Image:
    """The picture in RGB, decoded in full. Raises ``DataError`` with the photo's ``name`` where it is broken or cut."""
    try:
        with Image.open(io.BytesIO(image)) as picture:
            return picture.convert("RGB")
    # A damaged file makes PIL raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        raise DataError(f"photo '{name}' cannot be decoded: {' '.join(str(error).split())}.") from error


def decode_pixels(name: str, image: bytes) -> Pixels:
    """The same as uint8 (height, width, 3). Raises as ``open_photo``."""
    return np.array(open_photo(name, image), dtype=np.uint8)
