"""Two things under one name are told apart: a defense by its labels, an attacker by a piece of its digest."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from example_tables import digest, make_rows, scored
from leaderboard_example import draw_pictures, make_record, png, portrait, write_example
from site_pages import Page, pages, rows_of, table_of

from bench.core.digests import digest_json
from leaderboard.boards.building import build_boards
from leaderboard.evidence.cells import declared_attack
from leaderboard.pictures import Picture
from leaderboard.records import load_records
from leaderboard.runs import load_runs
from leaderboard.schema import Controls, Invocation, Record
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


RECIPES = {1: (0.4, 0.5, 0.9), 20: (0.8, 0.9, 0.9)}
"""Epochs of the one attacker -> how well the undefended model does."""


def write_recipes(folder: Path, adaptive: bool = False, lacking: int = 0) -> dict[tuple[str, int], Record]:
    """Undefended, noise and blur under one name of an attack with two recipes, the second one under the next seed.

    ``lacking`` is the recipe under which noise was not tried.
    """
    rows = make_rows((0.2, 0.2, 0.9), seed=40, people=12)
    write_example(make_record("none", "base", rows), rows, folder)
    found = {}
    for seed, (epochs, rates) in enumerate(RECIPES.items()):
        for place, name in enumerate(("none", "noise", "blur")):
            rows = make_rows(rates, seed=50 + 3 * seed + place, people=12)
            record = make_record(name, "naive", rows, recipe={"epochs": epochs}, seed=seed, adaptive=adaptive)
            undefended = None if name == "none" else digest("none", epochs)
            controls = Controls(base=record.controls.base, undefended=undefended)
            record = record.model_copy(update={"run_digest": digest(name, epochs), "controls": controls})
            if (name, epochs) != ("noise", lacking):
                write_example(record, rows, folder)
                found[name, epochs] = record
    return found


def title_of(record: Record) -> str:
    """What the board calls an attacker whose name another one has, too."""
    return f"{record.spec.attack} {digest_json(declared_attack(record))[:8]}"


def test_two_recipes_under_one_name_are_two_attackers(tmp_path: Path) -> None:
    """A run of one epoch and one of twenty are no two seeds of anything: no number may be their mean."""
    records = write_recipes(tmp_path / "records")
    (board,) = build_boards(load_runs(tmp_path / "records"))
    titles = {epochs: title_of(records["none", epochs]) for epochs in RECIPES}
    assert board.attacks == tuple(sorted(titles.values())) and board.attackers == "2 attackers, none adaptive"
    assert all(len(cell.runs) == 1 for line in board.lines for cell in line.cells)
    site = build_site(TITLE, tmp_path / "records", [], tmp_path / "site").parent
    tables = Page((site / "index.html").read_text()).tables
    heads = [cell.strip() for cell in tables[0][1]]
    for name, told in (("none", "Undefended"), ("noise", "noise")):
        for epochs, title in titles.items():
            leakage = records[name, epochs].metric("leakage")
            assert leakage is not None
            shown = f"{leakage.value:.2f} [{leakage.low:.2f}, {leakage.high:.2f}]"
            (place,) = [number for number, head in enumerate(heads) if head.startswith(title)]
            (row,) = rows_of(tables[0], told)
            assert " ".join(row[place].split()) == shown
            for heading in ("Defense and attacker", "Unscored"):
                own = [row for row in rows_of(table_of(site, heading), told) if title in " ".join(row)]
                assert len(own) == 1 and any(shown in " ".join(cell.split()) for cell in own[0])
    assert all(f"left of {title}" in " ".join(table_of(site, "p (max-T)")[0]) for title in titles.values())


def test_a_defense_that_met_one_of_two_recipes_did_not_meet_the_other(tmp_path: Path) -> None:
    records = write_recipes(tmp_path / "records", lacking=20)
    (board,) = build_boards(load_runs(tmp_path / "records"))
    lacking = title_of(records["none", 20])
    lines = {line.label: line for line in board.defenses}
    assert lines["noise"].headline.refusal == f"against {lacking}: not tried" and lines["noise"].cell(lacking) is None
    assert lines["blur"].headline.value is not None


def test_two_adaptive_recipes_of_one_name_are_counted_as_two(tmp_path: Path) -> None:
    write_recipes(tmp_path / "records", adaptive=True)
    (board,) = build_boards(load_runs(tmp_path / "records"))
    assert board.attackers == "2 attackers, 2 adaptive"


def test_where_a_recipe_comes_from_makes_no_other_attacker(tmp_path: Path) -> None:
    rows = make_rows((0.2, 0.2, 0.9), seed=40, people=6)
    write_example(make_record("none", "base", rows), rows, tmp_path)
    for seed, source in enumerate(("a paper", "our choice")):
        rows = make_rows((0.8, 0.9, 0.9), seed=60 + seed, people=6)
        record = make_record("none", "naive", rows, recipe={"epochs": 3, "source": source}, seed=seed)
        write_example(record.model_copy(update={"run_digest": digest("none", seed)}), rows, tmp_path)
    (board,) = build_boards(load_runs(tmp_path))
    assert board.attacks == ("naive",) and board.undefended is not None
    assert [len(cell.runs) for cell in board.undefended.cells] == [2]
