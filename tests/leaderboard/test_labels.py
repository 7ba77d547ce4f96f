"""A defense may stand several times in a suite, each time under a label: the page shows it, and whose it is."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from leaderboard_example import digest, draw_pictures, make_metrics, make_record, png, portrait
from site_pages import Page, pages, rows_of, table_of

from leaderboard.pictures import Picture
from leaderboard.records import load_records, write_record
from leaderboard.schema import Invocation, Measurement, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"
LABELS = {"noise-4": 4.0, "noise-8": 8.0}
ATTACKS = ("naive", "augment")


def labelled(label: str, attack: str, metrics: list[Measurement]) -> Record:
    """The placebo with a budget of its own."""
    record = make_record("noise", attack, metrics, budget_eps=LABELS[label])
    return record.model_copy(update={"label": label, "run_digest": digest(label, attack)})


@pytest.fixture(scope="module")
def labelled_folder(
    tmp_path_factory: pytest.TempPathFactory, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> Path:
    """The example with two budgets of noise in place of one; that of 4 grey levels answers as the blur does."""
    folder = tmp_path_factory.mktemp("labels") / "records"
    for key, record in records.items():
        if key[0] != "noise":
            write_record(record, answers[key], {}, folder)
    for label, like in (("noise-4", "blur"), ("noise-8", "noise")):
        for attack in ATTACKS:
            rows = answers[like, attack]
            write_record(labelled(label, attack, make_metrics("noise", attack, rows, answers)), rows, {}, folder)
    return folder


@pytest.fixture(scope="module")
def site(labelled_folder: Path) -> Path:
    """The site of two labels, to be read only."""
    shown = [Picture("noise-4", png(portrait()), png(portrait()), "noise"), *draw_pictures()[1:]]
    return build_site(TITLE, labelled_folder, shown, labelled_folder.parent / "site").parent


@pytest.mark.parametrize("heading", ["worst case", "p after Holm", "All", "Unscored"])
def test_labels_stand_apart_in_every_table_with_the_registered_name(site: Path, heading: str) -> None:
    tables = Page((site / "index.html").read_text()).tables
    table = next(table for table in tables if any(heading in cell for row in table[:2] for cell in row))
    for label in LABELS:
        rows = rows_of(table, label)
        assert len(rows) == (1 if heading in ("worst case", "p after Holm") else 2)
        assert all(f"{label} (noise)" in " ".join(" ".join(row).split()) for row in rows)
    assert all("(dp2vl)" not in " ".join(row) for row in rows_of(table, "dp2vl"))


def test_a_label_has_its_own_numbers_and_the_words_of_its_method(site: Path, records: dict[Key, Record]) -> None:
    headline = Page((site / "index.html").read_text()).tables[0]
    leakage = records["blur", "augment"].metric("leakage")
    assert leakage is not None and leakage.value is not None
    (small,), (large,) = rows_of(headline, "noise-4"), rows_of(headline, "noise-8")
    assert "the placebo" in small[1] and "the placebo" in large[1]
    assert "4/255" in small[1] and "8/255" in large[1]
    assert any(f"{leakage.value:.2f} [" in cell for cell in small) and not any(
        f"{leakage.value:.2f} [" in c for c in large
    )
    assert "name of the method" in (site / "index.html").read_text()


def test_pictures_and_refusals_name_both(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert '<h3><code>noise-4</code> <span class="aside">(noise)</span>' in text
    assert 'alt="Protected: noise-4"' in text and "<h3><code>dp2vl</code> <span" in text


def test_a_runs_page_shows_label_and_name(site: Path) -> None:
    (path,) = site.glob("runs/*-noise_4-naive.html")
    text = path.read_text()
    assert '<h1>noise-4 <span class="aside">(noise)</span>' in text and "<title>noise-4" in text
    assert "&#34;label&#34;: &#34;noise-4&#34;" in text and "&#34;name&#34;: &#34;noise&#34;" in text
    (other,) = site.glob("runs/*-dp2vl-naive.html")
    assert '<h1>dp2vl <span class="against">' in other.read_text() and "&#34;label&#34;" not in other.read_text()


def test_the_csv_has_a_column_of_labels_beside_the_names(site: Path) -> None:
    with (site / "metrics.csv").open(newline="") as file:
        header, *_ = lines = list(csv.reader(file))
    place = header.index("defense")
    assert header[place + 1] == "label"
    found = {tuple(line[place : place + 2]) for line in lines[1:]}
    assert found == {
        ("none", "none"), ("noise", "noise-4"), ("noise", "noise-8"), ("blur", "blur"), ("dp2vl", "dp2vl"),
    }  # fmt: skip


def test_a_refused_label_is_told_with_its_name(
    labelled_folder: Path, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    gone = {"value": None, "low": None, "high": None, "refusal": "too few people"}
    metrics = [
        one.model_copy(update=gone) if one.name == "normalised" else one for one in records["noise", "naive"].metrics
    ]
    for record in load_records(labelled_folder):
        if record.title == "noise-8" and record.spec.attack == "naive":
            record = record.model_copy(update={"metrics": metrics})
        write_record(record, answers[record.spec.defense, record.spec.attack], {}, tmp_path / "records")
    text = build_site(TITLE, tmp_path / "records", [], tmp_path / "site").read_text()
    assert "noise-8 (noise): against naive: too few people</li>" in text


def test_the_markup_of_labels_is_sound(site: Path) -> None:
    for path, page in pages(site):
        assert not page.unbalanced and len(page.ids) == len(set(page.ids)), path
        assert all((path.parent / link.partition("#")[0]).exists() for link in page.links if link[0] != "#"), path


def test_a_hostile_title_of_a_picture_stays_text(labelled_folder: Path, tmp_path: Path) -> None:
    picture = Picture("<b>x</b>", png(portrait()), png(portrait()), "<i>y</i>")
    text = build_site(TITLE, labelled_folder, [picture], tmp_path / "site").read_text()
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
    assert not re.search(r"name of the method", build_site(TITLE, folder, [], folder.parent / "site").read_text())


def test_the_command_repeats_what_was_changed(records: dict[Key, Record]) -> None:
    record = records["dp2vl", "naive"]
    changes = ["budget.eps=4", "defenses.dp2vl.options={steps: 5}"]
    changed = record.model_copy(update={"invocation": Invocation(suite="quick", seed=3, changes=changes)})
    assert changed.command == (
        "veilbench run quick --seed 3 --set budget.eps=4 --set 'defenses.dp2vl.options={steps: 5}'"
    )


def test_a_page_may_hold_the_table_of_two_labels_side_by_side(site: Path) -> None:
    assert len(table_of(site, "Unscored")) == 1 + 3 + 4 * 2
