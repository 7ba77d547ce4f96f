"""A file or folder is there whole or not at all."""

import errno
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import disks
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from bench.core.digests import digest_tree
from bench.core.files import held, whole_folder, write_whole

NAMES = st.sampled_from(["index.html", "photos", "assets", "people.parquet", ".hidden"])
TREES = st.dictionaries(NAMES, st.binary(max_size=4) | st.dictionaries(NAMES, st.binary(max_size=4)), max_size=5)


def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "photo.png", b"first")
    write_whole(tmp_path / "photo.png", b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"photo.png": b"second"}


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "photo.png").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "photo.png", b"photo")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def write(tree: dict[str, object], folder: Path) -> None:
    for name, content in tree.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            (folder / name).mkdir()
            write(content, folder / name)


def fill(folder: Path, tree: dict[str, object]) -> None:
    with whole_folder(folder) as partial:
        write(tree, partial)


@pytest.mark.parametrize("kind", ["new", "there", "linked"])
def test_a_block_that_is_stopped_leaves_what_was_there_and_what_to_go_on_from(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "page"
    if kind != "new":
        (tmp_path / "real").mkdir()
        folder.symlink_to("real") if kind == "linked" else (tmp_path / "real").rename(folder)
        fill(folder, {"index.html": b"earlier"})

    def stop(finished: bool) -> None:
        with whole_folder(folder) as partial:
            (partial / "index.html").write_bytes(b"half")
            work = partial.with_name("work")
            work.mkdir(exist_ok=True)
            (work / "photo.png").touch()
            if not finished:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop(finished=False)
    assert held(folder) == (set() if kind == "new" else {"index.html"})
    assert folder.exists() == (kind != "new")
    assert len(list(tmp_path.rglob("work/photo.png"))) == 1 and not list(tmp_path.rglob("partial"))
    stop(finished=True)
    assert (folder / "index.html").read_bytes() == b"half"
    assert not list(tmp_path.rglob("*unfinished"))


@pytest.mark.parametrize("is_there", [True, False])
def test_what_cannot_be_begun_leaves_nothing(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "page"
    if is_there:
        folder.mkdir()
    with pytest.raises(ValueError), whole_folder(folder):
        raise ValueError
    assert list(tmp_path.rglob("*")) == ([folder] if is_there else [])


@cases()
@given(TREES, TREES, st.integers(0, 6))
def test_killed_at_any_entry_the_next_look_finds_the_whole(earlier: dict, tree: dict, entry: int) -> None:
    """A folder that is filled in place, over earlier entries, by a process that ends at one of its steps."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder, wanted = Path(name) / "page", Path(name) / "wanted"
        for place in (folder, wanted):
            place.mkdir()
            write(earlier, place)
        for kept in tree:
            shutil.rmtree(wanted / kept) if (wanted / kept).is_dir() else (wanted / kept).unlink(missing_ok=True)
        write(tree, wanted)
        replace, left = Path.replace, entry

        def die(path: Path, target: Path) -> Path:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return replace(path, target)

        patch.setattr(Path, "replace", die)
        try:
            fill(folder, tree)
        except KeyboardInterrupt:
            assert entry < len(tree)
        patch.undo()
        assert held(folder) == {path.name for path in wanted.iterdir()}
        shutil.rmtree(folder / ".unfinished", ignore_errors=True)
        assert digest_tree(folder) == digest_tree(wanted)


def test_a_mount_point_is_filled_in_place(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        fill(disk, {"photos": {"one.png": b"photo"}, "index.html": b"page"})
        assert (disk / "photos" / "one.png").read_bytes() == b"photo"
        assert sorted(path.name for path in disk.iterdir()) == ["index.html", "photos"]


def test_the_current_folder_is_filled_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path(), {"index.html": b"page"})
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        for folder in (disk, disk / "new"):
            with pytest.raises(OSError) as full:
                fill(folder, {"large.bin": b"x" * 2**21})
            assert full.value.errno == errno.ENOSPC
            assert list(disk.iterdir()) == []
