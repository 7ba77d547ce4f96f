"""What photo files say beside their pixels."""

import pytest
from PIL import Image, PngImagePlugin

from bench.core.progress import quiet
from generators.checks.metadata import check_metadata, left_over
from generators.checks.photos import read_photos

PHOTO_ID = "evaluation-000-8"


@pytest.fixture
def position():
    exif = Image.Exif()
    exif[0x010F] = "a camera maker"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.fixture
def text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    return info


def test_pixels_alone_are_clean(tools):
    for form in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"):
        assert left_over(tools.encoded(tools.picture(1), form)) == []
    assert left_over(tools.encoded(tools.picture(1), "PNG", dpi=(72, 72))) == []


def test_position_is_named(tools, position):
    for form in ("JPEG", "PNG", "WEBP"):
        assert left_over(tools.encoded(tools.picture(1), form, exif=position)) == ["EXIF", "GPS position"]


def test_each_kind_is_named(tools, text):
    image = tools.picture(1)
    assert left_over(tools.encoded(image, "PNG", pnginfo=text)) == ["text 'Author'"]
    assert left_over(tools.encoded(image, "JPEG", comment=b"hello")) == ["comment"]
    assert left_over(tools.encoded(image, "JPEG", xmp=b"<x:xmpmeta/>")) == ["XMP"]
    for form in ("JPEG", "PNG"):
        assert left_over(tools.encoded(image, form, icc_profile=b"profile")) == ["ICC profile"]
    assert left_over(tools.encoded(image, "TIFF", software="editor")) == ["software"]
    for form in ("JPEG", "PNG"):
        assert left_over(tools.encoded(image, form) + b"a film") == ["bytes behind the end"]


@pytest.mark.parametrize(("source", "level"), [("real", "error"), ("rendered", "warning"), ("synthesized", "warning")])
def test_what_is_left_over_is_an_error_in_a_real_photo(example, tools, position, source, level):
    image = tools.encoded(tools.picture(900), "JPEG", exif=position)
    photos, _ = read_photos(example.with_photo(PHOTO_ID, image=image, source=source).dataset, quiet())
    report = check_metadata(photos)
    assert [(one.level, PHOTO_ID in one.row) for one in report.findings] == [(level, True)]
    assert "EXIF, GPS position" in report.findings[0].message
    assert report.figures["photos_with_metadata"] == 1
