"""A folder of photos and its metadata file become a dataset."""

import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from bench.core.digests import digest_tree
from bench.core.errors import UsageError
from generators.base import BuildOrder
from generators.folder.generator import Folder
from generators.registry import generator_for
from scenarios.dataset import check_images, load_dataset, save_dataset


def png(colour: tuple[int, int, int], side: int) -> bytes:
    """A square of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_people_pairs_and_probes_say_what_the_rows_say(album):
    album.write_csv()
    dataset = album.build()
    assert dataset.name == "photos"
    assert [(person.person_id, person.name, person.role) for person in dataset.persons()] == [
        ("p1", "Anna Lund", "evaluation"),
        ("p2", "Ben Mar", "evaluation"),
        ("s1", "Cleo Wick", "stranger"),
    ]
    assert [person.facts for person in dataset.persons()] == [{"home": "brick house"}, {"home": "houseboat"}, {}]
    pairs = dataset.pairs.set_index("pair_id")
    assert list(pairs.index) == ["anna-1", "ben-1"]
    assert dict(pairs.loc["anna-1", ["source", "generator", "licence", "consent"]]) == {
        "source": "real",
        "generator": "folder",
        "licence": "CC-BY-4.0",
        "consent": "written, 2026-05-01",
    }
    assert pairs.loc["anna-1", "shows"] == ["brick house"]
    assert "Anna Lund" in pairs.loc["anna-1", "description"] and "brick house" in pairs.loc["anna-1", "description"]
    probes = dataset.probes.set_index("probe_id")
    assert probes.loc["held_out-ben-2-home", "answer"] == "houseboat"
    assert len(probes.loc["held_out-ben-2-home", "options"]) == 5
    assert probes.loc["held_out-ben-2-home", "shows"] == []
    assert probes.loc["utility-s-hair", "answer"] == "red"
    assert set(probes["consent"]) == {"written, 2026-05-01"}


def test_csv_and_jsonl_that_say_the_same_are_the_same_dataset(album):
    album.rows[0] |= {"face_box": "3 4 20 30"}
    album.write_csv()
    from_csv = album.build()
    (album.folder / "metadata.csv").unlink()
    for row in album.rows:
        row["shows"] = [] if row["shows"] == "none" else [row["shows"]]
    album.rows[0] |= {"face_box": [3, 4, 20, 30]}
    album.write_jsonl()
    assert album.build().digest == from_csv.digest


def test_equal_folders_are_equal_datasets_wherever_they_lie_and_however_many_work(album, tmp_path):
    album.write_csv()
    one = album.build(workers=1)
    album.folder = album.folder.rename(tmp_path / "elsewhere")
    shutil.rmtree(album.work)
    assert album.build(workers=3).digest == one.digest


def test_rows_of_a_file_win_over_the_options(album):
    album.rows[0] |= {"consent": "told on tape", "licence": "CC0-1.0", "source": "rendered"}
    album.rows[0] |= {"photo_id": "first", "description": "Anna Lund lives in a brick house by the sea."}
    album.write_csv()
    pair = album.build().pairs.iloc[0]
    assert pair["pair_id"] == "first" and pair["source"] == "rendered"
    assert (pair["consent"], pair["licence"]) == ("told on tape", "CC0-1.0")
    assert pair["description"] == "Anna Lund lives in a brick house by the sea."


def test_rows_alone_suffice_for_consent_and_licence(album):
    album.options = {"name": "our-volunteers"}
    for row in album.rows:
        row |= {"consent": "signed form 7", "licence": "CC-BY-4.0"}
    album.write_csv()
    dataset = album.build()
    assert dataset.name == "our-volunteers"
    assert set(dataset.probes["consent"]) == {"signed form 7"}


def test_what_a_person_looks_like_is_stated_once(album):
    album.rows[1] |= {"appearance.age_group": "60s"}
    album.write_csv()
    assert json.loads(album.build().people.iloc[0]["appearance"]) == {"age_group": "60s"}


def test_an_empty_cell_about_what_is_to_be_seen_means_that_nobody_looked(album):
    album.rows[2]["shows"] = ""
    album.write_csv()
    pairs = album.build().pairs
    assert pairs.iloc[1]["shows"] is None and pairs.iloc[0]["shows"] == ["brick house"]


def test_several_things_are_listed_with_semicolons(album):
    album.rows[0]["shows"] = "brick house; Adrian ;"
    album.write_csv()
    assert album.build().pairs.iloc[0]["shows"] == ["brick house", "Adrian"]


def test_several_photos_of_one_scenario_are_several_pairs(album):
    album.add("anna/3.png", "p1", "Anna Lund", scenario="home", answer="brick house")
    album.write_csv()
    assert list(album.build().pairs["pair_id"]) == ["anna-1", "ben-1", "anna-3"]


def test_the_limit_keeps_the_first_people_and_strangers_and_decodes_no_other_photo(album):
    album.add("t.png", "s2", "Dora Nik", role="stranger", shows="none")
    album.write_csv()
    assert list(album.build(limit=1).people["person_id"]) == ["p1", "s1"]
    assert len(list(album.work.iterdir())) == 3
    with pytest.raises(UsageError, match="At least 1 person"):
        album.build(limit=0)


def test_a_spreadsheet_s_byte_order_mark_empty_columns_and_blank_rows_do_no_harm(album):
    path = album.write_csv()
    plain = album.build().digest
    lines = path.read_text().splitlines()
    spoilt = "\r\n".join([lines[0] + ",,", *(line + ",," for line in lines[1:3]), ",,,,", "", *lines[3:], ""])
    path.write_bytes(b"\xef\xbb\xbf" + spoilt.encode())
    assert album.build().digest == plain


def test_a_letter_written_in_two_ways_is_one_file_name(album):
    (album.folder / "s.png").rename(album.folder / "Mu\u0308ller.png")
    album.rows[4]["file_name"] = "M\u00fcller.png"
    album.write_csv()
    assert "stranger-M\u00fcller-name" in set(album.build().probes["probe_id"])


def test_hidden_files_need_no_row(album):
    album.write_csv()
    (album.folder / "anna" / "._1.png").write_bytes(b"resource fork")
    (album.folder / "notes.txt").write_text("to do")
    assert len(album.build().pairs) == 2


def stop(done: int, total: int, note: str) -> None:
    """A report of progress that ends the build with the second photo."""
    if done == 2:
        raise KeyboardInterrupt


def test_a_stopped_build_goes_on_and_is_what_it_would_have_been(album):
    album.write_csv()
    expected = album.build().digest
    shutil.rmtree(album.work)
    with pytest.raises(KeyboardInterrupt):
        album.build(workers=1, report=stop)
    assert len(list(album.work.iterdir())) >= 2
    assert album.build().digest == expected


def test_a_build_that_is_stopped_begins_no_other_photo(album):
    for number in range(40):
        album.add(f"more/{number}.png", "p1", "Anna Lund", png((number, 0, 0), 400), shows="none")
    album.write_csv()
    with pytest.raises(KeyboardInterrupt):
        album.build(workers=1, report=stop)
    assert 2 <= len(list(album.work.iterdir())) < 40


def test_a_finished_photo_is_not_made_again(album):
    album.write_csv()
    album.build()
    for path in album.work.iterdir():
        path.write_bytes(png((1, 2, 3), 48))
    assert set(album.build().pairs["image"]) == {png((1, 2, 3), 48)}


def test_a_finished_photo_that_is_damaged_is_made_anew(album):
    album.write_csv()
    expected = album.build().digest
    for number, path in enumerate(sorted(album.work.iterdir())):
        path.write_bytes(path.read_bytes()[: 60 * number])
    assert album.build().digest == expected


def test_another_size_is_another_photo(album):
    album.write_csv()
    whole = album.build()
    album.options["max_side"] = 32
    assert album.build().digest != whole.digest


def test_no_file_bears_a_name_or_an_id(album):
    album.write_csv()
    album.build()
    assert all(len(path.stem) == 64 and path.suffix == ".png" for path in album.work.iterdir())


def test_the_folder_itself_stays_as_it_is(album):
    album.write_csv()
    before = digest_tree(album.folder)
    album.build()
    assert digest_tree(album.folder) == before


def test_progress_tells_every_photo(album):
    album.write_csv()
    told = []
    album.build(report=lambda done, total, note: told.append((done, total)))
    assert told == [(done, 5) for done in range(6)]


def test_the_dataset_can_be_saved_loaded_and_looked_at(album, tmp_path):
    album.write_csv()
    dataset = album.build()
    check_images(dataset)
    save_dataset(dataset, tmp_path / "saved")
    assert load_dataset(str(tmp_path / "saved")).digest == dataset.digest


def test_a_folder_with_a_metadata_file_is_claimed(album, tmp_path):
    assert not Folder().claims(str(album.folder))
    album.write_jsonl()
    assert Folder().claims(str(album.folder))
    assert isinstance(generator_for(str(album.folder)), Folder)
    assert not Folder().claims("") and not Folder().claims(str(tmp_path / "nothing"))


@pytest.mark.parametrize(("option", "value"), [("max_side", 8), ("max_side", "big"), ("consent", True)])
def test_an_option_of_the_wrong_kind_is_refused(option, value):
    with pytest.raises(UsageError, match=option):
        Folder(**{option: value})


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no-such-folder"):
        Folder().build(BuildOrder("no-such-folder", Path(tmp_path)))


def test_one_cell_of_a_person_says_the_cohort_and_the_limit_is_for_each(album):
    album.rows[0]["cohort"], album.rows[3]["cohort"] = "a", "b"
    album.write_csv()
    built = album.build()
    assert [person.cohort for person in built.persons()] == ["a", "b", ""]
    assert built.cohorts == ("a", "b")
    assert list(album.build(limit=1).people["person_id"]) == ["p1", "p2", "s1"]
