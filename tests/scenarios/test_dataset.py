"""The dataset on disk: the same again after loading, small, readable by the hub's library, clear when damaged."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.core.errors import DataError, UsageError
from scenarios.dataset import Dataset, build_dataset, check_images, load_dataset, make_dataset, save_dataset
from scenarios.language import photo_description
from scenarios.people import Person
from scenarios.tables import PROBES, read_table, write_table


def test_a_saved_dataset_loads_as_it_was(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    save_dataset(dataset, folder)
    loaded = load_dataset(str(folder))
    assert (loaded.name, loaded.digest) == ("tiny", dataset.digest)
    for table in ("people", "pairs", "probes"):
        pd.testing.assert_frame_equal(getattr(loaded, table), getattr(dataset, table))
    assert loaded.persons() == dataset.persons()
    assert sorted(path.name for path in folder.iterdir()) == ["pairs.parquet", "people.parquet", "probes.parquet"]


def test_saving_twice_gives_equal_bytes(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path / "one")
    save_dataset(load_dataset(str(tmp_path / "one")), tmp_path / "two")
    for name in ("people", "pairs", "probes"):
        file = f"{name}.parquet"
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_digest_covers_images_and_texts(dataset: Dataset) -> None:
    for column, value in (("image", b"other"), ("description", "other")):
        pairs = dataset.pairs.copy()
        pairs.at[3, column] = value
        assert make_dataset("tiny", dataset.people, pairs, dataset.probes).digest != dataset.digest


def test_pairs_carry_description_provenance_and_face_box(dataset: Dataset) -> None:
    people = {person.person_id: person for person in dataset.persons()}
    assert len(dataset.pairs) == 5 * 7
    for row in dataset.pairs.to_dict("records"):
        assert row["description"] == photo_description(people[row["person_id"]], row["scenario"])
        assert (row["source"], row["licence"]) == ("rendered", "CC0-1.0")
    assert dataset.pairs["face_box"].tolist()[:2] == [None, [1, 2, 5, 7]]


def test_first_people_keeps_whole_people(dataset: Dataset) -> None:
    part = dataset.first_people(2)
    assert part.people["person_id"].tolist() == ["evaluation-000", "evaluation-001", "stranger-000", "stranger-001"]
    assert set(part.pairs["person_id"]) == {"evaluation-000", "evaluation-001"}
    assert part.probes["person_id"].nunique() == 4
    assert part.digest != dataset.digest
    assert dataset.first_people(100).digest == dataset.digest
    with pytest.raises(UsageError, match="At least 1 person"):
        dataset.first_people(0)


def test_one_photo_shown_by_many_probes_is_stored_once(dataset: Dataset, tmp_path: Path) -> None:
    big = [bytes([index]) + random_bytes(1 << 19, index) for index in range(4)]
    probes = pd.concat([dataset.probes.head(16)] * 2, ignore_index=True)
    probes["image"] = [big[index % 4] for index in range(32)]
    write_table(probes, tmp_path / "probes.parquet", PROBES)
    assert (tmp_path / "probes.parquet").stat().st_size < 1.1 * 4 * (1 << 19)
    loaded = read_table(tmp_path / "probes.parquet", PROBES)
    assert loaded["image"].tolist() == probes["image"].tolist()
    assert len({id(image) for image in loaded["image"]}) == 4


def random_bytes(count: int, seed: int) -> bytes:
    """Bytes that no compression makes smaller."""
    return random.Random(seed).randbytes(count)


def test_the_hubs_library_reads_pictures(dataset: Dataset, tmp_path: Path) -> None:
    import datasets

    save_dataset(dataset, tmp_path / "tiny")
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "tiny" / "probes.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert isinstance(loaded.features["image"], datasets.Image)
    assert loaded[0]["image"].size == (12, 12)
    assert loaded[0]["options"] == dataset.probes.loc[0, "options"]
    assert loaded.cast_column("image", datasets.Image())[0]["image"].size == (12, 12)
    pairs = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "tiny" / "pairs.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert pairs["face_box"][:2] == [None, [1, 2, 5, 7]]


def _saved_with(dataset: Dataset, folder: Path, table: str, column: str, row: int, value: Any) -> str:
    frame = getattr(dataset, table).copy()
    frame.at[row, column] = value
    changed: dict[str, Any] = {table: frame}
    save_dataset(replace(dataset, **changed), folder)
    return str(folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("people", "role", "guest", "people.parquet: person_id 'evaluation-001': role 'guest' is not one of"),
        ("people", "facts", "{", "people.parquet: person_id 'evaluation-001': facts is not JSON"),
        ("people", "facts", '{"boat": "red"}', "unknown scenario 'boat'"),
        ("people", "facts", json.dumps({"pet": 3}), "facts must be a JSON object"),
        ("people", "appearance", "tall", "person_id 'evaluation-001': appearance is not JSON"),
        (
            "people",
            "appearance",
            '["tall"]',
            "appearance must be a JSON object of key and text, .* gender_presentation",
        ),
        ("people", "appearance", '{"build": 2}', "appearance must be a JSON object of key and text"),
        ("people", "appearance", '{"height": "tall"}', "appearance has the unknown key 'height'; known are gender_pre"),
        ("people", "name", " ", "name is empty"),
        ("people", "name", None, r"people.parquet: column 'name' has no value in row 1"),
        ("people", "person_id", "evaluation-000", "person_id 'evaluation-000' stands there twice, in rows 0 and 1"),
        ("pairs", "pair_id", "evaluation-000-00", "pair_id 'evaluation-000-00' stands there twice, in rows 0 and 1"),
        ("pairs", "scenario", "boat", "pairs.parquet: pair_id 'evaluation-000-01': scenario 'boat'"),
        ("pairs", "face_box", [5, 5, 2, 9], "pair_id 'evaluation-000-01': face_box"),
        ("pairs", "source", "drawn", "pair_id 'evaluation-000-01': source 'drawn' is not one of rendered, real"),
        ("pairs", "shows", [None], "pair_id 'evaluation-000-01': shows must be a list of texts"),
        ("pairs", "person_id", "nobody", "person_id 'nobody' is not in the people table"),
        (
            "pairs",
            "person_id",
            "stranger-000",
            "person_id 'stranger-000' is a stranger, on whom nothing may be trained",
        ),
        ("probes", "source", "drawn", "held_out-evaluation-000-07-pet': source 'drawn' is not one of rendered, real"),
        ("probes", "shows", [""], "held_out-evaluation-000-07-pet': shows must be a list of texts"),
        ("probes", "licence", None, r"probes.parquet: column 'licence' has no value in row 1"),
        ("probes", "kind", "test", "probes.parquet: probe_id 'held_out-evaluation-000-07-pet': kind 'test'"),
        ("probes", "scenario", "hair", "scenario 'hair' of kind held_out"),
        ("probes", "answer", "horse", "answer 'horse' is not one of its options dog, cat"),
        ("probes", "options", ["tortoise", "dog", "Dogs"], "options 'dog' and 'Dogs' are one answer in two spellings"),
        ("probes", "question", "", "question is empty"),
    ],
)
def test_a_wrong_value_names_file_row_and_column(
    dataset: Dataset, tmp_path: Path, table: str, column: str, value: Any, message: str
) -> None:
    folder = _saved_with(dataset, tmp_path / "wrong", table, column, 1, value)
    with pytest.raises(DataError, match=message):
        load_dataset(folder)


def test_a_missing_column_or_file_is_named(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path)
    path = tmp_path / "pairs.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["consent"]), path)
    with pytest.raises(DataError, match=r"pairs\.parquet: column 'consent' is missing; needed are pair_id"):
        load_dataset(str(tmp_path))
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"pairs\.parquet: not a readable Parquet file"):
        load_dataset(str(tmp_path))
    path.unlink()
    with pytest.raises(DataError, match=r"pairs\.parquet: there is no such file"):
        load_dataset(str(tmp_path))


def test_a_column_of_the_wrong_type_is_named(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path)
    path = tmp_path / "probes.parquet"
    table = pq.ParquetFile(path).read()
    for column in ("shows", "options"):
        position = table.column_names.index(column)
        pq.write_table(table.set_column(position, column, pa.array(["dog, cat"] * len(table))), path)
        with pytest.raises(DataError, match=rf"probes\.parquet: column '{column}' has type string, it must be list"):
            load_dataset(str(tmp_path))


def test_what_a_photo_shows_may_be_unknown_and_appearance_is_kept(
    people: list[Person], photos: pd.DataFrame, tmp_path: Path
) -> None:
    looks = {"gender_presentation": "woman", "age_group": "adult", "skin_tone": "dark", "build": "slim"}
    unsaid = photos.copy()
    unsaid["shows"] = None
    saved = build_dataset("tiny", [replace(people[0], appearance=looks), *people[1:]], unsaid)
    save_dataset(saved, tmp_path / "tiny")
    loaded = load_dataset(str(tmp_path / "tiny"))
    assert [person.appearance for person in loaded.persons()[:2]] == [looks, {}]
    assert loaded.digest == saved.digest
    assert loaded.pairs["shows"].tolist() == [None] * len(loaded.pairs)
    assert loaded.probes["shows"].tolist() == [None] * len(loaded.probes)


def test_an_unknown_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown dataset 'veilbench-mni'"):
        load_dataset("veilbench-mni")


@pytest.mark.parametrize(("table", "name"), [("pairs", "photo 'evaluation-000-01'"), ("probes", "photo 'held_out")])
@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_a_photo_that_cannot_be_decoded_is_named(dataset: Dataset, table: str, name: str, damage: str) -> None:
    frame = getattr(dataset, table).copy()
    whole = frame.at[1, "image"]
    frame.at[1, "image"] = {"truncated": whole[: len(whole) * 2 // 3], "empty": b"", "text": b"not a picture"}[damage]
    changed: dict[str, Any] = {table: frame}
    check_images(dataset)
    with pytest.raises(DataError, match=f"{name}.*cannot be decoded"):
        check_images(replace(dataset, **changed))
