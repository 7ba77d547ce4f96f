"""Which files a card means: what ``datasets`` reads from the same folder, whatever else lies there."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import cases

from bench.core.errors import DataError
from generators.hub.download import Snapshot, read_card, table_files

TABLES = ("people", "pairs", "probes")
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
FILES = (
    "people.parquet", "pairs.parquet", "probes.parquet", "new/people.parquet", "new/pairs.parquet",
    "new/probes.parquet", "data/people-00000-of-00002.parquet", "data/people-00001-of-00002.parquet",
    "data/deep/people.parquet", "new/deep/pairs.parquet", ".old/people.parquet",
)  # fmt: skip
PATTERNS = (
    "{table}.parquet", "new/{table}.parquet", "new/*.parquet", "data/{table}-*", "data/*",
    "**/{table}.parquet", "./new/{table}.parquet", "new/{table}*", "data/**", "*.parquet",
)  # fmt: skip


def folder_of(root: Path, header: str, encoding: str = "utf-8") -> Path:
    """A folder with every file of FILES, each a table that says its own name, and a card with this header."""
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"file": [name]}), root / name)
    (root / "README.md").write_bytes(header.encode(encoding))
    return root


def ours(root: Path) -> dict[str, list[str]]:
    """The files that are downloaded for each table."""
    return table_files(read_card(root / "README.md"), Snapshot("o/n", "0" * 40, dict.fromkeys([*FILES, "README.md"])))  # type: ignore[arg-type]


def theirs(root: Path, table: str, cache: Path) -> list[str]:
    """The files that ``datasets`` reads for a configuration, of all splits."""
    import datasets

    datasets.disable_progress_bars()
    loaded: Any = datasets.load_dataset(str(root), table, cache_dir=str(cache))
    return sorted(name for split in loaded.values() for name in split["file"])


def header(configs: list[dict[str, Any]], ending: str = "\n") -> str:
    return f"---\n{yaml.safe_dump({'configs': configs})}---\n# Faces\n".replace("\n", ending)


def named(place: str) -> list[dict[str, Any]]:
    """Configurations whose files are told by one pattern."""
    return [{"config_name": table, "data_files": place.format(table=table)} for table in TABLES]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", BOM])
def test_a_mark_in_front_and_other_line_ends_hide_no_card(before: str, ending: str, tmp_path: Path) -> None:
    root = folder_of(tmp_path / "root", before + header(named("new/{table}.parquet"), ending))
    assert ours(root) == {table: [f"new/{table}.parquet"] for table in TABLES}
    assert theirs(root, "people", tmp_path / "cache") == ["new/people.parquet"]


def test_files_in_a_folder_of_their_own(tmp_path: Path) -> None:
    configs = [{"config_name": table, "data_dir": "new", "data_files": f"{table}.parquet"} for table in TABLES]
    assert ours(folder_of(tmp_path, header(configs))) == {table: [f"new/{table}.parquet"] for table in TABLES}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("---\nconfigs: [\n---\n", "utf-8"), ("---\npretty_name: Gesichter für alle\n---\n", "latin-1")],
)
def test_a_header_that_cannot_be_read_is_told(text: str, encoding: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"README\.md: its header cannot be read"):
        ours(folder_of(tmp_path, text, encoding))


def test_without_a_card_names_decide(tmp_path: Path) -> None:
    assert ours(folder_of(tmp_path, "# Faces\n"))["people"] == ["people.parquet"]


@cases(0.3)
@given(
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True),
    st.sampled_from(["text", "list", "splits"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", BOM, "\n"]),
)
def test_a_card_means_what_datasets_reads(
    tmp_path_factory: pytest.TempPathFactory, patterns: list[str], form: str, ending: str, before: str
) -> None:
    assume(form != "text" or len(patterns) == 1)
    places = [pattern.format(table="people") for pattern in patterns]
    files: Any = places[0] if form == "text" else places
    if form == "splits":
        files = [{"split": f"part{number}", "path": place} for number, place in enumerate(places)]
    rest = [config for config in named("{table}.parquet") if config["config_name"] != "people"]
    text = before + header([{"config_name": "people", "data_files": files}, *rest], ending)
    root = folder_of(tmp_path_factory.mktemp("card"), text)
    assert sorted(set(theirs(root, "people", tmp_path_factory.mktemp("cache")))) == sorted(ours(root)["people"])
