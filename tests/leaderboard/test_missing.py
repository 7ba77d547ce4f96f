"""Runs without a result: named on the page, and no worst case passes over them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from leaderboard_example import RATES, digest
from site_pages import Page, pages, rows_of, table_of
from three_targets_example import make_answers, make_target_records, write_records

from bench.core.errors import DataError
from leaderboard.missing import MissingRun
from leaderboard.records import write_record
from leaderboard.schema import Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"
REASON = 'out of memory <script>alert("x")</script>'
DASH = "\N{EN DASH}"


def missing(label: str, attack: str, target: str = "tiny-llava", ratio: float = 1.0, seed: int = 0) -> MissingRun:
    """A run that failed."""
    return MissingRun(label, attack, target, ratio, seed, REASON)


def build(folder: Path, gone: Sequence[MissingRun]) -> Path:
    """The site of a folder of records, some runs missing."""
    return build_site(TITLE, folder, [], folder.parent / "site", gone).parent


def without(folder: Path, *patterns: str) -> Path:
    """The folder with those records removed."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            path.unlink()
    return folder


def headline(site: Path) -> list[list[str]]:
    """The table of defenses."""
    return Page((site / "index.html").read_text()).tables[0]


def test_each_missing_run_stands_on_the_page_with_its_reason(write: Write) -> None:
    gone = [missing("dp2vl", "augment", ratio=0.5, seed=3), missing("none", "naive"), missing("none", "base")]
    site = build(write(), gone)
    text = (site / "index.html").read_text()
    (_, *rows) = table_of(site, "Reason")
    cells = [[cell.strip() for cell in row] for row in rows]
    assert cells[0] == ["dp2vl", "augment", "tiny-llava", "50 %", "3", REASON]
    assert [row[:2] for row in cells[1:]] == [["Undefended", "naive"], ["Base", "none"]]
    assert "<strong>3 of 12 runs are missing.</strong>" in text.partition("</aside>")[0]
    assert text.index('id="missing"') < text.index('id="runs"')
    assert all("<script>alert" not in path.read_text() for path in site.rglob("*.html"))
    for path, page in pages(site):
        assert not page.unbalanced and page.heads_without_scope == 0, path
        assert "#missing" in page.links or path.name != "index.html"


def test_one_missing_run_is_told_without_any_disclosure(write: Write, records: dict[Key, Record]) -> None:
    silent = {key: record.model_copy(update={"disclosures": []}) for key, record in records.items()}
    text = (build(write(silent), [missing("blur", "naive")]) / "index.html").read_text()
    assert "<strong>1 of 10 runs is missing.</strong>" in text


