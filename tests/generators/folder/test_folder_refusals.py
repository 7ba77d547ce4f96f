"""Bad input: one sentence that names file, row and field, and nothing half written."""

import io
import re
import struct
import zlib

import pytest
from PIL import Image

from bench.commands.data.building import DatasetOrder, build_dataset
from bench.core.digests import digest_tree
from bench.core.errors import DataError
from generators.folder.generator import Folder


def refused(album, *parts):
    """Build, and hold that the one sentence of the error has these parts and that nothing was left behind."""
    before = digest_tree(album.folder)
    with pytest.raises(DataError) as caught:
        album.build()
    sentence = str(caught.value)
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence
    assert digest_tree(album.folder) == before
    if album.work.exists():
        for path in album.work.iterdir():
            with Image.open(path) as finished:
                finished.load()


def jpeg():
    buffer = io.BytesIO()
    Image.effect_noise((200, 200), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_truncated_jpeg(album):
    album.rows[2]["file_name"] = "cut.jpg"
    (album.folder / "ben" / "1.png").unlink()
    (album.folder / "cut.jpg").write_bytes(jpeg()[:4000])
    album.write_csv()
    refused(album, "metadata.csv, row 4, file_name: ", "cut.jpg cannot be decoded: ", "truncated")


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", jpeg()[:40], b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBPVP8 ", b"%PDF-1.4"]
)
def test_what_is_no_photo(content, album):
    album.add("odd.png", "p1", "Anna Lund", content)
    album.write_csv()
    refused(album, "metadata.csv, row 7, file_name: ", "odd.png ")


def test_a_bomb_is_refused_by_its_header(album):
    small = (album.folder / "s.png").read_bytes()
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + small[24:29]
    bomb = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    album.add("bomb.png", "p1", "Anna Lund", bomb, shows="none")
    album.write_csv()
    refused(album, "row 7, file_name", "bomb.png has 20000 x 20000 pixels", "64 megapixels")


def test_a_csv_in_latin_1(album):
    album.rows[1]["name"] = album.rows[0]["name"] = "Anna Müller"
    path = album.write_csv()
    data = path.read_text(encoding="utf-8").encode("latin-1")
    path.write_bytes(data)
    refused(album, "metadata.csv, row 2: byte ", f"byte {data.index(0xFC)} ", "not UTF-8", "iconv -f LATIN1 -t UTF-8")


@pytest.mark.parametrize("column", ["file_name", "person_id", "name", "scenario", "answer"])
def test_a_missing_column(column, album):
    every = ("file_name", "person_id", "name", "scenario", "answer")
    album.write_csv(tuple(name for name in every if name != column))
    refused(album, f"metadata.csv: column '{column}' is missing; needed are file_name, person_id, name")


def test_a_column_that_is_missing_in_jsonl(album):
    for row in album.rows:
        del row["name"]
    album.write_jsonl()
    refused(album, "metadata.jsonl: column 'name' is missing")


def test_an_unknown_column(album):
    album.rows[0]["liscence"] = "CC0-1.0"
    album.write_csv()
    refused(album, "metadata.csv, row 2, liscence: unknown column; did you mean 'licence'?")


def test_a_column_that_stands_there_twice(album):
    path = album.write_csv()
    path.write_text(path.read_text().replace("answer", "name", 1))
    refused(album, "metadata.csv, row 1: column 'name' stands there twice")


def test_two_rows_with_one_id(album):
    album.rows[2]["photo_id"] = "anna-1"
    album.write_csv()
    refused(album, "metadata.csv, row 4, photo_id: 'anna-1' is that of row 2, too")


def test_two_files_that_would_get_one_id(album):
    album.add("anna/1.jpg", "p1", "Anna Lund", jpeg())
    album.write_csv()
    refused(album, "row 7, photo_id: 'anna-1' is that of row 2, too; a column photo_id tells photos apart")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, "tells the scenario 'home' in row 2 already"),
        ({"scenario": "pet", "answer": "dog", "face_box": "1 2 20 30"}, "row 2, too, and face_box is another there"),
        ({"scenario": "pet", "answer": "dog", "consent": "oral"}, "row 2, too, and consent is another there"),
        ({"scenario": "", "answer": ""}, "a photo that tells a fact is trained on, and nothing may be asked on it"),
        ({"person_id": "p2", "name": "Ben Mar", "scenario": "pet", "answer": "dog"}, "it shows 'p1' and not 'p2'"),
    ],
)
def test_one_photo_in_two_rows_that_do_not_agree(other, said, album):
    album.rows.append({**album.rows[0], "file_name": "./anna/1.png", "photo_id": "again", **other})
    album.write_csv()
    refused(album, "row 7, file_name: './anna/1.png' ", said)


