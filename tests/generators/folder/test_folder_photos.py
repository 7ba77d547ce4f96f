"""What happens to the pixels and to everything else in a photo's file."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin
from properties import cases
from tagged_photos import BAD_TAGS, BESIDE, MODES, TURNS, plain_file, tagged
from tagged_photos import exif as any_exif

from generators.folder.photos import PhotoProblem, clean_photo
from scenarios.pixels import decode_pixels

ORIENTATION, MAKE, SOFTWARE, GPS = 0x0112, 0x010F, 0x0131, 0x8825
SECRET = b"SECRET"


def ramp(width=60, height=40):
    """Smooth, and every corner another colour."""
    down, across = np.mgrid[0:height, 0:width]
    return np.stack([across * 4, down * 6, 255 - across * 2 - down * 3], axis=2).astype(np.uint8)


def encoded(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def exif(orientation=1):
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    tags[MAKE] = tags[SOFTWARE] = SECRET.decode()
    place = tags.get_ifd(GPS)
    place[1], place[2], place[3], place[4] = "N", (48.0, 51.0, 29.0), "E", (2.0, 17.0, 40.0)
    return tags


def cleaned(tmp_path: Path, content: bytes, name="photo.jpg", max_side=1024):
    path = tmp_path / name
    path.write_bytes(content)
    (tmp_path / "work").mkdir(exist_ok=True)
    return clean_photo(path, max_side, tmp_path / "work")


def pixels_of(clean):
    with Image.open(io.BytesIO(clean.image)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", clean.size)
        return np.asarray(picture).astype(int)


def chunks_of(png: bytes):
    names, place = [], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        names.append(png[place + 4 : place + 8])
        place += 12 + length
    return set(names)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 95}),
    ],
)
def test_the_formats_that_people_have_keep_their_pixels_and_lose_everything_else(form, options, tmp_path):
    text = {}
    if form == "PNG":
        text["pnginfo"] = PngImagePlugin.PngInfo()
        text["pnginfo"].add_text("Comment", SECRET.decode())
    if form != "PNG":
        text["xmp"] = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    if form == "JPEG":
        text["comment"] = SECRET
    content = encoded(Image.fromarray(ramp()), form, exif=exif(), dpi=(300, 300), **text, **options)
    assert SECRET in content
    clean = cleaned(tmp_path, content)
    assert np.abs(pixels_of(clean) - ramp()).mean() < 3
    assert SECRET not in clean.image
    assert chunks_of(clean.image) == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(io.BytesIO(clean.image)) as picture:
        assert not picture.info and not picture.getexif()


def test_the_place_where_a_photo_was_taken_is_gone(tmp_path):
    content = encoded(Image.fromarray(ramp()), "JPEG", exif=exif())
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.getexif().get_ifd(GPS)
    with Image.open(io.BytesIO(cleaned(tmp_path, content).image)) as picture:
        assert not picture.getexif().get_ifd(GPS)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_photo_stands_upright(orientation, form, tmp_path):
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "PNG": {}, "WEBP": {"lossless": True}}[form]
    content = encoded(Image.fromarray(ramp()), form, exif=exif(orientation), **options)
    turned = pixels_of(cleaned(tmp_path, content))
    assert np.abs(turned - TURNS[orientation](ramp())).mean() < 3


@cases(share=0.5)
@given(st.data())
def test_what_a_photo_holds_beside_its_pixels_changes_nothing(tmp_path_factory, data):
    form = data.draw(st.sampled_from(sorted(MODES)))
    plain = plain_file(form, data.draw(st.sampled_from(MODES[form])), 30, 20, seed=data.draw(st.integers(0, 9)))
    turn, bad = (data.draw(st.sampled_from(sorted(some))) for some in (TURNS, BAD_TAGS))
    beside = BESIDE[form][data.draw(st.sampled_from(sorted(BESIDE[form])))]
    content = tagged(form, plain, any_exif(turn, *BAD_TAGS[bad]), beside)
    clean = cleaned(tmp_path_factory.mktemp("photo"), content)
    upright = TURNS[turn](decode_pixels("plain", plain))
    assert (decode_pixels("clean", clean.image) == upright).all()
    assert (decode_pixels("as it was", content) == upright).all()


def test_a_damaged_profile_of_colours_does_no_harm(tmp_path):
    content = encoded(Image.fromarray(ramp()), "PNG", icc_profile=b"no profile at all")
    assert (pixels_of(cleaned(tmp_path, content)) == ramp()).all()


def test_colours_of_another_space_become_srgb(tmp_path):
    lab = ImageCms.createProfile("LAB")
    srgb = ImageCms.createProfile("sRGB")
    stored = ImageCms.profileToProfile(Image.fromarray(ramp()), srgb, lab, outputMode="LAB")
    # A profile with the red and blue of sRGB swapped says that red is stored where blue usually is.
    profile = bytearray(ImageCms.ImageCmsProfile(srgb).tobytes())
    swapped = bytes(profile).replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
    content = encoded(Image.fromarray(ramp()[:, :, ::-1].copy()), "PNG", icc_profile=swapped)
    assert stored.mode == "LAB"
    assert np.abs(pixels_of(cleaned(tmp_path, content)) - ramp()).mean() < 3


def test_what_is_clear_becomes_white(tmp_path):
    clear = np.dstack([ramp(), np.full((40, 60), 255, np.uint8)])
    clear[:20, :, 3] = 0
    clean = pixels_of(cleaned(tmp_path, encoded(Image.fromarray(clear), "PNG")))
    assert (clean[:20] == 255).all() and (clean[20:] == ramp()[20:]).all()


def test_a_palette_with_a_clear_colour_becomes_colours_on_white(tmp_path):
    palette = Image.new("P", (4, 2), 0)
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((0, 0), 1)
    clean = pixels_of(cleaned(tmp_path, encoded(palette, "PNG", transparency=1)))
    assert clean[0, 0].tolist() == [255, 255, 255] and clean[1, 3].tolist() == [10, 20, 30]


def test_sixteen_bits_of_grey_keep_their_range(tmp_path):
    grey = np.linspace(0, 65535, 64 * 4).reshape(4, 64).astype(np.uint16)
    clean = pixels_of(cleaned(tmp_path, encoded(Image.fromarray(grey), "PNG")))
    assert np.abs(clean - grey[:, :, None] / 257).max() <= 0.5


@pytest.mark.parametrize(("mode", "form"), [("L", "JPEG"), ("CMYK", "JPEG"), ("1", "PNG"), ("LA", "PNG")])
def test_other_kinds_of_pixels_become_colours(mode, form, tmp_path):
    grey = Image.fromarray(np.tile(np.repeat(np.array([0, 255], np.uint8), 16), (32, 1)))
    options = {"quality": 95} if form == "JPEG" else {}
    clean = pixels_of(cleaned(tmp_path, encoded(grey.convert("RGB").convert(mode), form, **options)))
    assert clean[4, 4].max() < 12 and clean[4, 28].min() > 243


def test_a_large_photo_is_scaled_down_and_a_small_one_is_left(tmp_path):
    large = cleaned(tmp_path, encoded(Image.fromarray(ramp(600, 400)), "PNG"), max_side=150)
    assert large.size == (150, 100) and large.scale == 0.25
    small = cleaned(tmp_path, encoded(Image.fromarray(ramp()), "PNG"), max_side=60)
    assert small.size == (60, 40) and small.scale == 1


def test_a_very_long_photo_keeps_a_pixel_of_height(tmp_path):
    assert cleaned(tmp_path, encoded(Image.new("RGB", (900, 1)), "PNG"), max_side=90).size == (90, 1)


def test_a_face_box_is_scaled_with_the_photo_after_it_was_turned(album):
    content = encoded(Image.fromarray(ramp(80, 40)), "JPEG", exif=exif(6))
    album.add("turned.jpg", "p1", "Anna Lund", content, scenario="home", answer="brick house", face_box="7,10,41,75.5")
    album.options["max_side"] = 40
    album.write_csv()
    pair = album.build().pairs.set_index("pair_id").loc["turned"]
    with Image.open(io.BytesIO(pair["image"])) as picture:
        assert picture.size == (20, 40)
    assert pair["face_box"] == [3, 5, 20, 38]


def test_the_ending_of_a_file_s_name_does_not_matter(tmp_path):
    clean = cleaned(tmp_path, encoded(Image.fromarray(ramp()), "PNG"), name="photo.jpeg")
    assert (pixels_of(clean) == ramp()).all()


def test_heic_is_read_where_the_library_is_installed(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    photo = pillow_heif.from_pillow(Image.fromarray(ramp(64, 48)))
    photo.save(buffer, quality=95, exif=exif().tobytes())
    clean = cleaned(tmp_path, buffer.getvalue())
    assert np.abs(pixels_of(clean) - ramp(64, 48)).mean() < 8
    assert SECRET not in clean.image
    with pytest.raises(PhotoProblem, match="cannot be decoded"):
        cleaned(tmp_path, buffer.getvalue()[:900], name="cut.heic")


def test_heic_names_the_library_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoProblem, match="pip install pillow-heif"):
        cleaned(tmp_path, b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", name="photo.heic")
