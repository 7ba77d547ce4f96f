"""Photos that cannot be decoded, are too large, hold more than one picture, or a face box outside of them."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tagged_photos import BAD_TAGS, BESIDE, TURNS, exif, tagged

from bench.core.progress import quiet
from generators.checks.photos import read_photos
from generators.checks.run import run_checks
from generators.publishing.photos import dataset_photos, thumbnail
from scenarios.pixels import decode_pixels


def read(example):
    photos, report = read_photos(example.dataset, quiet())
    return photos, [(one.level, one.row, one.message) for one in report.findings]


def test_each_distinct_photo_is_read_once_with_all_its_rows(example):
    photos, findings = read(example)
    assert findings == []
    portrait = next(photo for photo in photos if "evaluation-000-7" in photo.row)
    assert len(portrait.uses) == 8 and {use.split for use in portrait.uses} == {"probe"}
    shown = next(photo for photo in photos if photo.row == "pairs home/evaluation-000-0")
    assert {use.split for use in shown.uses} == {"training", "member"}
    assert shown.grey is not None and shown.grey.shape == (128, 128)


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_every_photo_that_does_not_decode_is_named(example, damage):
    spoilt = example
    for photo_id in ("evaluation-000-0", "stranger-001-1"):
        whole = example.image(photo_id)
        broken = {"cut": whole[: len(whole) * 2 // 3], "empty": b"", "text": photo_id.encode()}[damage]
        spoilt = spoilt.with_photo(photo_id, image=broken)
    photos, findings = read(spoilt)
    assert len(photos) == 54
    assert all(level == "error" and "cannot be decoded" in message for level, _, message in findings)
    assert "evaluation-000-0" in findings[0][1]
    if damage != "empty":
        assert "stranger-001-1" in findings[1][1] and "1 more row alike" in findings[1][2]


def test_a_header_that_promises_too_much_is_not_decoded(example, tools):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 9000, 8000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    _, findings = read(example.with_photo("evaluation-000-8", image=bomb))
    assert [level for level, _, _ in findings] == ["error"]
    assert "9000 x 8000 pixels, more than 64 million" in findings[0][2]


def test_further_pictures_in_a_file_are_told(example, tools):
    moving = tools.encoded(tools.picture(900), "GIF", save_all=True, append_images=[tools.picture(901)])
    _, findings = read(example.with_photo("evaluation-000-8", image=moving))
    assert [(level, "2 pictures" in message) for level, _, message in findings] == [("warning", True)]


def test_a_face_box_outside_the_photo_is_told(example):
    _, findings = read(example.with_photo("evaluation-001-2", face_box=[10, 10, 65, 40]))
    assert [(level, "evaluation-001-2" in row) for level, row, _ in findings] == [("error", True)]
    assert "face_box 10, 10, 65, 40 reaches beyond the photo of 64 x 64" in findings[0][2]


def test_a_dataset_without_one_good_photo_is_checked_to_the_end(example):
    broken = example.with_photos(lambda row: {"image": row["photo_id"].encode()}).dataset
    report = run_checks(broken, None, quiet(), [example.dataset])
    assert sum(one.check == "decodable" for one in report.findings) == 56


def test_a_photo_that_shows_nothing_is_an_error(example, tools):
    black = tools.encoded(Image.new("RGB", (64, 64)))
    _, findings = read(example.with_photo("evaluation-001-2", image=black))
    assert [(level, "evaluation-001-2" in row) for level, row, _ in findings] == [("error", True)]
    assert "the photo shows nothing: all of it has about the colour 0, 0, 0." in findings[0][2]


def test_a_strip_is_an_error(example, tools):
    strip = tools.encoded(tools.picture(5).resize((2300, 11)))
    _, findings = read(example.with_photo("evaluation-001-2", image=strip, face_box=None))
    assert [(level, "has 2300 x 11 pixels, and 200 to 1" in message) for level, _, message in findings] == [
        ("error", True)
    ]


def test_a_photo_that_is_still_to_be_turned_is_an_error_and_read_upright(example, tools):
    plain = tools.encoded(tools.picture(5).crop((0, 0, 60, 40)))
    sideways = tagged("PNG", plain, exif(6, *BAD_TAGS["resolution unit as text"]), b"")
    spoilt = example.with_photo("evaluation-001-2", image=sideways, face_box=[0, 0, 40, 60])
    _, findings = read(spoilt)
    assert [(level, "orientation 6" in message) for level, _, message in findings] == [("error", True)]
    (row,) = (row for row in dataset_photos(spoilt.dataset) if row.image == sideways)
    assert np.array_equal(np.asarray(thumbnail(row, 64)), TURNS[6](decode_pixels("plain", plain)))


def test_a_photo_with_a_text_of_megabytes_is_checked_to_the_end(example, tools):
    large = tagged("PNG", example.image("evaluation-001-2"), exif(1), BESIDE["PNG"]["a text of megabytes"])
    report = run_checks(example.with_photo("evaluation-001-2", image=large).dataset, None, quiet())
    assert [one.message for one in report.findings if one.check == "metadata"] == [
        "the file still holds EXIF, text 'Comment': save the pixels alone."
    ]
