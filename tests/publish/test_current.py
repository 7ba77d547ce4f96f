"""A page set that is what a plan gives is not written again; one that is not, is."""

from pathlib import Path
from typing import Any

import pytest
from miniature_world import Miniature

import veilbench

FirstRun = tuple[dict[str, Any], Path]


@pytest.fixture
def page(miniature: Miniature, first_run: FirstRun, tmp_path: Path) -> Path:
    """The page of the miniature suite in a folder of its own."""
    return publish(miniature, first_run, tmp_path)


def publish(miniature: Miniature, first_run: FirstRun, output: Path, **changes: Any) -> Path:
    """Run the suite, all of which is in the store."""
    given = {"store": first_run[1] / ".veilbench", "out": output, **changes}
    return veilbench.run(str(miniature.suite), **given).page


def written(folder: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


def test_what_is_there_is_not_written_again(page: Path, miniature: Miniature, first_run: FirstRun) -> None:
    before = written(page.parent)
    assert publish(miniature, first_run, page.parent) == page
    assert written(page.parent) == before


@pytest.mark.parametrize("damage", ["changed", "gone", "no listing"])
def test_a_page_that_is_not_whole_any_more_is_made_anew(
    page: Path, miniature: Miniature, first_run: FirstRun, damage: str
) -> None:
    whole = page.read_bytes()
    if damage == "changed":
        page.write_bytes(whole.replace(b"dp2vl", b"dp3vl"))
    elif damage == "gone":
        next((page.parent / "records").glob("*.rows.parquet")).unlink()
    else:
        (page.parent / "SHA256SUMS").unlink()
    publish(miniature, first_run, page.parent)
    assert page.read_bytes() == whole
    assert (page.parent / "SHA256SUMS").is_file()
    assert len(list((page.parent / "records").glob("*.rows.parquet"))) == 4


def test_another_way_of_asking_is_published_though_nothing_is_computed(
    page: Path, miniature: Miniature, first_run: FirstRun
) -> None:
    publish(miniature, first_run, page.parent, changes=["title=Another heading"])
    assert "Another heading" in page.read_text()
    records = veilbench.load_records(page.parent / "records")
    assert {tuple(record.invocation.changes) for record in records} == {("title=Another heading",)}
