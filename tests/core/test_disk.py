"""What keeps a folder from being written to is known before anything is."""

from pathlib import Path

import disks
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from bench.core.disk import at_home, obstacle, writable
from bench.core.errors import UsageError
from bench.core.files import held, whole_folder

ENTRIES = ("folder", "file", "to-folder", "to-file", "to-nowhere", "circle", "new", "n" * 243, "n" * 244, "ü" * 200)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of each kind of entry, and the same again in its own folder."""
    top = tmp_path_factory.mktemp("place")
    for folder in (top, top / "folder"):
        (folder / "folder").mkdir()
        (folder / "file").write_text("in the way")
        (folder / "to-folder").symlink_to("folder")
        (folder / "to-file").symlink_to("file")
        (folder / "to-nowhere").symlink_to("absent")
        (folder / "circle").symlink_to("circle")
    return top


@cases()
@given(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=4))
def test_nothing_speaks_against_a_folder_exactly_where_it_can_be_filled(place: Path, parts: list[str]) -> None:
    folder = place.joinpath(*parts)
    before = sorted(place.rglob("*"))
    found = obstacle(folder)
    assert sorted(place.rglob("*")) == before
    try:
        with whole_folder(folder) as partial:
            (partial / "table").write_text("content")
    except OSError:
        could = False
    else:
        could = (folder / "table").read_text() == "content"
    assert could == (not found), found
    for path in sorted(place.rglob("*"), reverse=True):
        if path not in before:
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "file is no folder"),
        ("file/below", "file is no folder"),
        ("to-nowhere", "to-nowhere is a link to absent, where there is nothing"),
        ("to-nowhere/below", "to-nowhere is a link to absent, where there is nothing"),
        ("circle", "circle is a link that leads back to itself"),
        ("n" * 300, "'nnnnnnnnnnnnnnnnnnnnnnnn…' is longer than the 243 bytes that its name may have there"),
    ],
)
def test_the_sentence_names_what_is_in_the_way(place: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        writable(place / name)
    assert str(refused.value).endswith(f"{said}: name another folder.")


def test_a_disk_for_reading_is_named_with_its_owner(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with disks.read_only(tmp_path / "disk") as disk:
        for folder in (disk, disk / "new" / "one"):
            assert obstacle(folder) == f"{disk} belongs to {disk.owner()} and lies on a disk that is mounted read-only"
    assert obstacle(tmp_path / "disk") == ""


def test_somebody_elses_folder_is_named_with_its_owner() -> None:
    with disks.open_folder() as theirs:
        found = disks.as_nobody(lambda: obstacle(theirs / "new"))
        assert found == f"{theirs} belongs to {theirs.owner()} and you may not write there"


def test_a_tilde_is_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (writable(Path("~/page")), at_home(Path("~nobody-of-this-name/x"))) == (
        tmp_path / "page",
        Path("~nobody-of-this-name/x"),
    )
    assert not (tmp_path / "page").exists()


def test_a_new_disk_is_empty_in_spite_of_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    assert held(tmp_path) == set()
    assert [path.name for path in tmp_path.iterdir()] == ["lost+found"]