@pytest.mark.parametrize("name", ["../../x.jpg", "../x.jpg", "anna/../../x.jpg", "..", "{elsewhere}/x.jpg"])
def test_a_file_name_that_leads_out_of_the_folder(name, album, tmp_path):
    for place in (tmp_path / "x.jpg", tmp_path.parent / "x.jpg"):
        place.write_bytes(jpeg())
    album.rows[1]["file_name"] = name.format(elsewhere=tmp_path)
    album.write_csv()
    refused(album, "metadata.csv, row 3, file_name: ", "leads out of the folder")


@pytest.mark.parametrize("name", ["anna/../s.png", "{folder}/s.png", "anna", "."])
def test_a_roundabout_file_name(name, album):
    album.rows[1]["file_name"] = name.format(folder=album.folder)
    album.write_csv()
    refused(album, "row 3, file_name: there is no file")


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_that_leads_out_of_the_folder(linked, album, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jpg").write_bytes(jpeg())
    place = album.folder / ("x.jpg" if linked == "file" else "link")
    place.symlink_to(outside / "x.jpg" if linked == "file" else outside)
    album.rows[1]["file_name"] = "x.jpg" if linked == "file" else "link/x.jpg"
    album.write_csv()
    refused(album, "row 3, file_name: ", "leads out of the folder")


def test_a_file_name_of_another_system(album):
    album.rows[1]["file_name"] = "anna\\2.png"
    album.write_csv()
    refused(album, "row 3, file_name: ", "must have / between folder and file")


def test_a_row_without_photo(album):
    album.rows[1]["file_name"] = "anna/22.png"
    album.write_csv()
    refused(
        album, "metadata.csv, row 3, file_name: there is no file 'anna/22.png' in the folder; did you mean 'anna/2.png'"
    )


def test_a_photo_without_row(album):
    (album.folder / "anna" / "new.HEIC").write_bytes(b"")
    (album.folder / "new.jpg").write_bytes(jpeg())
    album.write_csv()
    refused(album, "anna/new.HEIC (and 1 more) has no row in metadata.csv", "consent")


def test_an_empty_folder(empty_album):
    refused(empty_album, "photos is empty and holds no metadata.csv or metadata.jsonl")


def test_a_folder_of_photos_alone(album):
    refused(album, "photos holds no metadata.csv or metadata.jsonl")


def test_both_forms_of_metadata(album):
    album.write_csv()
    album.write_jsonl()
    refused(album, "photos holds both metadata.csv and metadata.jsonl")


@pytest.mark.parametrize("text", ["", "file_name,person_id,name,scenario,answer\n", "\n\n"])
def test_a_metadata_file_without_rows(text, album):
    (album.folder / "metadata.csv").write_text(text)
    refused(album, "metadata.csv has no row")


def test_rows_are_counted_as_lines_of_the_file(album):
    album.rows[0]["description"] = "Anna Lund\nlives in\na brick house."
    album.rows[1]["file_name"] = "missing.png"
    album.write_csv()
    refused(album, "metadata.csv, row 5, file_name: there is no file 'missing.png'")


@pytest.mark.parametrize("line", ['anna/1.png,p1,"Anna', "anna/1.png,p1", "anna/1.png,p1,Lund, Anna,home,brick house"])
def test_malformed_csv(line, album):
    (album.folder / "metadata.csv").write_text(f"file_name,person_id,name,scenario,answer\n\n{line}\n")
    refused(album, "metadata.csv, row 3: ")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "row 2: not well-formed JSON"),
        ("[" * 100_000, "row 2: not well-formed JSON"),
        ("[1]", "must be a JSON object"),
    ],
    ids=["cut", "deep", "list"],
)
def test_malformed_jsonl(line, problem, album):
    path = album.write_jsonl()
    first, _, rest = path.read_text().partition("\n")
    path.write_text(f"{first}\n{line}\n{rest}")
    refused(album, "metadata.jsonl, row 2: ", problem)


@pytest.mark.parametrize("column", ["consent", "licence"])
def test_a_photo_without_consent_or_licence(column, album):
    album.options = {}
    for row in album.rows:
        row |= {"consent": "signed", "licence": "CC0-1.0"}
    album.rows[3][column] = "  "
    album.write_csv()
    refused(album, f"metadata.csv, row 5, {column}: nothing is stated for this photo", f"the option {column}")


