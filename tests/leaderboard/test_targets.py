"""A suite with several targets: each for itself, and all side by side."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from leaderboard_example import draw_pictures, write_example
from site_pages import Page, pages, rows_of
from three_targets_example import FAMILIES, Key, digest_of, make_answers, make_target_records, with_spec, write_records

from bench.core.errors import DataError
from evaluators.zero import fact_choices
from leaderboard.records import load_records
from leaderboard.schema import Controls, Record, RecordedSurrogate, RunSpec
from leaderboard.site import build_site

TITLE = "Three targets"
HOSTILE = '<script>alert("x")</script>'
TARGETS = sorted(FAMILIES)
ATTACKS = ("naive", "augment")
FEW = {("none", "base"), ("none", "naive"), ("dp2vl", "naive")}
Write = Callable[[], Path]


@pytest.fixture(scope="module")
def answers() -> dict[Key, pd.DataFrame]:
    """Answers of every run by (target, defense, attack)."""
    return make_answers()


@pytest.fixture(scope="module")
def records(answers: dict[Key, pd.DataFrame]) -> dict[Key, Record]:
    """Records of every run by (target, defense, attack), not yet written."""
    return make_target_records(answers)


@pytest.fixture(scope="module")
def few(records: dict[Key, Record]) -> dict[Key, Record]:
    """The controls and one defense: enough where names are looked at, not numbers."""
    return {key: record for key, record in records.items() if key[1:] in FEW}


@pytest.fixture(scope="module")
def records_folder(
    tmp_path_factory: pytest.TempPathFactory, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> Path:
    """The records on disk; tests that change them take a copy from ``write``."""
    return write_records(records, answers, tmp_path_factory.mktemp("three") / "records")


@pytest.fixture(scope="module")
def site(records_folder: Path, verdicts: Path) -> Path:
    """The site of three targets, to be read only."""
    output = records_folder.parent / "site"
    return build_site(TITLE, records_folder, draw_pictures(), output, verdicts=verdicts).parent


@pytest.fixture
def write(tmp_path: Path, records_folder: Path) -> Write:
    """Copy the records; return the folder."""
    return lambda: shutil.copytree(records_folder, tmp_path / "records")


def index(site: Path) -> Page:
    """The site's first page."""
    return Page((site / "index.html").read_text())


def overview(site: Path) -> list[list[str]]:
    """The table of defenses and targets."""
    return next(table for table in index(site).tables if any("Highest over targets" in cell for cell in table[0]))


def shown(value: float | None) -> str:
    """A number as the page prints it."""
    assert value is not None
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def headlines(site: Path) -> list[list[list[str]]]:
    """The table of defenses of each target."""
    return [table for table in index(site).tables if any("Part that remains" in cell for cell in table[1])]


def excess(rows: pd.DataFrame) -> float:
    """Mean leakage above zero of scored answers, worked out beside the code that is tested."""
    choices = fact_choices(rows)
    return float(np.nanmean(choices.right - choices.zero()))


def strongest(answers: dict[Key, pd.DataFrame], target: str, defense: str) -> tuple[float, str]:
    """Part of the leak that a defense leaves on a target, and the attacker behind it."""
    gained, attack = max((excess(answers[target, defense, attack]), attack) for attack in ATTACKS)
    return gained / max(excess(answers[target, "none", attack]) for attack in ATTACKS), attack


