"""A file is there whole or not at all."""

from pathlib import Path

import pytest

from bench.core.files import write_whole


def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "photo.png", b"first")
    write_whole(tmp_path / "photo.png", b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"photo.png": b"second"}


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "photo.png").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "photo.png", b"photo")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
