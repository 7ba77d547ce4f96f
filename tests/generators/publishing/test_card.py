"""The card: its header is the hub's, its figures are the dataset's, its text is text, and it is whole or not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from published_example import HOSTILE, example

from bench.core.errors import DataError, UsageError
from generators.publishing.card import CARD_FILES, write_card
from generators.publishing.shards import write_shards
from scenarios.dataset import Dataset, make_dataset, save_dataset

NOTHING: dict[str, Any] = {"title": None, "description": None, "licence": None, "repo": None, "with_photos": False}


def card_of(dataset: Dataset, folder: Path, **given: Any) -> str:
    """The text of the card that is written beside the dataset's tables."""
    save_dataset(dataset, folder)
    return write_card(dataset, folder, **NOTHING | given).read_text(encoding="utf-8")


def rows(card: str, heading: str) -> Iterator[list[str]]:
    """Cells of the table lines in the section with that heading."""
    section = card.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        if line.startswith("| "):
            # A bar that belongs to a text is escaped.
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_hub_reads_the_header(tmp_path: Path) -> None:
    from huggingface_hub import DatasetCard

    card_of(example(), tmp_path, title='Squares: a "test" & more')
    data = DatasetCard.load(tmp_path / "README.md").data
    assert data.license == "cc0-1.0"
    assert data.pretty_name == 'Squares: a "test" & more'
    assert data.language == ["en"]
    assert data.size_categories == ["n<1K"]
    assert data.annotations_creators == ["machine-generated"]
    assert "visual-question-answering" in data.task_categories
    assert "synthetic" in data.tags
    assert [config["config_name"] for config in data.to_dict()["configs"]] == ["people", "pairs", "probes"]


@pytest.mark.parametrize("layout", ["folder", "hub"])
def test_datasets_loads_every_table_by_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    dataset = example()
    if layout == "folder":
        save_dataset(dataset, tmp_path / "set")
    else:
        write_shards(dataset, tmp_path / "set", bytes_per_shard=1000)
    write_card(dataset, tmp_path / "set", **NOTHING | {"layout": layout})
    cache = str(tmp_path / "cache")
    for table, split in (("people", "train"), ("pairs", "train"), ("probes", "test")):
        loaded = load_dataset(str(tmp_path / "set"), table, split=split, cache_dir=cache)
        frame = getattr(dataset, table)
        key = frame.columns[0]
        assert loaded[key] == frame[key].tolist()
        assert loaded.column_names == frame.columns.tolist()
    assert loaded[0]["image"].size == (40, 40)


def test_figures_are_those_of_the_tables(tmp_path: Path) -> None:
    dataset = example()
    card = card_of(dataset, tmp_path)
    tables = {row[0]: row for row in rows(card, "Tables and splits")}
    assert tables["`pairs`"][2] == str(len(dataset.pairs))
    assert tables["`probes`"][1:3] == ["`test`", str(len(dataset.probes))]
    scenarios = {row[0]: row for row in rows(card, "Scenarios and answers")}
    home = dataset.probes[(dataset.probes["scenario"] == "home") & (dataset.probes["kind"] == "held_out")]
    counts = home["answer"].value_counts()
    assert scenarios["Home"][1:3] == ["6", "6"]
    assert f"{counts.index[0]} {counts.iloc[0] // 2}" in scenarios["Home"][3]
    assert scenarios["Home"][4] == f"{counts.iloc[0] / len(home):.2f}"
    assert dataset.digest in card


def test_appearance_counts_everybody_once(tmp_path: Path) -> None:
    people = {row[0]: row[1:] for row in rows(card_of(example(), tmp_path), "People")}
    assert people["age group: old"] == ["5", "0"]
    assert people["age group: not stated"] == ["1", "2"]
    assert people["training photos a person"] == ["7", "0"]
    assert people["new photos a person"] == ["2", "2"]


def test_real_photos_are_told_and_their_answers_are_not(tmp_path: Path) -> None:
    card = card_of(example(real=True), tmp_path)
    assert "license: other" in card and "license_name: mixed" in card
    assert "real-people" in card and "synthetic" not in card
    assert "9 of 58 photos show real people" in card
    assert "signed release 12 (9 photos)" in card
    assert ", another answer 1 |" in card and "houseboat" not in card
    assert "withheld from this picture" in card
    assert "withheld from this picture" not in card_of(example(real=True), tmp_path, with_photos=True)


