"""Two cohorts from photos to a page: each has its own model, and none knows the other's people."""

import json
from pathlib import Path
from typing import Any

import pytest
from miniature_world import Miniature, in_two_cohorts, veilbench

from leaderboard.records import load_records, load_rows
from scenarios.dataset import Dataset, load_dataset, save_dataset


@pytest.fixture(scope="module")
def apart(miniature: Miniature, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the miniature suite for two cohorts, and the dataset beside it."""
    folder = tmp_path_factory.mktemp("apart")
    save_dataset(in_two_cohorts(dataset), folder / "dataset")
    miniature.changed(folder / "apart.yaml", dataset=str(folder / "dataset"), defenses=[{"name": "noise"}])
    return folder


def test_the_plan_tells_cohorts_apart(apart: Path) -> None:
    printed = veilbench("run", "apart.yaml", "--dry-run", "--json", "--set", "cohorts=[b]", folder=apart)
    names = [stage["stage"] for stage in json.loads(printed.stdout)["stages"]]
    assert "protect noise cohort b" in names and all(" cohort b" in name for name in names)
    refused = veilbench("run", "apart.yaml", "--dry-run", "--set", "cohorts=[c]", folder=apart)
    assert refused.returncode == 2 and "field cohorts" in refused.stderr and "known: a, b" in refused.stderr


@pytest.mark.slow
def test_each_cohort_is_trained_and_asked_about_apart(apart: Path) -> None:
    finished = veilbench("run", "apart.yaml", "--json", folder=apart)
    assert finished.returncode == 0, finished.stderr
    assert "3 people share photos" in finished.stderr and "each of their 2 cohorts alone" in finished.stderr
    assert "of 3 strangers" in finished.stderr
    result: dict[str, Any] = json.loads(finished.stdout)
    assert [(run["cohort"], run["defense"]) for run in result["runs"]] == [
        ("a", "none"), ("a", "noise"), ("b", "none"), ("b", "noise"),
    ]  # fmt: skip
    assert [run["cohort"] for run in result["controls"]] == ["a", "b"]
    assert Path(apart / result["page"]).is_file()
    dataset = load_dataset(str(apart / "dataset"))
    records = Path(apart / result["page"]).parent / "records"
    for record in load_records(records):
        assert record.spec.dataset_digest == dataset.digest
        asked = set(load_rows(record, records)["person_id"])
        assert asked == set(dataset.of_cohort(record.spec.cohort).probes["person_id"])
    again = json.loads(veilbench("run", "apart.yaml", "--json", folder=apart).stdout)
    assert all(run["cached"] for run in again["runs"])
