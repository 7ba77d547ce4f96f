"""An artifact store of somebody else, or on a disk that may only be read: what it has is used."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import disks
import pytest

from bench.core.digests import digest_tree
from bench.core.errors import StoreBusyError, UsageError, VeilBenchError
from bench.core.store import ArtifactStore

Answer = TypeVar("Answer")
Look = Callable[[Callable[[], Answer]], Answer]


def write(folder: Path) -> None:
    (folder / "result").write_text("content")


def forbidden(folder: Path) -> None:
    raise AssertionError("something was computed that cannot be kept")


@pytest.fixture
def store() -> Iterator[ArtifactStore]:
    """A store with one artifact and one that a killed process left half-written."""
    with disks.open_folder() as folder:
        made = ArtifactStore(folder / "store")
        made.compute("protect", {"seed": 0}, write)
        (made.root / "partial" / "protect-0000").mkdir()
        yield made


@pytest.fixture(params=["read-only disk", "another user"])
def look(request: pytest.FixtureRequest, store: ArtifactStore) -> Iterator[Look]:
    """Calls a function as somebody who may only read the store."""
    if request.param == "another user":
        yield disks.as_nobody
        return
    with disks.read_only(store.root):
        yield lambda function: function()


def test_what_is_there_is_served(store: ArtifactStore, look: Look) -> None:
    before = digest_tree(store.root)

    def use() -> tuple[bool, int, bool, list[str]]:
        with store.in_use():
            hit = store.compute("protect", {"seed": 0}, forbidden).hit
            known = store.costs("protect", store.key("protect", {"seed": 0})).get("seconds", 0) > 0
            return hit, len(store.entries()), known, store.verify()

    hit, entries, known, faults = look(use)
    assert (hit, entries, known) == (True, 1, True)
    assert ["half-written" in fault for fault in faults] == [True]
    assert digest_tree(store.root) == before


def test_without_a_lock_of_its_own_it_is_served_too(store: ArtifactStore) -> None:
    (store.root / "locks" / "store.lock").unlink()
    with disks.read_only(store.root), store.in_use():
        store.check_there()
        assert store.compute("protect", {"seed": 0}, forbidden).hit


def test_a_miss_says_whose_it_is_before_anything_is_computed(store: ArtifactStore, look: Look) -> None:
    for attempt in (
        lambda: store.compute("protect", {"seed": 1}, forbidden),
        lambda: store.check_writable(["protect"]),
    ):
        with pytest.raises(VeilBenchError) as refused:
            look(attempt)
        said = str(refused.value)
        assert said.startswith(f"The artifact store {store.root} lacks what is needed and cannot take it, since ")
        assert f" belongs to {store.root.owner()} " in said and "--store or VEILBENCH_STORE" in said


def test_nothing_is_removed_from_it(store: ArtifactStore, look: Look) -> None:
    with pytest.raises(VeilBenchError, match=r"Nothing can be removed .* belongs to"):
        look(lambda: store.collect(set()))
    assert len(store.entries()) == 1


def test_a_folder_of_one_stage_that_cannot_be_written_is_found_before_that_stage(store: ArtifactStore) -> None:
    """Shared stores have folders of several people."""
    with disks.read_only(store.root / "objects" / "protect"):
        assert not store.compute("quality", {"seed": 0}, write).hit
        with pytest.raises(VeilBenchError, match="objects/protect belongs to"):
            store.compute("protect", {"seed": 1}, forbidden)


def test_its_owner_removes_nothing_while_somebody_reads_it(store: ArtifactStore, tmp_path: Path) -> None:
    with disks.read_only(store.root, at=tmp_path), ArtifactStore(tmp_path).in_use():
        with pytest.raises(StoreBusyError):
            store.collect(set())
        assert ArtifactStore(tmp_path).compute("protect", {"seed": 0}, forbidden).hit


def test_a_store_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with disks.read_only(tmp_path / "disk") as disk:
        store = ArtifactStore(disk / "new")
        with pytest.raises(VeilBenchError, match=f"since {disk} belongs to"), store.in_use():
            store.check_writable(["protect"])


@pytest.mark.parametrize("kind", ["absent", "file", "empty", "photos"])
def test_a_folder_that_is_no_store_is_told_from_one(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("no store")
    elif kind != "absent":
        place.mkdir()
    if kind == "photos":
        (place / "objects" / "vase").mkdir(parents=True)
        (place / "objects" / "vase" / "one.png").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=f"There is no artifact store in {place}"):
        ArtifactStore(place).check_there()
    assert sorted(tmp_path.rglob("*")) == before
