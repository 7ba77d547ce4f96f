"""``veilbench power``: figures, where they come from, and what is said where too little is known."""

import json
from pathlib import Path

import pytest
from example_tables import make_rows
from leaderboard_example import RATES, make_record, write_example
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import DataError, UsageError


@pytest.fixture(scope="module")
def records_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's records about eight people."""
    folder = tmp_path_factory.mktemp("power") / "records"
    for place, (key, rates) in enumerate(RATES.items()):
        rows = make_rows(rates, seed=place, people=8)
        write_example(make_record(*key, rows), rows, folder)
    return folder


def told(*words: str) -> str:
    result = CliRunner().invoke(app, ["power", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def as_json(*words: str) -> dict:
    return dict(json.loads(told(*words, "--json")))


def test_it_prints_components_and_the_difference_from_the_suite_families() -> None:
    text = told("--people", "100", "--cohorts", "5", "--seeds", "3", "--attacks", "12")
    assert "records of families (tiny-llava" in text and "between people" in text
    assert "is detected with 80 %" in text and "too high" in text
    assert "unknown: these records have one training seed only" in text
    assert "so the true detectable difference is larger" in text


def test_a_design_of_people_alone_says_what_it_does_not_cover() -> None:
    assert "does not cover how other cohorts or training runs differ" in told("--people", "20")


def test_more_people_detect_less_and_more_attacks_more() -> None:
    twenty, hundred = (as_json("--people", count)["difference"] for count in ("20", "100"))
    assert hundred < twenty / 2
    assert as_json("--people", "20", "--attacks", "12")["above"] > 0.005


def test_components_may_come_from_any_records(records_folder: Path) -> None:
    found = as_json("--people", "16", "--like", str(records_folder))
    assert found["from"]["suites"] == ["quick"] and len(found["from"]["records"]) == 9
    shipped = as_json("--people", "16")
    assert found["components"] != shipped["components"] and found["difference"] > 0


def test_what_the_command_writes_is_what_it_reads(monkeypatch: pytest.MonkeyPatch, records_folder: Path) -> None:
    from bench.commands import power

    found = as_json("--people", "40", "--like", str(records_folder))
    written = records_folder.parent / "components.json"
    written.write_text(json.dumps(found))
    monkeypatch.setattr(power, "SHIPPED", written)
    again = as_json("--people", "40")
    assert again["difference"] == found["difference"] and again["from"] == found["from"]


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 people cannot make 5 cohorts"):
        told("--people", "3", "--cohorts", "5")
    with pytest.raises(DataError, match="has no records"):
        told("--people", "20", "--like", str(tmp_path))
