"""Photos: decoding, shapes and face boxes, with errors that name the photo."""

import io

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DataError
from bench.defenses.photo import Photo, decode_photo, encode_png
from scenarios.pixels import decode_pixels


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_png_keeps_every_pixel_and_equal_pixels_give_equal_bytes() -> None:
    pixels = picture()
    assert np.array_equal(decode_pixels("a", encode_png(pixels)), pixels)
    assert encode_png(pixels) == encode_png(pixels.copy())


def test_a_grey_picture_becomes_three_channels() -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture()[:, :, 0]).save(buffer, format="PNG")
    assert decode_pixels("a", buffer.getvalue()).shape == (20, 30, 3)


@pytest.mark.parametrize("kept_share", [0.05, 0.5, 0.9])
def test_a_truncated_png_names_the_photo(kept_share: float) -> None:
    whole = encode_png(picture())
    with pytest.raises(DataError, match="'p007-home' cannot be decoded"):
        decode_photo("p007-home", whole[: int(len(whole) * kept_share)])


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_bytes_that_are_no_picture_name_the_photo(content: bytes) -> None:
    with pytest.raises(DataError, match="'p007-home' cannot be decoded"):
        decode_pixels("p007-home", content)


def test_damaged_png_data_names_the_photo() -> None:
    whole = bytearray(encode_png(picture()))
    middle = len(whole) // 2
    whole[middle : middle + 20] = bytes(20)
    with pytest.raises(DataError, match="'p007-home'"):
        decode_pixels("p007-home", bytes(whole))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_wrong_pixels_name_the_photo(pixels: np.ndarray) -> None:
    with pytest.raises(DataError, match="'odd': pixels must be uint8"):
        Photo("odd", pixels)


def test_a_face_box_is_cut_to_the_photo() -> None:
    photo = decode_photo("a", encode_png(picture()), np.array([-4, 5, 99, 18]))
    assert photo.face_box == (0, 5, 30, 18)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (40, 2, 50, 9), (9, 9, 3, 3)])
def test_a_face_box_beside_the_photo_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(DataError, match="'a': face_box"):
        Photo("a", picture(), box)
