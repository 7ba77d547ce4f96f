"""The example records on disk, and the site that is made of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from example_tables import make_rows
from leaderboard_example import RATES, SECONDS, draw_pictures, make_record, write_example
from site_pages import Page, rows_of

from leaderboard.boards import ranks
from leaderboard.pictures import Picture
from leaderboard.schema import Record
from leaderboard.site import build_site
from leaderboard.words import ATTACKS, COLUMNS, METRICS

Key = tuple[str, str]
LineOf = Callable[[Path, str], dict[str, str]]
TOOLTIPS = [
    *(words.short for words in (*METRICS.values(), *COLUMNS.values())),
    *ATTACKS.values(),
    "An attacker setting",
]


@pytest.fixture(scope="session")
def answers() -> dict[Key, pd.DataFrame]:
    """Answers of every run by (defense, attack)."""
    return {key: make_rows(rates, seed=place, people=16) for place, (key, rates) in enumerate(RATES.items())}


@pytest.fixture(scope="session")
def records(answers: dict[Key, pd.DataFrame]) -> dict[Key, Record]:
    """Records of every run by (defense, attack), not yet written."""
    return {key: make_record(*key, rows) for key, rows in answers.items()}


@pytest.fixture(scope="session")
def records_folder(
    tmp_path_factory: pytest.TempPathFactory, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> Path:
    """The example's records on disk; tests that change them take a copy from ``write``."""
    folder = tmp_path_factory.mktemp("example") / "records"
    for key, record in records.items():
        seconds = SECONDS.get(key[0])
        costs = {} if seconds is None else {"seconds_per_photo": seconds, "peak_memory_bytes": 9.1e8}
        write_example(record, answers[key], folder, costs)
    return folder


@pytest.fixture
def write(tmp_path: Path, records_folder: Path, answers: dict[Key, pd.DataFrame]) -> Callable[..., Path]:
    """Put the example's records into a folder, the given ones in place of their namesakes; return the folder."""

    def write_all(changed: dict[Key, Record] | None = None) -> Path:
        folder = tmp_path / "records"
        shutil.copytree(records_folder, folder, dirs_exist_ok=True)
        for key, record in (changed or {}).items():
            write_example(record, answers[key], folder)
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


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where builds remember which records were checked: most tests change a few of them only."""
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boards of any size have ranks, as the examples are far too small for them."""
    for needed in ("SEEDS_FOR_RANKS", "PEOPLE_FOR_RANKS", "COHORTS_FOR_RANKS"):
        monkeypatch.setattr(ranks, needed, 1)


@pytest.fixture(scope="session")
def line_of() -> LineOf:
    """Find the one line of a defense or control in a site's first table of defenses: column -> text of the cell."""

    def find(site: Path, name: str) -> dict[str, str]:
        table = Page((site / "index.html").read_text()).tables[0]
        (row,) = rows_of(table, name)
        return {_title(head): " ".join(cell.split()) for head, cell in zip(table[1], row, strict=True)}

    return find


def _title(head: str) -> str:
    """A column's title without the text that explains it."""
    for told in TOOLTIPS:
        head = head.partition(told)[0]
    return " ".join(head.split())