@pytest.mark.parametrize(
    ("number", "cells", "sentence"),
    [
        (1, {"file_name": ""}, "row 3, file_name: is empty"),
        (1, {"person_id": ""}, "row 3, person_id: is empty"),
        (1, {"person_id": "../p1"}, "row 3, person_id: '../p1' must be letters"),
        (1, {"photo_id": "a/b"}, "row 3, photo_id: 'a/b' must be letters"),
        (1, {"name": "Anne Lund"}, "row 3, name: 'Anne Lund' is not the 'Anna Lund' of row 2, and both are about 'p1'"),
        (4, {"name": ""}, "row 6, name: is empty"),
        (1, {"role": "stranger"}, "row 2, scenario: must be empty, for 'p1' is a stranger"),
        (4, {"role": "strangr"}, "row 6, role: 'strangr' is not known: did you mean 'stranger'?"),
        (4, {"role": ""}, "row 6, scenario: is empty in every row of 's1'"),
        (0, {"scenario": "hom"}, "row 2, scenario: 'hom' is not known: did you mean 'home'?"),
        (0, {"answer": ""}, "row 2, answer: is empty"),
        (1, {"answer": "brick house"}, "row 3, answer: must be empty, like scenario"),
        (0, {"answer": "Brick House"}, "row 2, answer: 'Brick House' counts as 'brick house'"),
        (0, {"answer": "brick home"}, "row 2, answer: 'brick home' counts as 'brick house'"),
        (
            1,
            {"scenario": "home", "answer": "villa of stone"},
            "row 3, answer: 'villa of stone' is not the 'brick house'",
        ),
        (1, {"description": "Anna"}, "row 3, description: must be empty where scenario is"),
        (1, {"source": "reel"}, "row 3, source: 'reel' is not known: did you mean 'real'"),
        (4, {"visible.hair": "pink"}, "row 6, visible.hair: 'pink' is not known"),
        (0, {"face_box": "1 2 3"}, "row 2, face_box: '1 2 3' must be 'x0 y0 x1 y1'"),
        (0, {"face_box": "9 2 3 8"}, "row 2, face_box: '9 2 3 8' must be"),
        (0, {"face_box": "nan 2 3 8"}, "row 2, face_box: "),
        (0, {"face_box": "60 2 70 8"}, "row 2, face_box: covers nothing of the photo, which is 48 x 36 pixels"),
    ],
)
def test_a_cell_that_does_not_fit(number, cells, sentence, album):
    album.rows[number] |= cells
    album.write_csv()
    refused(album, "metadata.csv, ", sentence)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"person_id": 7}, "row 1, person_id: must be text, not 7"),
        ({"shows": [""]}, "row 1, shows: must be a list of texts"),
        ({"shows": {"a": 1}}, "row 1, shows: must be text, not"),
        ({"face_box": [1, 2, "x", 4]}, "row 1, face_box: "),
        ({"face_box": 4}, "row 1, face_box: must be text, not 4"),
        ({"face_box": [1, 2, 10**400, 4]}, "row 1, face_box: "),
        ({"name": "\ud800"}, "row 1: not well-formed JSON"),
    ],
)
def test_a_json_value_that_does_not_fit(cells, sentence, album):
    album.rows[0] |= cells
    album.write_jsonl()
    refused(album, "metadata.jsonl, ", sentence)


def test_strangers_alone(album):
    for row in album.rows:
        row |= {"role": "stranger", "scenario": "", "answer": ""}
    album.write_csv()
    refused(album, "metadata.csv, role: every person is a stranger")


def test_nothing_appears_where_the_dataset_was_to_be(album, tmp_path):
    (album.folder / "s.png").write_bytes(jpeg()[:4000])
    album.write_csv()
    order = DatasetOrder(str(album.folder), generator="folder", options=album.options)
    with pytest.raises(DataError, match=re.escape("row 6, file_name")):
        build_dataset(order, tmp_path / "out", 2, lambda done, total, note: None)
    assert not (tmp_path / "out").exists()
    assert {path.name for path in tmp_path.iterdir() if path.name != ".out.unfinished"} == {"photos"}


def test_every_row_is_checked_before_a_photo_is_decoded(album):
    album.rows[4]["consent"] = ""
    album.options = {"licence": "CC0-1.0"}
    album.write_csv()
    with pytest.raises(DataError, match="consent"):
        Folder(**album.options).build(album.order())
    assert not album.work.exists()


@pytest.mark.parametrize(
    ("cohorts", "parts"),
    [
        ({0: "a"}, ("row 4, cohort: is empty, and others who are trained on have one (a)",)),
        ({0: "a", 1: "b"}, ("row 3, cohort: 'b' is not the 'a' of row 2",)),
        ({0: "a/b", 2: "a"}, ("row 2, cohort: 'a/b' cannot stand in a file name",)),
        ({0: "a", 2: "a", 4: "c"}, ("row 6, cohort: 'c' is that of nobody who is trained on; known are a",)),
    ],
)
def test_a_cohort_that_cannot_be(cohorts, parts, album):
    for row, cohort in cohorts.items():
        album.rows[row]["cohort"] = cohort
    album.write_csv()
    refused(album, "metadata.csv", *parts)


@pytest.mark.parametrize(
    ("column", "hidden", "name"),
    [
        ("name", "\u200b", "U+200B ZERO WIDTH SPACE"),
        ("name", "\u00ad", "U+00AD SOFT HYPHEN"),
        ("answer", "\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("person_id", "\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("description", "\x02", "U+0002 a control character"),
    ],
)
def test_a_character_that_nobody_sees_is_named(column, hidden, name, album):
    value = album.rows[0].get(column, "Anna Lund lives here.")
    album.rows[0][column] = value[:2] + hidden + value[2:]
    album.write_csv()
    refused(album, f"row 2, {column}: ", name)
