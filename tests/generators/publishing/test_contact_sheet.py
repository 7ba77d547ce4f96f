"""The contact sheet: deterministic, with placeholders for real people, without what a file tells beside its pixels."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from published_example import example, picture

from bench.core.errors import DataError
from generators.publishing.contact_sheet import contact_sheet
from scenarios.dataset import Dataset, make_dataset


def pixels(sheet: bytes) -> npt.NDArray[np.int64]:
    """The sheet's pixels as signed integers."""
    with Image.open(io.BytesIO(sheet)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)


def green_share(sheet: bytes) -> float:
    """Share of pixels in the colour of real photos."""
    image = pixels(sheet)
    return float(((image[..., 1] > 200) & (image[..., 2] < 80)).mean())


def with_first_photo(image: bytes) -> Dataset:
    """The example with another first photo."""
    dataset = example()
    pairs = dataset.pairs.copy()
    pairs["image"] = [image, *pairs["image"][1:]]
    return make_dataset(dataset.name, dataset.people, pairs, dataset.probes)


def test_equal_datasets_give_equal_sheets() -> None:
    assert contact_sheet(example(), False) == contact_sheet(example(), False)


def test_a_line_a_person_and_a_column_a_photo() -> None:
    image = pixels(contact_sheet(example(), False))
    blue = (image[..., 2] > 200) & (image[..., 1] < 80)
    # Runs of blue along the middle of the first line of tiles: seven scenarios and two new photos.
    line = blue[image.shape[0] // 16 + 80]
    assert int(((~line[:-1]) & line[1:]).sum()) == 9
    column = blue[:, -100]
    assert int(((~column[:-1]) & column[1:]).sum()) == 8


def test_real_photos_only_where_they_are_asked_for() -> None:
    assert green_share(contact_sheet(example(real=True), False)) == 0
    assert green_share(contact_sheet(example(real=True), True)) > 0.05


def test_without_real_people_the_flag_changes_nothing() -> None:
    assert contact_sheet(example(), True) == contact_sheet(example(), False)


def test_nothing_but_pixels_is_copied() -> None:
    assert b"old mill" in picture(0, False)
    assert b"old mill" not in contact_sheet(example(), False)


def test_names_in_any_script_can_be_drawn() -> None:
    dataset = example()
    people = dataset.people.assign(name=["Łucja Øster", "北京", "", *dataset.people["name"][3:]])
    contact_sheet(make_dataset("squares", people, dataset.pairs, dataset.probes), False)


def test_a_damaged_photo_is_named() -> None:
    with pytest.raises(DataError, match="evaluation-000-0"):
        contact_sheet(with_first_photo(picture(0, False)[:60]), False)
