"""The Croissant file: valid by its own reader, with digests that hold, and the records come out of it."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from published_example import example

from generators.publishing.card import write_card
from generators.publishing.shards import write_shards
from scenarios.dataset import Dataset, save_dataset

mlcroissant = pytest.importorskip("mlcroissant")
NOTHING: dict[str, Any] = {"title": None, "description": None, "licence": None, "repo": None, "with_photos": False}


@pytest.fixture
def dataset() -> Dataset:
    """A dataset in which a real person's pair has no face box and nobody said what it shows."""
    dataset = example(real=True)
    for column in ("face_box", "shows"):
        dataset.pairs[column] = [None, *dataset.pairs[column][1:]]
    return dataset


def written(dataset: Dataset, folder: Path, layout: str, repo: str | None = None) -> Path:
    """The file beside the tables, in shards of few photos where the layout is the hub's."""
    if layout == "folder":
        save_dataset(dataset, folder)
    else:
        write_shards(dataset, folder, bytes_per_shard=2000)
    write_card(dataset, folder, **NOTHING | {"repo": repo, "layout": layout})
    return folder / "croissant.json"


@pytest.mark.parametrize("layout", ["folder", "hub"])
def test_records_come_out_as_they_are_in_the_tables(dataset: Dataset, tmp_path: Path, layout: str) -> None:
    read = mlcroissant.Dataset(jsonld=written(dataset, tmp_path, layout))
    assert not read.metadata.ctx.issues.errors
    for table in ("people", "pairs", "probes"):
        frame = getattr(dataset, table)
        key = f"{table}/{frame.columns[0]}"
        records = list(read.records(table))
        assert [record[key].decode() for record in records] == frame.iloc[:, 0].tolist()
        assert {name.removeprefix(f"{table}/") for name in records[0]} == set(frame.columns)
    assert records[0]["probes/image"].size == (40, 40)
    assert [text.decode() for text in records[0]["probes/options"]] == dataset.probes["options"][0]


def test_on_the_hub_it_is_valid_and_leads_there(dataset: Dataset, tmp_path: Path, caplog: Any) -> None:
    path = written(dataset, tmp_path, "hub", repo="lab/squares")
    with caplog.at_level(logging.ERROR):
        assert not mlcroissant.Dataset(jsonld=path).metadata.ctx.issues.errors
    described = json.loads(path.read_text())
    assert described["url"] == "https://huggingface.co/datasets/lab/squares"
    shards = [entry for entry in described["distribution"] if entry["name"].endswith(".parquet")]
    assert all(entry["contentUrl"].startswith(f"{described['url']}/resolve/main/data/") for entry in shards)


@pytest.mark.parametrize("layout", ["folder", "hub"])
def test_every_file_stands_there_with_its_digest(dataset: Dataset, tmp_path: Path, layout: str) -> None:
    described = json.loads(written(dataset, tmp_path, layout).read_text())
    files = [entry for entry in described["distribution"] if entry["@type"] == "cr:FileObject"]
    assert {entry["contentUrl"] for entry in files} == {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")
    }
    for entry in files:
        assert entry["sha256"] == hashlib.sha256((tmp_path / entry["contentUrl"]).read_bytes()).hexdigest()


def test_uses_and_people_are_told(dataset: Dataset, tmp_path: Path) -> None:
    read = mlcroissant.Dataset(jsonld=written(dataset, tmp_path, "folder")).metadata
    assert any(use.startswith("Forbidden: ") for use in read.data_use_cases)
    assert any("real people" in sentence for sentence in read.personal_sensitive_information)
