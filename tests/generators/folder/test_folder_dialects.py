"""Tables as spreadsheets write them: the separator, the encoding, blanks and spellings that look the same."""

import csv
import io
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from generators.folder.metadata import read_rows
from scenarios.writing import invisible, plain

COLUMNS = ("file_name", "person_id", "name")
CELLS = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"), include_characters=',;"'), max_size=8
)
TABLES = st.lists(st.tuples(st.just("a.png"), CELLS, CELLS), min_size=1, max_size=4)


def written(rows: list[tuple[str, ...]], separator: str, stated: bool, blank: bool, quoting: int) -> str:
    """The table in one dialect."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=quoting)
    writer.writerows([COLUMNS, *rows])
    body = text.getvalue()
    if blank and quoting == csv.QUOTE_ALL:
        body = body.replace(f'"{separator}"', f'"{separator} "')
    return (f"sep={separator}\r\n" if stated else "") + body


@cases()
@given(
    TABLES,
    st.sampled_from(",;\t"),
    st.booleans(),
    st.booleans(),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_a_table_is_read_alike_in_every_dialect(
    rows: list[tuple[str, ...]], separator: str, stated: bool, blank: bool, quoting: int, encoding: str, ending: str
) -> None:
    # A blank behind the separator could be a cell's own, where a cell holds quotes and separators itself.
    blank = blank and not any(sign in cell for row in rows for cell in row for sign in f'"{separator}')
    text = written(rows, separator, stated, blank, quoting).replace("\r\n", ending)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metadata.csv"
        path.write_bytes(text.encode(encoding))
        read = read_rows(path, COLUMNS, ())
    assert [[row.text(column) for column in COLUMNS] for row in read] == [[plain(cell) for cell in row] for row in rows]


def test_the_first_line_of_a_spreadsheet_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "metadata.csv"
    path.write_text('sep=;\nfile_name;person_id;name\na.png;p1;"Anna; Lund"\n')
    [row] = read_rows(path, COLUMNS, ())
    assert (row.line, row.text("name")) == (3, "Anna; Lund")


@pytest.mark.parametrize(("separator", "word"), [(",", "a comma"), (";", "a semicolon"), ("\t", "a tab")])
def test_a_cell_too_many_is_told_by_the_separator_in_it(separator: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.csv"
    path.write_text(f"{separator.join(COLUMNS)}\na.png{separator}p1{separator}Lund{separator}Anna\n")
    with pytest.raises(Exception, match=rf"row 2: has 4 cells.* a cell with {word} in it needs double quotes"):
        read_rows(path, COLUMNS, ())


@pytest.mark.parametrize("spelled", ["Zoë  Król", "Zoë\u00a0Król", "Zoë\u2009Król ", "Zoë Król"])
def test_a_name_in_two_spellings_that_look_the_same_is_one(spelled, album) -> None:
    for row, form in zip(album.rows[:2], ("NFC", "NFD"), strict=True):
        row["name"] = unicodedata.normalize(form, spelled)
    album.write_csv()
    assert album.build().persons()[0].name == "Zoë Król"


@cases()
@given(
    st.text(max_size=20),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.sampled_from([" ", "\u00a0", "\u3000", "\t"]),
)
def test_a_text_has_one_form(text: str, form: str, blank: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert plain(unicodedata.normalize("NFD", text)) == plain(unicodedata.normalize("NFC", text))
    assert plain(f"{blank}{text}{blank}") == once


@cases()
@given(
    st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=20),
    st.characters(categories=("Cf", "Cc")),
)
def test_what_nobody_sees_is_named_wherever_it_stands(text: str, hidden: str) -> None:
    assert invisible(text) is None
    if not hidden.isspace() and hidden not in "\u200c\u200d":
        assert f"U+{ord(hidden):04X}" in str(invisible(f"{text}{hidden}"))


def test_joiners_that_join_are_letters() -> None:
    assert invisible("می\u200cخواهم") is None
    assert invisible("क्\u200dष") is None
    assert "ZERO WIDTH JOINER" in str(invisible("Anna\u200d"))


def test_one_photo_tells_two_facts(album) -> None:
    album.rows[0] |= {"shows": "brick house; dog", "face_box": "1 2 20 30"}
    album.rows.append(album.rows[0] | {"scenario": "pet", "answer": "dog"})
    album.write_csv()
    dataset = album.build()
    own = dataset.pairs[dataset.pairs["person_id"] == "p1"]
    assert own["pair_id"].tolist() == ["anna-1-home", "anna-1-pet"]
    assert own["image"].nunique() == 1
    assert own["face_box"].tolist() == [[1, 2, 20, 30]] * 2
    assert dataset.persons()[0].facts == {"home": "brick house", "pet": "dog"}
    member = dataset.probes[(dataset.probes["kind"] == "member") & (dataset.probes["person_id"] == "p1")]
    assert sorted(member["scenario"]) == ["home", "name", "pet"]