def test_a_licence_that_is_given_stands_for_the_whole(tmp_path: Path) -> None:
    assert "license: cc-by-4.0\n" in card_of(example(), tmp_path, licence="CC BY 4.0")
    unknown = card_of(example(), tmp_path, licence="Ask us | first")
    assert "license: other\nlicense_name: ask-us-first\n" in unknown
    assert "Ask us \\| first" in unknown


def test_texts_of_others_stay_text(tmp_path: Path) -> None:
    dataset = example()
    pairs = dataset.pairs.assign(consent=HOSTILE + "\n## Free for all", generator="a|b")
    card = card_of(make_dataset("squares", dataset.people, pairs, dataset.probes), tmp_path)
    body = card.split("\n---\n", 1)[1]
    assert "<script>" not in body and "\n## Free for all" not in body
    assert "&lt;script&gt;" in body
    assert "a\\|b" in [row[1] for row in rows(card, "Provenance")]


def test_the_digest_and_the_repository_lead_back(tmp_path: Path) -> None:
    write_shards(example(), tmp_path)
    card = write_card(example(), tmp_path, **NOTHING | {"repo": "lab/squares", "layout": "hub"}).read_text()
    assert 'load_dataset("lab/squares", "probes", split="test")' in card
    with pytest.raises(UsageError, match="owner/name"):
        write_card(example(), tmp_path, **NOTHING | {"repo": "squares"})


def test_equal_datasets_have_equal_cards(tmp_path: Path) -> None:
    for name in ("one", "two"):
        card_of(example(real=True), tmp_path / name)
    for file in CARD_FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_without_tables_there_is_no_card(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no people\.parquet"):
        write_card(example(), tmp_path, **NOTHING)
    assert not list(tmp_path.iterdir())


def test_a_damaged_photo_leaves_the_earlier_card_alone(tmp_path: Path) -> None:
    dataset = example()
    earlier = card_of(dataset, tmp_path)
    pairs = dataset.pairs.copy()
    pairs["image"] = [b"no picture", *pairs["image"][1:]]
    with pytest.raises(DataError, match="evaluation-000-0"):
        write_card(make_dataset("squares", dataset.people, pairs, dataset.probes), tmp_path, **NOTHING)
    assert (tmp_path / "README.md").read_text() == earlier
    assert not list(tmp_path.glob("*.partial"))


def test_a_card_may_be_written_away_from_its_tables(tmp_path: Path) -> None:
    save_dataset(example(), tmp_path / "set")
    beside = write_card(example(), tmp_path / "set", **NOTHING).read_bytes()
    assert write_card(example(), tmp_path / "away", **NOTHING, tables=tmp_path / "set").read_bytes() == beside


def test_cohorts_are_counted_where_there_are_several(tmp_path: Path) -> None:
    whole = example()
    assert "cohort" not in card_of(whole, tmp_path / "whole").partition("\n# ")[2]
    people = whole.people.assign(cohort=["a", "a", "b", "b", "b", "b", "", "a"])
    card = card_of(make_dataset("squares", people, whole.pairs, whole.probes), tmp_path / "apart")
    assert "Photos of 6 people in 2 cohorts with private facts" in card
    assert "asked\nabout in 2 cohorts, each apart from the others, and of 2 strangers" in card
    counted = {row[0]: row[1] for row in rows(card, "People")}
    assert [counted[name] for name in ("cohorts", "cohort `a`", "cohort `b`")] == ["2", "2", "4"]


def test_a_card_names_the_columns_that_an_older_file_has(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    dataset = example()
    assert "name: cohort" in card_of(dataset, tmp_path)
    path = tmp_path / "people.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["cohort"]), path)
    card = write_card(dataset, tmp_path, **NOTHING)
    assert "name: cohort" not in card.read_text(encoding="utf-8")
    assert "people/cohort" not in (tmp_path / "croissant.json").read_text(encoding="utf-8")
