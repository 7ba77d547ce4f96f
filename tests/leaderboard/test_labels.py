"""A defense may stand several times in a suite, each time under a label: the page shows it, and whose it is."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_tables import digest, scored
from leaderboard_example import draw_pictures, make_record, png, portrait, write_example
from site_pages import Page, pages, rows_of, table_of

from leaderboard.pictures import Picture
from leaderboard.records import load_records
from leaderboard.schema import Invocation, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"
LABELS = {"noise-8": 8.0, "noise-16": 16.0}
LIKE = {"noise-8": "noise", "noise-16": "blur"}
ATTACKS = ("naive", "augment")


def labelled(label: str, attack: str, rows: pd.DataFrame) -> Record:
    """The placebo with a budget of its own."""
    record = make_record("noise", attack, rows, budget_eps=LABELS[label])
    return record.model_copy(update={"label": label, "run_digest": digest(label, attack)})


@pytest.fixture(scope="module")
def labelled_folder(
    tmp_path_factory: pytest.TempPathFactory, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> Path:
    """The example with two budgets of noise in place of one; that of 16 grey levels answers as the blur does."""
    folder = tmp_path_factory.mktemp("labels") / "records"
    for key, record in records.items():
        if key[0] != "noise":
            write_example(record, answers[key], folder)
    for label, like in LIKE.items():
        for attack in ATTACKS:
            rows = answers[like, attack]
            write_example(labelled(label, attack, rows), rows, folder)
    return folder


@pytest.fixture(scope="module")
def site(labelled_folder: Path, verdicts: Path) -> Path:
    """The site of two labels, to be read only."""
    shown = [Picture("noise-8", png(portrait()), png(portrait()), "noise"), *draw_pictures()[1:]]
    return build_site(TITLE, labelled_folder, shown, labelled_folder.parent / "site", verdicts=verdicts).parent


@pytest.mark.parametrize(
    ("heading", "lines"), [("Part that remains", 1), ("p (max-T)", 1), ("All", 2), ("Unscored", 2)]
)
def test_labels_stand_apart_in_every_table_with_the_registered_name(site: Path, heading: str, lines: int) -> None:
    tables = Page((site / "index.html").read_text()).tables
    table = next(table for table in tables if any(heading in cell for row in table[:2] for cell in row))
    for label in LABELS:
        rows = rows_of(table, label)
        assert len(rows) == lines
        assert all(f"{label} (noise)" in " ".join(" ".join(row).split()) for row in rows)
    assert all("(dp2vl)" not in " ".join(row) for row in rows_of(table, "dp2vl"))


def test_a_label_has_its_own_numbers_and_the_words_of_its_method(site: Path, records: dict[Key, Record]) -> None:
    headline = Page((site / "index.html").read_text()).tables[0]
    leakage = records["blur", "augment"].metric("leakage")
    assert leakage is not None and leakage.value is not None
    (small,), (large,) = rows_of(headline, "noise-8"), rows_of(headline, "noise-16")
    assert "the placebo" in small[0] and "the placebo" in large[0]
    assert "8/255" in small[0] and "16/255" in large[0]
    shown = f"{leakage.value:.2f} ["
    assert any(shown in cell for cell in large) and not any(shown in cell for cell in small)
    assert "name of the method" in " ".join((site / "index.html").read_text().split())


def test_pictures_and_refusals_name_both(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert '<h3><code>noise-8</code> <span class="aside">(noise)</span>' in text
    assert 'alt="Protected: noise-8"' in text and "<h3><code>dp2vl</code> <span" in text


def test_a_runs_page_shows_label_and_name(site: Path) -> None:
    (path,) = site.glob("runs/*-noise_8-naive.html")
    text = path.read_text()
    assert '<h1>noise-8 <span class="aside">(noise)</span>' in text and "<title>noise-8" in text
    assert "&#34;label&#34;: &#34;noise-8&#34;" in text and "&#34;name&#34;: &#34;noise&#34;" in text
    (other,) = site.glob("runs/*-dp2vl-naive.html")
    assert '<h1>dp2vl <span class="against">' in other.read_text() and "&#34;label&#34;" not in other.read_text()


def test_the_csv_has_a_column_of_labels_beside_the_names(site: Path) -> None:
    with (site / "metrics.csv").open(newline="") as file:
        header, *_ = lines = list(csv.reader(file))
    place = header.index("defense")
    assert header[place + 1] == "label"
    found = {tuple(line[place : place + 2]) for line in lines[1:]}
    assert found == {
        ("none", "none"), ("noise", "noise-8"), ("noise", "noise-16"), ("blur", "blur"), ("dp2vl", "dp2vl"),
    }  # fmt: skip


def test_a_refused_label_is_told_with_its_name(
    labelled_folder: Path, answers: dict[Key, pd.DataFrame], tmp_path: Path, verdicts: Path
) -> None:
    for record in load_records(labelled_folder, verdicts):
        rows = answers[LIKE.get(record.label, record.spec.defense), record.spec.attack]
        failed = record.title == "noise-8" and record.spec.attack == "naive"
        write_example(record, all_failed(rows) if failed else rows, tmp_path / "records")
    text = build_site(TITLE, tmp_path / "records", [], tmp_path / "site", verdicts=verdicts).read_text()
    assert (
        "No number for Part that remains of noise-8 (noise): no answer of noise-8 (noise) against naive could be "
        "scored</li>"
    ) in text
    assert "No number for Leakage of noise-8 (noise) against naive: no answer could be scored</li>" in text


def all_failed(rows: pd.DataFrame) -> pd.DataFrame:
    """The same questions, none of which got an answer."""
    nothing = pd.Series([[] for _ in range(len(rows))], index=rows.index)
    return scored(rows.assign(status="error", text="", choice=-1, option_logprobs=nothing))


def test_the_markup_of_labels_is_sound(site: Path) -> None:
    for path, page in pages(site):
        assert not page.unbalanced and len(page.ids) == len(set(page.ids)), path
        assert all((path.parent / link.partition("#")[0]).exists() for link in page.links if link[0] != "#"), path


def test_a_hostile_title_of_a_picture_stays_text(labelled_folder: Path, tmp_path: Path, verdicts: Path) -> None:
    picture = Picture("<b>x</b>", png(portrait()), png(portrait()), "<i>y</i>")
    text = build_site(TITLE, labelled_folder, [picture], tmp_path / "site", verdicts=verdicts).read_text()
    assert "<b>x" not in text and "<i>y" not in text and "&lt;i&gt;y" in text


def test_a_record_of_yesterday_knows_neither_label_nor_changes(write: Write) -> None:
    folder = write()
    for path in folder.glob("*.json"):
        content: dict[str, Any] = json.loads(path.read_text())
        if "invocation" in content:
            assert content.pop("label") == "" and content["invocation"].pop("changes") == []
            path.write_text(json.dumps(content))
    records = load_records(folder)
    assert {record.title for record in records} == {"none", "noise", "blur", "dp2vl"}
    assert {record.command for record in records} == {"veilbench run quick"}
    text = build_site(TITLE, folder, [], folder.parent / "site").read_text()
    assert not re.search(r"name\s+of\s+the\s+method", text)


def test_the_command_repeats_what_was_changed(records: dict[Key, Record]) -> None:
    record = records["dp2vl", "naive"]
    changes = ["budget.eps=4", "defenses.dp2vl.options={steps: 5}"]
    changed = record.model_copy(update={"invocation": Invocation(suite="quick", seed=3, changes=changes)})
    assert changed.command == (
        "veilbench run quick --seed 3 --set budget.eps=4 --set 'defenses.dp2vl.options={steps: 5}'"
    )


def test_a_page_may_hold_the_table_of_two_labels_side_by_side(site: Path) -> None:
    assert len(table_of(site, "Unscored")) == 1 + 3 + 4 * 2
