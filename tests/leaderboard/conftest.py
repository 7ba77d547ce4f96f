"""The example records on disk, and the site that is made of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from leaderboard_example import RATES, SECONDS, draw_pictures, make_metrics, make_record, make_rows

from leaderboard.pictures import Picture
from leaderboard.records import write_record
from leaderboard.schema import Record
from leaderboard.site import build_site

Key = tuple[str, str]


@pytest.fixture(scope="session")
def answers() -> dict[Key, pd.DataFrame]:
    """Answers of every run by (defense, attack)."""
    return {key: make_rows(rates, seed=place, people=16) for place, (key, rates) in enumerate(RATES.items())}


@pytest.fixture(scope="session")
def records(answers: dict[Key, pd.DataFrame]) -> dict[Key, Record]:
    """Records of every run by (defense, attack), not yet written."""
    return {key: make_record(*key, make_metrics(*key, rows, answers)) for key, rows in answers.items()}


@pytest.fixture(scope="session")
def records_folder(
    tmp_path_factory: pytest.TempPathFactory, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> Path:
    """The example's records on disk; tests that change them take a copy from ``write``."""
    folder = tmp_path_factory.mktemp("example") / "records"
    for key, record in records.items():
        seconds = SECONDS.get(key[0])
        costs = {} if seconds is None else {"seconds_per_photo": seconds, "peak_memory_bytes": 9.1e8}
        write_record(record, answers[key], costs, folder)
    return folder


@pytest.fixture
def write(tmp_path: Path, records_folder: Path, answers: dict[Key, pd.DataFrame]) -> Callable[..., Path]:
    """Put the example's records into a folder, the given ones in place of their namesakes; return the folder."""

    def write_all(changed: dict[Key, Record] | None = None) -> Path:
        folder = tmp_path / "records"
        shutil.copytree(records_folder, folder, dirs_exist_ok=True)
        for key, record in (changed or {}).items():
            write_record(record, answers[key], {}, folder)
        return folder

    return write_all


@pytest.fixture(scope="session")
def site(records_folder: Path, pictures: list[Picture]) -> Path:
    """The example's site, to be read only."""
    return build_site("Quick look", records_folder, pictures, records_folder.parent / "site").parent


@pytest.fixture(scope="session")
def pictures() -> list[Picture]:
    """The drawn face before and after each defense."""
    return draw_pictures()
