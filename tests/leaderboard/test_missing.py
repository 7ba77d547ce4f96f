"""Runs without a result: named on the page, and no maximum over attackers passes over them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from example_tables import digest
from leaderboard_example import RATES, write_example
from site_pages import pages, rows_of, table_of
from three_targets_example import make_answers, make_target_records, write_records

from bench.core.errors import DataError
from leaderboard.missing import MissingRun
from leaderboard.schema import Controls, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
Build = Callable[[Path, Sequence[MissingRun]], Path]
LineOf = Callable[[Path, str], dict[str, str]]
TITLE = "Quick look"
REASON = 'out of memory <script>alert("x")</script>'
DASH = "\N{EN DASH}"


def missing(label: str, attack: str, target: str = "tiny-llava", ratio: float = 1.0, seed: int = 0) -> MissingRun:
    """A run that failed."""
    return MissingRun(label, attack, target, ratio, seed, REASON)


@pytest.fixture
def build(verdicts: Path) -> Build:
    """Make the site of a folder of records, some runs missing."""
    return lambda folder, gone: build_site(TITLE, folder, [], folder.parent / "site", gone, verdicts).parent


def without(folder: Path, *patterns: str) -> Path:
    """The folder with those records removed."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            path.unlink()
    return folder


def test_each_missing_run_stands_on_the_page_with_its_reason(write: Write, build: Build) -> None:
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


def test_one_missing_run_is_told_without_any_disclosure(write: Write, build: Build, records: dict[Key, Record]) -> None:
    silent = {key: record.model_copy(update={"disclosures": []}) for key, record in records.items()}
    text = (build(write(silent), [missing("blur", "naive")]) / "index.html").read_text()
    assert "<strong>1 of 10 runs is missing.</strong>" in text


def test_nothing_is_said_where_nothing_is_missing(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert 'id="missing"' not in text and "#missing" not in text and "missing.</strong>" not in text


@pytest.mark.usefixtures("ranked")
def test_a_missing_run_refuses_the_headline_and_the_rank(write: Write, build: Build, line_of: LineOf) -> None:
    site = build(without(write(), "*-dp2vl-augment.*"), [missing("dp2vl", "augment")])
    line = line_of(site, "dp2vl")
    assert line["Part that remains"].startswith("no number") and line["At most"] == line["Rank"] == DASH
    assert f"against augment: the run of training seed 0 is missing: {REASON}" in line["Part that remains"]
    assert line["Leakage"] == f"{DASH}not every attacker was tried" and line["Half told"] == DASH
    assert line["augment"] == f"{DASH}run missing"
    assert {line_of(site, name)["Rank"] for name in ("blur", "noise")} == {"1", "2"}
    assert not rows_of(table_of(site, "p (max-T)"), "dp2vl")
    assert "<strong><code>blur</code></strong> has the lowest figure" in (site / "index.html").read_text()


@pytest.mark.usefixtures("ranked")
def test_a_missing_seed_refuses_too_though_other_seeds_have_numbers(
    write: Write, build: Build, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], line_of: LineOf
) -> None:
    folder = write()
    for key in RATES:
        if key not in {("none", "base"), ("dp2vl", "naive")}:
            record = records[key]
            undefended = record.controls.undefended and digest("none", key[1], 1)
            changes = {
                "run_digest": digest(*key, 1),
                "spec": record.spec.model_copy(update={"seed": 1}),
                "controls": Controls(base=record.controls.base, undefended=undefended),
            }
            write_example(record.model_copy(update=changes), answers[key], folder)
    site = build(folder, [missing("dp2vl", "naive", seed=1)])
    line = line_of(site, "dp2vl")
    assert "against naive: the run of training seed 1 is missing" in line["Part that remains"]
    assert line["Rank"] == line["At most"] == DASH and line["Leakage"].startswith(DASH)
    assert line_of(site, "blur")["Rank"] == "1"


@pytest.mark.usefixtures("ranked")
def test_an_attacker_whose_every_run_is_missing_refuses_every_headline(
    write: Write, build: Build, line_of: LineOf
) -> None:
    gone = [missing(label, "augment") for label in ("none", "noise", "blur", "dp2vl")]
    site = build(without(write(), "*-augment.*"), gone)
    for name in ("noise", "blur", "dp2vl"):
        line = line_of(site, name)
        assert "against augment: the run of training seed 0 is missing" in line["Part that remains"]
        assert line["Rank"] == DASH and line["Leakage"].startswith(DASH) and line["augment"] == f"{DASH}run missing"
    text = (site / "index.html").read_text()
    assert "has the lowest figure" not in text and "Highest of 2 attackers" in text


def test_the_first_attackers_number_is_never_anothers(write: Write, build: Build, line_of: LineOf) -> None:
    site = build(without(write(), "*-dp2vl-naive.*"), [missing("dp2vl", "naive")])
    line = line_of(site, "dp2vl")
    assert line["naive"] == f"{DASH}run missing", "the column says naive, and only augment was measured"


def test_a_defense_that_was_not_tried_under_an_attacker_shows_no_number_of_another(
    write: Write, build: Build, records: dict[Key, Record], line_of: LineOf
) -> None:
    site = build(without(write(), "*-dp2vl-naive.*"), [])
    line = line_of(site, "dp2vl")
    assert line["naive"] == f"{DASH}not tried", "nobody asked for it"
    augment = records["dp2vl", "augment"].metric("leakage")
    assert augment is not None and augment.value is not None and line["augment"].startswith(f"{augment.value:.2f} [")
    assert line["Leakage"] == f"{DASH}not every attacker was tried" and line["Half told"] == line["At most"] == DASH
    assert line["Part that remains"] == "no numberagainst naive: not tried"
    text = (site / "index.html").read_text()
    assert "No number for Part that remains of dp2vl: against naive: not tried</li>" in text


@pytest.mark.parametrize("other", [{"target": "another"}, {"ratio": 0.5}])
@pytest.mark.usefixtures("ranked")
def test_a_run_missing_elsewhere_leaves_this_board_alone(
    write: Write, build: Build, other: dict[str, str], line_of: LineOf
) -> None:
    site = build(write(), [MissingRun(**{**vars(missing("dp2vl", "augment")), **other})])
    line = line_of(site, "dp2vl")
    assert line["Rank"] == "1" and line["Part that remains"][0].isdigit()


def test_no_highest_number_over_targets_where_a_run_is_missing(tmp_path: Path, build: Build) -> None:
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


def test_equal_missing_runs_give_equal_bytes(write: Write, tmp_path: Path, verdicts: Path) -> None:
    folder, gone = write(), [missing("dp2vl", "augment"), missing("blur", "naive", seed=1)]
    sites = [build_site(TITLE, folder, [], tmp_path / name, gone, verdicts).parent for name in ("one", "other")]
    assert len({(site / "SHA256SUMS").read_bytes() for site in sites}) == 1


def test_a_page_built_from_the_published_records_alone_tells_of_them_too(
    write: Write, build: Build, tmp_path: Path
) -> None:
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
