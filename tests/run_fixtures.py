"""Fixtures of tests that run suites: the miniature world, and one run of it that several tests look at."""

import json
from pathlib import Path
from typing import Any

import pytest
from miniature_world import Miniature, make_dataset, veilbench, write_miniature

from scenarios.dataset import Dataset


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Three people and three strangers."""
    return make_dataset(3)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, checkpoint: Path) -> Miniature:
    """The miniature suite with its dataset and checkpoint."""
    return write_miniature(tmp_path_factory.mktemp("miniature"), dataset, checkpoint)


@pytest.fixture(scope="session")
def first_run(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What ``run --json`` printed for the miniature suite in an empty folder, and that folder."""
    folder = tmp_path_factory.mktemp("first-run")
    finished = veilbench("run", miniature.suite, "--json", folder=folder)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout), folder
