"""Tables on disk: small row groups, each photo once, any size, and columns that every version of ``datasets`` reads."""

import functools
import itertools
import json
import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from scenarios.tables import BYTES_PER_GROUP, PAIRS, PROBES, make_frame, read_table, write_table


def pairs(images: list[bytes]) -> pd.DataFrame:
    """A pairs table of these photos."""
    texts = {
        name: name for name in ("person_id", "scenario", "description", "source", "generator", "licence", "consent")
    }
    rows: list[dict[str, Any]] = [
        {"pair_id": str(number), "image": image, "face_box": None, "shows": [], **texts}
        for number, image in enumerate(images)
    ]
    return make_frame(rows, PAIRS)


def groups(path: Path, images: list[bytes]) -> list[list[bytes]]:
    """The photos of each row group of a file that holds ``images`` in order."""
    with pq.ParquetFile(path) as file:
        rows = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    ends = np.cumsum(rows)
    return [images[end - count : end] for count, end in zip(rows, ends, strict=True)]


@cases()
@given(st.lists(st.binary(max_size=300), max_size=12), st.integers(1, 400))
def test_no_row_group_holds_more_than_it_may(tmp_path_factory, images: list[bytes], most: int) -> None:
    path = tmp_path_factory.mktemp("table") / "pairs.parquet"
    frame = pairs(images)
    write_table(frame, path, PAIRS, most)
    found = groups(path, images)
    assert functools.reduce(operator.iadd, found, []) == images
    assert all(len(group) == 1 or sum(map(len, group)) <= most for group in found)
    # No group could have taken the next one's first photo, too.
    assert all(sum(map(len, group)) + len(behind[0]) > most for group, behind in itertools.pairwise(found))
    pd.testing.assert_frame_equal(read_table(path, PAIRS), frame)


def test_pages_can_be_found_without_reading_a_group(tmp_path: Path) -> None:
    write_table(pairs([b"1", b"2"]), tmp_path / "pairs.parquet", PAIRS)
    with pq.ParquetFile(tmp_path / "pairs.parquet") as file:
        column = file.metadata.row_group(0).column(0)
    assert column.has_column_index and column.has_offset_index


def test_a_photo_in_many_rows_is_stored_once_and_held_once(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).bytes(200_000)
    write_table(pairs([photo] * 100), tmp_path / "pairs.parquet", PAIRS)
    assert (tmp_path / "pairs.parquet").stat().st_size < 1.2 * len(photo)
    images = read_table(tmp_path / "pairs.parquet", PAIRS)["image"]
    assert len({id(image) for image in images}) == 1


@pytest.mark.parametrize("schema", [PAIRS, PROBES])
def test_columns_are_described_in_words_that_old_and_new_versions_know(schema: Any, tmp_path: Path) -> None:
    frame = make_frame([], schema)
    write_table(frame, tmp_path / "table.parquet", schema)
    stored = json.loads(pq.read_schema(tmp_path / "table.parquet").metadata[b"huggingface"])
    assert {feature["_type"] for feature in stored["info"]["features"].values()} == {"Value", "Image", "Sequence"}


@pytest.mark.slow
def test_more_photos_than_an_array_can_hold_are_read_back(tmp_path: Path) -> None:
    images = [number.to_bytes(2, "big") + bytes(BYTES_PER_GROUP - 2) for number in range(22)]
    assert sum(map(len, images)) > 2**31
    write_table(pairs(images), tmp_path / "pairs.parquet", PAIRS)
    assert read_table(tmp_path / "pairs.parquet", PAIRS)["image"].tolist() == images