def test_each_defense_has_its_headline_on_each_target(
    site: Path, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    table = overview(site)
    assert [cell.strip() for cell in table[0]] == ["Defense", *TARGETS, "Highest over targets"]
    for defense in ("noise", "blur", "dp2vl"):
        (row,) = rows_of(table, defense)
        for cell, target in zip(row[1:4], TARGETS, strict=True):
            value, attack = strongest(answers, target, defense)
            leakage = records[target, defense, attack].metric("leakage")
            assert leakage is not None
            assert f"{shown(value)} [" in " ".join(cell.split())
            assert f"leakage {shown(leakage.value)} by {attack}" in " ".join(cell.split())
        value, target = max((strongest(answers, target, defense)[0], target) for target in TARGETS)
        assert shown(value) in row[4] and f"on {target}" in row[4]


def test_white_box_and_transfer_are_marked_where_they_hold(site: Path) -> None:
    marks = {
        target: ("white box" in cell, "transfer" in cell)
        for target, cell in zip(TARGETS, rows_of(overview(site), "dp2vl")[0][1:4], strict=True)
    }
    assert marks == {
        "tiny-llava": (True, False), "tiny-minigpt-v2": (False, True), "tiny-qwen2-vl": (False, True),
    }  # fmt: skip
    assert not any("white box" in cell or "transfer" in cell for cell in rows_of(overview(site), "noise")[0])
    marked = [re.findall("white box|transfer", rows_of(table, "dp2vl")[0][0]) for table in headlines(site)]
    assert marked == [["white box"], ["transfer"], ["transfer"]]


def test_controls_stand_per_target(site: Path, records: dict[Key, Record]) -> None:
    table = overview(site)
    ((_, *base, highest),), ((_, *undefended, _),) = rows_of(table, "Base"), rows_of(table, "Undefended")
    assert highest.strip() == "\N{EN DASH}", "two ends of a scale are not compared over targets"
    for place, target in enumerate(TARGETS):
        metric = records[target, "none", "base"].metric("leakage")
        leakages = [records[target, "none", attack].metric("leakage") for attack in ("naive", "augment")]
        zero = records[target, "none", "naive"].metric("zero")
        assert metric is not None and shown(metric.value) in base[place]
        assert zero is not None and f"zero {shown(zero.value)}" in base[place]
        assert shown(max(one.value for one in leakages if one and one.value is not None)) in undefended[place]


def test_every_target_has_its_own_section(site: Path, answers: dict[Key, pd.DataFrame]) -> None:
    text = (site / "index.html").read_text()
    assert re.findall(r"<h2 id=\"results-title[^>]*>Results: ([^<]*)<", text) == TARGETS
    tables = headlines(site)
    assert len(tables) == 3
    assert all(len(rows_of(table, name)) == 1 for table in tables for name in ("Base", "Undefended", "dp2vl"))
    for table, target in zip(tables, TARGETS, strict=True):
        best = min(("noise", "blur", "dp2vl"), key=lambda defense: strongest(answers, target, defense)[0])
        assert table.index(rows_of(table, best)[0]) == 2, "lowest first, on this target"
        assert not any("Rank" in cell for cell in table[1]), "one seed and twelve people rank nobody"
    assert text.count("Ranks need more: 1 training seed of 3, 12 people of 100, 1 cohort of 5.") == 3


@pytest.mark.usefixtures("ranked")
def test_every_target_has_its_own_ranks(records_folder: Path, tmp_path: Path, verdicts: Path) -> None:
    site = build_site(TITLE, records_folder, [], tmp_path / "site", verdicts=verdicts).parent
    ranks = [rows_of(table, "dp2vl")[0][0].strip() for table in headlines(site)]
    assert ranks[0] == "1" != ranks[1]
    (row,) = rows_of(overview(site), "dp2vl")
    for cell, rank in zip(row[1:4], ranks, strict=True):
        assert f", rank {rank}" in " ".join(cell.split())


def test_every_run_is_listed_once_with_its_target(site: Path) -> None:
    (table,) = [table for table in index(site).tables if any("Unscored" in cell for cell in table[0])]
    assert len(table) - 1 == 27 and len({row[-1] for row in table[1:]}) == 27
    assert [cell.strip() for cell in table[0][:3]] == ["Defense", "Target", "Attacker"]
    assert sum(row[1].strip() == "tiny-qwen2-vl" for row in table) == 9
    assert 'data-choose="Target"' in (site / "index.html").read_text()


def test_a_disclosure_of_some_targets_names_them(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert re.search(r"attacked encoder itself\. <span[^>]*>Said of tiny-llava only\.</span>", text)
    assert "These are embedded tiny models.</li>" in text


def test_the_markup_is_sound_and_links_lead_inside(site: Path) -> None:
    found = dict(pages(site))
    for path, page in found.items():
        assert not page.unbalanced and page.heads_without_scope == 0, path
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            file, _, anchor = link.partition("#")
            goal = (path.parent / file).resolve() if file else path
            assert goal.is_file() and (not anchor or anchor in found[goal].ids), f"{path.name}: {link}"


def test_a_runs_page_tells_target_family_and_backend(site: Path) -> None:
    (path,) = [path for path in site.glob("runs/*-dp2vl-naive.html") if "on tiny-qwen2-vl</span>" in path.read_text()]
    text = path.read_text()
    assert "&#34;backend&#34;: &#34;vllm&#34;" in text and "&#34;family&#34;: &#34;qwen_vl&#34;" in text
    assert digest_of("tiny-qwen2-vl") in text and "transfer</span>" in text


def test_the_csv_tells_targets_apart(site: Path) -> None:
    with (site / "metrics.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    access = {(line["target"], line["access"]) for line in lines if line["defense"] == "dp2vl"}
    assert access == {("tiny-llava", "white box"), ("tiny-minigpt-v2", "transfer"), ("tiny-qwen2-vl", "transfer")}
    assert {line["access"] for line in lines if line["defense"] != "dp2vl"} == {""}
    assert {(line["target_family"], line["backend"]) for line in lines} == {
        (name, "vllm") for name in FAMILIES.values()
    }


def test_a_defense_that_misses_a_target_has_no_highest_number(write: Write, tmp_path: Path, verdicts: Path) -> None:
    folder = write()
    for record in load_records(folder, verdicts):
        if (record.spec.defense, record.spec.target) == ("blur", "tiny-qwen2-vl"):
            for path in folder.glob(f"{record.run_digest[:12]}-*"):
                path.unlink()
    table = overview(build_site(TITLE, folder, [], tmp_path / "site", verdicts=verdicts).parent)
    (row,) = rows_of(table, "blur")
    assert "not tried" in row[3] and "no number" in row[4] and "tiny-qwen2-vl: not tried" in row[4]
    assert table.index(row) == 3, "it stands last among the defenses"


def test_controls_alone_are_never_pooled_over_targets(
    tmp_path: Path, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    controls = {key: record for key, record in records.items() if key[1] == "none"}
    site = build_site(TITLE, write_records(controls, answers, tmp_path / "records"), [], tmp_path / "site").parent
    (row,) = rows_of(overview(site), "Base")
    for cell, target in zip(row[1:4], TARGETS, strict=True):
        metric = records[target, "none", "base"].metric("leakage")
        assert metric is not None and shown(metric.value) in cell


def test_answers_of_two_backends_are_never_pooled(
    few: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    served = {key: record for key, record in few.items() if key[0] == "tiny-llava"}
    folder = write_records(served, answers, tmp_path / "records")
    other = {record.run_digest: f"{place:064x}" for place, record in enumerate(served.values())}
    in_process = {
        key: with_spec(record, backend="transformers").model_copy(
            update={
                "run_digest": other[record.run_digest],
                "controls": Controls(
                    base=other.get(str(record.controls.base)), undefended=other.get(str(record.controls.undefended))
                ),
            }
        )
        for key, record in served.items()
    }
    site = build_site(TITLE, write_records(in_process, answers, folder), [], tmp_path / "site").parent
    assert [cell.strip() for cell in overview(site)[0][1:3]] == ["tiny-llava, transformers", "tiny-llava, vllm"]


def test_a_control_of_another_target_is_refused(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    folder, key = write(), ("tiny-llava", "dp2vl", "naive")
    strange = records["tiny-qwen2-vl", "dp2vl", "naive"].controls
    write_example(records[key].model_copy(update={"controls": strange}), answers[key], folder)
    with pytest.raises(DataError, match=r"field controls\.base: run \w+ has another spec\.target_digest"):
        build_site(TITLE, folder, [], folder.parent / "site")


def test_two_checkpoints_of_one_name_are_told_apart(
    few: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    alike = {key: with_spec(record, target="model") for key, record in few.items()}
    site = build_site(TITLE, write_records(alike, answers, tmp_path / "records"), [], tmp_path / "site").parent
    titles = sorted(cell.strip() for cell in overview(site)[0][1:4])
    assert titles == sorted(f"model {digest_of(one)[:8]}" for one in FAMILIES)


def test_hostile_names_of_targets_stay_text(
    few: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    hostile = {
        key: with_spec(
            record,
            target=f"{HOSTILE} {key[0]}",
            target_family=HOSTILE,
            backend=HOSTILE,
            surrogates=[RecordedSurrogate(checkpoint=HOSTILE, digest="x")] if key[1] == "dp2vl" else [],
        )
        for key, record in few.items()
    }
    site = build_site(TITLE, write_records(hostile, answers, tmp_path / "records"), [], tmp_path / "site").parent
    for path in site.rglob("*.html"):
        assert "<script>alert" not in path.read_text(), path
    assert "It saw none of these targets." in (site / "index.html").read_text()


def test_access_follows_the_digest_not_the_name(records: dict[Key, Record]) -> None:
    record = records["tiny-llava", "dp2vl", "naive"]
    assert record.spec.access == "white box"
    assert (
        with_spec(record, surrogates=[RecordedSurrogate(checkpoint="tiny-llava", digest="x")]).spec.access == "transfer"
    )
    assert records["tiny-llava", "noise", "naive"].spec.access is None


def test_old_records_name_no_family_and_were_answered_in_process(records: dict[Key, Record]) -> None:
    spec = records["tiny-llava", "noise", "naive"].spec.model_dump(exclude={"target_family", "backend"})
    read = RunSpec.model_validate(spec)
    assert (read.target_family, read.backend) == ("", "transformers")


def test_one_target_needs_no_overview(few: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path) -> None:
    one = {key: record for key, record in few.items() if key[0] == "tiny-llava"}
    text = build_site(TITLE, write_records(one, answers, tmp_path / "records"), [], tmp_path / "site").read_text()
    assert "Highest over targets" not in text and 'id="targets"' not in text and "data-choose" not in text
    assert ">Results</h2>" in text and "<dt>Model</dt><dd>tiny-llava</dd>" in text