def test_nothing_is_said_where_nothing_is_missing(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert 'id="missing"' not in text and "#missing" not in text and "missing.</strong>" not in text


def test_a_missing_run_refuses_the_worst_case_and_the_rank(write: Write) -> None:
    site = build(without(write(), "*-dp2vl-augment.*"), [missing("dp2vl", "augment")])
    (row,) = rows_of(headline(site), "dp2vl")
    assert "no number" in row[2] and f"against augment: the run of training seed 0 is missing: {REASON}" in row[2]
    assert row[0].strip() == DASH and "run missing" in row[5]
    assert {rows_of(headline(site), name)[0][0].strip() for name in ("blur", "noise")} == {"1", "2"}
    assert not rows_of(table_of(site, "p after Holm"), "dp2vl")
    assert "<strong><code>blur</code></strong> lets the least through" in (site / "index.html").read_text()


def test_a_missing_seed_refuses_too_though_other_seeds_have_numbers(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    folder = write()
    for key in RATES:
        record = records[key]
        seeded = record.model_copy(
            update={"run_digest": digest(*key, 1), "spec": record.spec.model_copy(update={"seed": 1})}
        )
        if key != ("dp2vl", "naive"):
            write_record(seeded, answers[key], {}, folder)
    site = build(folder, [missing("dp2vl", "naive", seed=1)])
    (row,) = rows_of(headline(site), "dp2vl")
    assert "against naive: the run of training seed 1 is missing" in row[2] and row[0].strip() == DASH
    assert rows_of(headline(site), "blur")[0][0].strip() == "1"


def test_an_attacker_whose_every_run_is_missing_refuses_every_worst_case(write: Write) -> None:
    gone = [missing(label, "augment") for label in ("none", "noise", "blur", "dp2vl")]
    site = build(without(write(), "*-augment.*"), gone)
    for name in ("noise", "blur", "dp2vl"):
        (row,) = rows_of(headline(site), name)
        assert "against augment: the run of training seed 0 is missing" in row[2] and row[0].strip() == DASH
    assert "lets the least through" not in (site / "index.html").read_text()


def test_the_first_attackers_number_is_never_anothers(write: Write) -> None:
    site = build(without(write(), "*-dp2vl-naive.*"), [missing("dp2vl", "naive")])
    (row,) = rows_of(headline(site), "dp2vl")
    assert row[3].strip().startswith(DASH), "the column says naive, and only augment was measured"


@pytest.mark.parametrize("other", [{"target": "another"}, {"ratio": 0.5}])
def test_a_run_missing_elsewhere_leaves_this_board_alone(write: Write, other: dict[str, str]) -> None:
    site = build(write(), [MissingRun(**{**vars(missing("dp2vl", "augment")), **other})])
    assert rows_of(headline(site), "dp2vl")[0][0].strip() == "1"


def test_no_highest_number_over_targets_where_a_run_is_missing(tmp_path: Path) -> None:
    answers = make_answers(people=12)
    records = {
        key: record
        for key, record in make_target_records(answers).items()
        if key[1:] in {("none", "base"), ("none", "naive"), ("dp2vl", "naive"), ("blur", "naive")}
        and key[0] != "tiny-minigpt-v2"
        and key != ("tiny-qwen2-vl", "blur", "naive")
    }
    gone = [missing("blur", "naive", "tiny-qwen2-vl"), missing("dp2vl", "naive", "tiny-minigpt-v2")]
    site = build(write_records(records, answers, tmp_path / "records"), gone)
    table = table_of(site, "Highest over targets")
    (blur,), (dp2vl,) = rows_of(table, "blur"), rows_of(table, "dp2vl")
    assert "the run of training seed 0 is missing" in blur[2] and "tiny-qwen2-vl: the run of" in blur[3]
    assert "no number" not in dp2vl[1] + dp2vl[2]
    assert "no number" in dp2vl[3] and "tiny-minigpt-v2: the run of training seed 0 is missing" in dp2vl[3]


def test_equal_missing_runs_give_equal_bytes(write: Write, tmp_path: Path) -> None:
    folder, gone = write(), [missing("dp2vl", "augment"), missing("blur", "naive", seed=1)]
    sites = [build_site(TITLE, folder, [], tmp_path / name, gone).parent for name in ("one", "other")]
    assert len({(site / "SHA256SUMS").read_bytes() for site in sites}) == 1


def test_a_page_built_from_the_published_records_alone_tells_of_them_too(write: Write, tmp_path: Path) -> None:
    site = build(write(), [missing("dp2vl", "augment", seed=3)])
    again = build_site(TITLE, site / "records", [], tmp_path / "again").parent
    assert (again / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert (again / "records" / "missing.json").read_bytes() == (site / "records" / "missing.json").read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "missing.json: field file: Invalid JSON"),
        ('[{"label": "a"}]', "missing.json: field 0.attack: Field required"),
        ('[{"label": "a", "attack": "b", "target": "c", "ratio": "d", "seed": 0, "reason": "e"}]', "field 0.ratio"),
    ],
)
def test_a_broken_list_of_missing_runs_is_named(write: Write, tmp_path: Path, content: str, said: str) -> None:
    folder = write()
    (folder / "missing.json").write_text(content)
    with pytest.raises(DataError) as caught:
        build_site(TITLE, folder, [], tmp_path / "site")
    assert said in str(caught.value)
