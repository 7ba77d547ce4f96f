"""Copies across splits and people are found, whatever was done to them; different photos are not taken for copies."""

import io

import pytest
from PIL import Image, ImageEnhance, ImageOps

from bench.core.progress import quiet
from generators.checks.duplicates import check_duplicates
from generators.checks.hashing import NEAR, HashedPhotos
from generators.checks.photos import read_photos

TRAINED, ASKED = "evaluation-000-2", "evaluation-000-8"


def check(example):
    photos, _ = read_photos(example.dataset, quiet())
    return check_duplicates(photos, HashedPhotos(photos, quiet()))


def levels(report):
    return [one.level for one in report.findings]


def opened(image):
    return Image.open(io.BytesIO(image)).convert("RGB")


def test_different_photos_are_no_copies(example):
    report = check(example)
    assert report.findings == ()
    assert report.figures["fewest_bits_between_probe_and_training_photo"] > NEAR


def test_a_probe_on_a_training_photo_is_an_error(example):
    report = check(example.with_photo(ASKED, image=example.image(TRAINED)))
    assert levels(report) == ["error"]
    assert ASKED in report.findings[0].row and TRAINED in report.findings[0].message
    assert "7 more rows alike" in report.findings[0].message


def test_equal_pixels_in_another_file_are_an_error(example, tools):
    again = tools.encoded(opened(example.image(TRAINED)), "BMP")
    report = check(example.with_photo(ASKED, image=again))
    assert levels(report) == ["error"]
    assert "has the pixels of the training photo" in report.findings[0].message
    assert (report.figures["exact_duplicates"], report.figures["near_duplicates"]) == (1, 0)


def cut(share):
    def change(image):
        width, height = image.size
        box = (share * width, share * height / 2, width, height - share * height / 2)
        return image.resize(image.size, Image.Resampling.BICUBIC, box=box)

    return change


COPIES = {
    "smaller": lambda image: image.resize((40, 40)),
    "larger": lambda image: image.resize((150, 150)),
    "another shape": lambda image: image.resize((90, 60)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "grey": lambda image: image.convert("L"),
    "cut": cut(0.05),
    "mirrored and cut": lambda image: ImageOps.mirror(cut(0.06)(image)),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_changed_copy_among_the_probes_is_an_error(example, tools, change):
    copy = tools.encoded(COPIES[change](opened(example.image(TRAINED))))
    report = check(example.with_photo(ASKED, image=copy))
    assert levels(report) == ["error"]
    assert ASKED in report.findings[0].row and "is nearly the training photo" in report.findings[0].message
    assert report.figures["near_duplicates"] == 1


def test_recompression_hides_no_copy(example, tools):
    copy = tools.encoded(opened(example.image(TRAINED)), "JPEG", quality=20)
    assert levels(check(example.with_photo(ASKED, image=copy))) == ["error"]


def test_one_photo_of_two_people_is_an_error(example):
    report = check(example.with_photo("evaluation-001-8", image=example.image(ASKED)))
    assert levels(report) == ["error"]
    assert "filed under evaluation-000 and evaluation-001" in report.findings[0].message


def test_nearly_one_photo_of_two_people_is_a_warning(example, tools):
    copy = tools.encoded(opened(example.image(ASKED)), "JPEG", quality=40)
    report = check(example.with_photo("stranger-001-1", image=copy))
    assert levels(report) == ["warning"]
    assert "stranger-001-1" in report.findings[0].row and ASKED in report.findings[0].message


def test_two_like_training_photos_of_one_person_are_allowed(example, tools):
    copy = tools.encoded(opened(example.image(TRAINED)), "JPEG", quality=40)
    assert check(example.with_photo("evaluation-000-3", image=copy)).findings == ()


def test_a_member_probe_must_show_a_training_photo(example, tools):
    dataset = example.dataset
    members = dataset.probes["kind"] == "member"
    first = dataset.probes.index[members][0]
    dataset.probes.at[first, "image"] = tools.encoded(tools.picture(900))
    photos, _ = read_photos(dataset, quiet())
    report = check_duplicates(photos, HashedPhotos(photos, quiet()))
    assert [(one.level, "in no pair" in one.message) for one in report.findings] == [("warning", True)]


def test_flat_photos_are_not_all_taken_for_one(example, tools):
    spoilt = example.with_photos(
        lambda row: (
            {"image": tools.encoded(Image.new("RGB", (64, 64), (len(row["photo_id"]), 9, hash(row["photo_id"]) % 256)))}
            if row["photo_id"] in (TRAINED, ASKED)
            else {}
        )
    )
    report = check(spoilt)
    assert levels(report) == ["note"]
    assert "2 photos of one flat colour" in report.findings[0].message
