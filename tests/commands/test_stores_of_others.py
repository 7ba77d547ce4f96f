"""Commands on a store that may only be read, and where there is none."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import disks
import pytest
from miniature_world import Miniature, veilbench

from bench.core.digests import digest_tree


@pytest.fixture(scope="module")
def store(first_run: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store on a read-only disk that has all that the miniature suite needs, its page included."""
    place = tmp_path_factory.mktemp("disk") / "store"
    shutil.copytree(first_run[1] / ".veilbench", place)
    with disks.read_only(place):
        yield place


def test_a_run_of_which_all_is_there_gives_its_result(
    first_run: tuple[dict[str, Any], Path], store: Path, miniature: Miniature, tmp_path: Path
) -> None:
    before = digest_tree(store)
    for more in ((), ("--out", tmp_path / "page")):
        finished = veilbench("run", miniature.suite, "--json", "--store", store, *more, folder=tmp_path)
        assert finished.returncode == 0, finished.stderr
        assert json.loads(finished.stdout)["headlines"] == first_run[0]["headlines"]
    assert (tmp_path / "page" / "index.html").is_file()
    assert digest_tree(store) == before


def test_a_run_that_lacks_something_says_whose_the_store_is(store: Path, miniature: Miniature, tmp_path: Path) -> None:
    changed = ("--set", "budget.eps=4", "--out", tmp_path / "page")
    finished = veilbench("run", miniature.suite, *changed, "--store", store, folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith(f"Error: The artifact store {store} lacks what is needed and cannot take it")
    assert f"belongs to {store.owner()}" in finished.stderr and len(finished.stderr.splitlines()) == 1
    assert not (tmp_path / "page").exists()


def test_a_page_that_cannot_be_put_into_the_store_says_where_else(
    store: Path, miniature: Miniature, tmp_path: Path
) -> None:
    """All stages are there, and their page is not."""
    shutil.copytree(store / "objects", tmp_path / "store" / "objects")
    with disks.read_only(tmp_path / "store") as pageless:
        finished = veilbench("run", miniature.suite, "--store", pageless, folder=tmp_path)
    assert finished.returncode == 2
    assert "mounted read-only: name another folder" in finished.stderr


def test_it_can_be_looked_at_and_not_cleared(store: Path, tmp_path: Path) -> None:
    there = ("--store", store)
    assert veilbench("store", "ls", *there, folder=tmp_path).stdout.count("\n") > 5
    assert "Nothing is damaged" in veilbench("store", "verify", *there, folder=tmp_path).stdout
    cleared = veilbench("store", "gc", *there, folder=tmp_path)
    assert cleared.returncode == 1 and "Nothing can be removed" in cleared.stderr
    looked = veilbench("doctor", *there, folder=tmp_path)
    assert looked.returncode == 0
    # However the table wraps.
    assert {"used,", "nothing", "added"} <= set(looked.stdout.split())


@pytest.mark.parametrize("command", ["ls", "verify", "gc", "gc quick"])
@pytest.mark.parametrize("kind", ["absent", "file", "folder"])
def test_where_there_is_no_store_it_says_so(command: str, kind: str, tmp_path: Path) -> None:
    place = tmp_path / "typo"
    if kind == "file":
        place.write_text("no store")
    elif kind == "folder":
        (place / "objects" / "mine" / "photos").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    finished = veilbench("store", *command.split(), "--store", place, folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        f"Error: There is no artifact store in {place}: name one with --store or VEILBENCH_STORE.\n"
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_a_tilde_in_the_variable_is_the_home_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    finished = veilbench("store", "ls", folder=tmp_path, VEILBENCH_STORE="~/store", HOME=str(home))
    assert f"no artifact store in {home / 'store'}" in finished.stderr
