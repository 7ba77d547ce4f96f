"""Records: byte-identical on disk, and errors that name the file and the field."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_tables import make_people, make_photos
from leaderboard_example import write_example
from pydantic import ValidationError

from bench.core.errors import DataError
from leaderboard.records import load_people, load_photos, load_records, load_rows, read_costs, write_record
from leaderboard.schema import Measurement, Record

Key = tuple[str, str]
Write = Callable[..., Path]


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Change the record of dp2vl against naive in its file."""
    (path,) = folder.glob("*-dp2vl-naive.json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_what_was_written_is_read_back(write: Write, records: dict[Key, Record], answers: dict[Key, Any]) -> None:
    folder = write()
    loaded = {(record.spec.defense, record.spec.attack): record for record in load_records(folder)}
    assert loaded.keys() == records.keys()
    for key, record in loaded.items():
        assert record.spec == records[key].spec
        assert {m.value for m in record.metrics} == {m.value for m in records[key].metrics}
        assert load_rows(record, folder)["request_id"].tolist() == answers[key]["request_id"].tolist()
        assert set(load_people(record, folder)["name"]) == set(make_people()["name"])
        photos = load_photos(record, folder)
        assert (photos is None) if key[1] == "base" else (photos is not None and {"ssim", "psnr"} < set(photos))
    assert read_costs(loaded["dp2vl", "naive"], folder)["seconds_per_photo"] == 1.42


def test_equal_input_gives_equal_bytes(tmp_path: Path, records: dict[Key, Record], answers: dict[Key, Any]) -> None:
    record, rows = records["dp2vl", "naive"], answers["dp2vl", "naive"]
    shuffled = record.model_copy(update={"metrics": record.metrics[::-1]})
    people, photos = make_people(), make_photos("dp2vl")
    one = write_record(record, rows, people, photos, {}, tmp_path / "one")
    plain = rows.astype({"text": object, "options": object})
    other = write_record(shuffled, plain, people[::-1], photos[::-1], {"seconds_per_photo": 3.0}, tmp_path / "other")
    assert one.name == f"{record.run_digest[:12]}-dp2vl-naive.json"
    names = {path.name for path in one.parent.iterdir() if not path.name.endswith(".costs.json")}
    assert len(names) == 4
    for name in names:
        assert (one.parent / name).read_bytes() == (other.parent / name).read_bytes()


def test_runs_of_one_dataset_and_one_protection_share_files(records_folder: Path) -> None:
    records = load_records(records_folder)
    assert len(list(records_folder.glob("people-*.parquet"))) == 1
    assert len(list(records_folder.glob("photos-*.parquet"))) == 4 and len(records) == 9
    for record in records:
        assert record.people is not None and record.people.file == f"people-{record.people.digest[:12]}.parquet"


def test_a_run_with_photos_is_not_written_without_them(
    tmp_path: Path, records: dict[Key, Record], answers: dict[Key, Any]
) -> None:
    with pytest.raises(DataError, match="has protected photos, and none are given"):
        write_record(records["dp2vl", "naive"], answers["dp2vl", "naive"], make_people(), None, {}, tmp_path)


def test_costs_never_enter_the_record(write: Write) -> None:
    for path in write().glob("*.json"):
        if not path.name.endswith(".costs.json"):
            assert "seconds" not in path.read_text() and "memory" not in path.read_text()


def test_a_name_with_slashes_stays_in_the_folder(tmp_path: Path, records: dict[Key, Record], answers: Any) -> None:
    record = records["dp2vl", "naive"]
    hostile = record.model_copy(update={"spec": record.spec.model_copy(update={"defense": "../../<script>"})})
    path = write_example(hostile, answers["dp2vl", "naive"], tmp_path / "records")
    assert path.parent == tmp_path / "records" and path.is_file()
    assert [record.spec.defense for record in load_records(tmp_path / "records")] == ["../../<script>"]


def test_rows_without_a_column_are_refused(tmp_path: Path, records: dict[Key, Record], answers: Any) -> None:
    with pytest.raises(DataError, match="choice_correct"):
        rows = answers["dp2vl", "naive"].drop(columns="choice_correct")
        write_record(records["dp2vl", "naive"], rows, make_people(), make_photos("dp2vl"), {}, tmp_path)
    assert not list(tmp_path.iterdir())


def change_value(path: tuple[str | int, ...], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        inner: Any = content
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("schema_version",), 1, "schema_version"),
        (("spec", "budget_eps"), "8", "spec.budget_eps"),
        (("spec", "ratio"), 50, "spec.ratio"),
        (("spec", "defence"), "x", "spec.defence: not a known field; allowed here: adaptive, attack, backend"),
        (("run_digest",), "abc", "run_digest"),
        (("spec", "bootstrap", "sed"), 1, "spec.bootstrap.sed: not a known field; allowed here: resamples, seed"),
        (("invocation", "limit"), 3, "invocation.limit: not a known field; allowed here: changes, seed, suite"),
        (("metrics", 0, "value"), "0.2", "metrics.0.value"),
        (("metrics", 0, "value"), float("nan"), "NaN"),
        (("metrics", 0, "value"), None, "metrics.0: a metric without a value needs a refusal"),
        (("metrics", 0, "low"), None, "metrics.0: low and high"),
        (("metrics", 0, "low"), 0.999, "metrics.0: low"),
        (("metrics", -1, "value"), 35.0, "a fraction lies between 0 and 1"),
        (("metrics", 0, "direction"), "lower", "metrics.0.direction"),
        (("metrics",), [], "metrics"),
        (("controls", "undefended"), None, "controls.undefended"),
        (("rows", "file"), "../elsewhere.parquet", "rows.file"),
        (("rows", "file"), "gone.parquet", "rows.file: gone.parquet does not stand beside"),
        (("rows", "digest"), "0" * 64, "rows.digest"),
        (("rows",), None, "field rows: the record names no file of answers"),
        (("people",), None, "field people: the record names no file of people"),
        (("photos",), None, "field photos: the record names no file of photos"),
        (("people", "digest"), "0" * 64, "people.digest"),
        (("photos", "file"), "gone.parquet", "photos.file: gone.parquet does not stand beside"),
        (("people", "size"), 3, "people.size: not a known field; allowed here: digest, file"),
        (("label",), "<script>", "field label: String should match pattern"),
        (("label",), "../noise", "field label: String should match pattern"),
        (("label",), "x" * 81, "field label: String should have at most 80 characters"),
        (("label",), "base", "label: 'base' is the name of a control"),
        (("invocation", "changes"), ["budget.eps"], "field invocation.changes.0: String should match pattern"),
        (("spec", "recipe", "epochs"), float("inf"), "field spec.recipe: NaN and infinities are no numbers"),
    ],
)
def test_a_malformed_record_names_file_and_field(
    write: Write, path: tuple[str | int, ...], value: Any, expected: str
) -> None:
    file = rewrite(write(), change_value(path, value))
    with pytest.raises(DataError) as error:
        load_records(file.parent)
    assert str(file) in str(error.value) and expected in str(error.value)


