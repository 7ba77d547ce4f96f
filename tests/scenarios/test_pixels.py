"""One decoder: whatever a photo's file holds beside the pixels, everybody sees the same upright picture."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from properties import cases
from tagged_photos import BAD_TAGS, BESIDE, MODES, TURNS, chunk, exif, plain_file, segment, tagged

from bench.core.errors import DataError
from scenarios.photo_files import describe_file
from scenarios.pixels import LEAST_SIDE, MOST_STRETCHED, content_problem, decode_pixels, open_photo, shape_problem


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, bytes, int]:
    """A plain file, the same pixels with tags and more, and the orientation."""
    form = draw(st.sampled_from(sorted(MODES)))
    sizes = st.integers(1, 40)
    plain = plain_file(
        form, draw(st.sampled_from(MODES[form])), draw(sizes), draw(sizes), seed=draw(st.integers(0, 99))
    )
    turn = draw(st.sampled_from(sorted(TURNS)))
    tags = exif(turn, *BAD_TAGS[draw(st.sampled_from(sorted(BAD_TAGS)))])
    beside = draw(st.lists(st.sampled_from(sorted(BESIDE[form])), max_size=3, unique=True))
    return plain, tagged(form, plain, tags, b"".join(BESIDE[form][name] for name in beside)), turn


@cases()
@given(files())
def test_a_photo_with_tags_is_the_upright_photo_without_them(drawn: tuple[bytes, bytes, int]) -> None:
    plain, file, turn = drawn
    assert describe_file(file).orientation == turn
    assert np.array_equal(decode_pixels("drawn", file), TURNS[turn](decode_pixels("drawn", plain)))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_nothing_beside_the_pixels_costs_a_photo_or_its_orientation(form: str) -> None:
    plain = plain_file(form, "RGB", 30, 20, seed=1)
    upright = TURNS[6](decode_pixels("plain", plain))
    for name, beside in BESIDE[form].items():
        assert np.array_equal(decode_pixels(name, tagged(form, plain, exif(6), beside)), upright), name
    for name, tags in BAD_TAGS.items():
        assert np.array_equal(decode_pixels(name, tagged(form, plain, exif(6, *tags), b"")), upright), name


@pytest.mark.parametrize("tags", [b"", b"II*\0", b"\xff" * 40, exif(6)[:14], exif(99)])
def test_tags_that_end_early_or_mean_nothing_turn_nothing(tags: bytes) -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        plain = plain_file(form, "RGB", 30, 20, seed=2)
        assert np.array_equal(decode_pixels("x", tagged(form, plain, tags, b"")), decode_pixels("x", plain))


def test_what_stands_behind_the_pixels_costs_no_photo() -> None:
    plain = plain_file("PNG", "RGB", 30, 20, seed=3)
    late = plain[:-12] + BESIDE["PNG"]["a text of megabytes"] + plain[-12:]
    assert np.array_equal(decode_pixels("late", late), decode_pixels("plain", plain))


@pytest.mark.parametrize("beside", sorted(BESIDE["JPEG"]))
def test_a_photo_that_is_cut_stays_an_error(beside: str) -> None:
    file = tagged("JPEG", plain_file("JPEG", "RGB", 200, 200, seed=4), exif(6), BESIDE["JPEG"][beside])
    with pytest.raises(DataError, match="'cut' cannot be decoded"):
        decode_pixels("cut", file[: len(file) // 2])


def test_sixteen_bits_of_grey_keep_their_range() -> None:
    grey = np.linspace(0, 65535, 64 * 4).reshape(4, 64).astype(np.uint16)
    for form in ("PNG", "TIFF"):
        shown = decode_pixels("grey", encoded(Image.fromarray(grey), form))
        assert np.abs(shown - grey[:, :, None] / 257).max() <= 0.5


def test_grey_levels_of_no_stated_range_are_refused() -> None:
    for values in (np.zeros((20, 20), np.int32), np.zeros((20, 20), np.float32)):
        with pytest.raises(DataError, match="'tiff' cannot be decoded: its grey levels have 32 bits"):
            open_photo("tiff", encoded(Image.fromarray(values), "TIFF"))


def test_what_is_clear_is_white() -> None:
    clear = np.zeros((20, 20, 4), np.uint8)
    clear[:10, :, 3] = 255
    shown = decode_pixels("clear", encoded(Image.fromarray(clear), "PNG"))
    assert (shown[:10] == 0).all() and (shown[10:] == 255).all()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_of_several_pictures_the_first_is_seen(form: str) -> None:
    first, second = (Image.new("RGB", (20, 30), colour) for colour in ("#ff0000", "#0000ff"))
    options = {"lossless": True} if form == "WEBP" else {}
    file = encoded(first, form, save_all=True, append_images=[second], **options)
    assert describe_file(file).frames == 2
    red, _, blue = decode_pixels("moving", file)[5, 5]
    assert red > 250 and blue < 5


def test_a_tiff_is_turned_once() -> None:
    plain = Image.fromarray(decode_pixels("x", plain_file("PNG", "RGB", 30, 20, seed=5)))
    tags = Image.Exif()
    tags[0x112] = 6
    assert np.array_equal(decode_pixels("tiff", encoded(plain, "TIFF", exif=tags)), TURNS[6](np.asarray(plain)))


def test_a_header_that_promises_too_much_is_not_decoded() -> None:
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes([0, 0, 35, 40, 0, 0, 31, 64, 8, 2, 0, 0, 0])) + chunk(b"IEND", b"")
    )
    with pytest.raises(DataError, match="9000 x 8000 pixels, more than 64 million"):
        open_photo("bomb", bomb)


def test_a_segment_of_no_length_ends_the_search() -> None:
    broken = b"\xff\xd8" + segment(0xE0, b"JFIF\0")[:2] + b"\0\0" + b"\xff\xff\xff"
    with pytest.raises(DataError, match="cannot be decoded"):
        open_photo("broken", broken)


def test_photos_that_show_nothing_are_told_from_those_that_show_little() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    assert "colour 0, 0, 0" in str(content_problem(black))
    assert content_problem(black + np.random.default_rng(0).integers(0, 4, black.shape).astype(np.uint8)) is not None
    night = black.copy()
    night[30:34, 20:40] = 40
    assert content_problem(night) is None


@pytest.mark.parametrize("size", [(LEAST_SIDE - 1, 50), (LEAST_SIDE, LEAST_SIDE * MOST_STRETCHED + 1)])
def test_strips_and_specks_are_told(size: tuple[int, int]) -> None:
    assert f"{size[0]} x {size[1]} pixels" in str(shape_problem(size))
    assert shape_problem(size[::-1]) is not None
    assert shape_problem((LEAST_SIDE, LEAST_SIDE * MOST_STRETCHED)) is None