def test_a_missing_field_is_named(write: Write) -> None:
    file = rewrite(write(), lambda content: content["spec"].pop("seed"))
    with pytest.raises(DataError, match=r"dp2vl-naive\.json: field spec\.seed"):
        load_records(file.parent)


def test_broken_json_and_doubled_runs_are_refused(write: Write) -> None:
    folder = write()
    (path,) = folder.glob("*-dp2vl-naive.json")
    (folder / "copy.json").write_text(path.read_text())
    with pytest.raises(DataError, match="field run_digest"):
        load_records(folder)
    (folder / "copy.json").write_text('{"schema_version": 1,')
    with pytest.raises(DataError, match=r"copy\.json: not valid JSON: .*line 1"):
        load_records(folder)


def test_defaults_are_written_out(write: Write) -> None:
    (path,) = write().glob("*-dp2vl-naive.json")
    content = json.loads(path.read_text())
    assert content["label"] == "" and content["invocation"] == {"suite": "quick", "seed": None, "changes": []}


def test_costs_that_are_no_numbers_name_their_file(write: Write) -> None:
    folder = write()
    record = next(record for record in load_records(folder) if record.spec.defense == "dp2vl")
    (path,) = folder.glob(f"{record.run_digest[:12]}-*.costs.json")
    for text in ('{"seconds_per_photo": NaN}', "[1]", "{"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"\.costs\.json"):
            read_costs(record, folder)


def test_answers_without_a_column_name_their_file(write: Write, records: dict[Key, Record]) -> None:
    folder = write()
    record = next(record for record in load_records(folder) if record.spec.defense == "dp2vl")
    assert record.rows is not None
    load_rows(record, folder).drop(columns="status").to_parquet(folder / record.rows.file)
    with pytest.raises(DataError, match=r"rows\.parquet: the answers lack the column 'status'"):
        load_rows(record, folder)
    (folder / record.rows.file).write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"rows\.parquet: no Parquet file"):
        load_rows(record, folder)
    (folder / record.rows.file).unlink()
    with pytest.raises(DataError, match=r"rows\.parquet: there is no such file"):
        load_rows(record, folder)


def test_tables_of_another_kind_name_their_file_and_column(write: Write) -> None:
    folder = write()
    record = next(record for record in load_records(folder) if record.spec.defense == "dp2vl")
    assert record.people is not None and record.photos is not None
    people, photos = load_people(record, folder), load_photos(record, folder)
    assert photos is not None
    people.assign(name=None).to_parquet(folder / record.people.file)
    with pytest.raises(DataError, match=r"people-.*: the people have an empty cell in the column 'name'"):
        load_people(record, folder)
    photos.assign(largest_change="many").to_parquet(folder / record.photos.file)
    with pytest.raises(DataError, match=r"photos-.*: no Parquet file of photos"):
        load_photos(record, folder)
    photos.drop(columns="pair_id").to_parquet(folder / record.photos.file)
    with pytest.raises(DataError, match=r"photos-.*: the photos lack the column 'pair_id'"):
        load_photos(record, folder)


def test_an_empty_folder_is_no_leaderboard(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no records"):
        load_records(tmp_path)


def test_a_metric_has_a_value_or_a_refusal(records: dict[Key, Record]) -> None:
    metric = records["dp2vl", "naive"].metrics[0].model_dump()
    with pytest.raises(ValidationError, match="not both"):
        Measurement.model_validate({**metric, "refusal": "because"})
    refused = {**metric, "value": None, "low": None, "high": None, "refusal": "because"}
    assert Measurement.model_validate(refused).refusal == "because"


def test_one_metric_cannot_stand_twice(records: dict[Key, Record]) -> None:
    content = records["dp2vl", "naive"].model_dump()
    content["metrics"].append(content["metrics"][0])
    with pytest.raises(ValidationError, match=r"metrics names \w+ \(\w+\) twice"):
        Record.model_validate(content)


def test_recipes_may_hold_tuples(records: dict[Key, Record]) -> None:
    content = records["dp2vl", "naive"].model_dump()
    content["spec"]["recipe"] = {"augmentation": {"scale": (0.8, 1.0)}}
    assert Record.model_validate(content).spec.recipe == {"augmentation": {"scale": [0.8, 1.0]}}


def test_missing_costs_are_not_zero(write: Write, records: dict[Key, Record]) -> None:
    folder = write()
    for path in folder.glob("*.costs.json"):
        path.unlink()
    assert read_costs(records["dp2vl", "naive"], folder) == {}
    assert isinstance(load_rows(load_records(folder)[0], folder), pd.DataFrame)
