"""A folder of photos as a creator has it, small and complete, for tests to spoil."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core.progress import ReportProgress, quiet
from generators.base import BuildOrder
from generators.folder.generator import Folder
from scenarios.dataset import Dataset

STATED = {"licence": "CC-BY-4.0", "consent": "written, 2026-05-01"}


def picture(seed: int, width: int = 48, height: int = 36) -> Image.Image:
    """A smooth picture that differs for each seed; every corner and channel has another value."""
    down, across = np.mgrid[0:height, 0:width]
    channels = [(across * 5 + seed * 37) % 256, (down * 6 + seed * 11) % 256, (across + down + seed) % 256]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


@dataclass
class Album:
    """A folder, the rows of its metadata file, and the options of the source."""

    folder: Path
    work: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=lambda: dict(STATED))

    def add(self, file_name: str, person_id: str, name: str, content: bytes | None = None, **cells: Any) -> None:
        """One photo and its row; ``content`` in place of a small PNG."""
        path = self.folder / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            buffer = io.BytesIO()
            picture(len(self.rows)).save(buffer, "PNG")
            content = buffer.getvalue()
        path.write_bytes(content)
        self.rows.append({"file_name": file_name, "person_id": person_id, "name": name, **cells})

    def write_csv(self, columns: tuple[str, ...] = ()) -> Path:
        """Write the rows as metadata.csv, with the columns that some row has unless ``columns`` are given."""
        every = (
            "file_name",
            "person_id",
            "name",
            "scenario",
            "answer",
            *(column for row in self.rows for column in row),
        )
        text = io.StringIO()
        writer = csv.DictWriter(text, list(columns or dict.fromkeys(every)), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.rows)
        path = self.folder / "metadata.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return path

    def write_jsonl(self) -> Path:
        """Write the rows as metadata.jsonl."""
        path = self.folder / "metadata.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        return path

    def order(self, limit: int | None = None, workers: int = 2, report: ReportProgress | None = None) -> BuildOrder:
        """The order of this folder."""
        return BuildOrder(str(self.folder), self.work, limit, workers, report or quiet())

    def build(self, limit: int | None = None, workers: int = 2, report: ReportProgress | None = None) -> Dataset:
        """Build what lies in the folder now."""
        return Folder(**self.options).build(self.order(limit, workers, report))


@pytest.fixture
def empty_album(tmp_path: Path) -> Album:
    """A folder without anything in it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return Album(folder, tmp_path / "unfinished")


@pytest.fixture
def album(empty_album: Album) -> Iterator[Album]:
    """Two people with a photo at home and one alone each, and a stranger; no metadata file yet."""
    add = empty_album.add
    add("anna/1.png", "p1", "Anna Lund", scenario="home", answer="brick house", shows="brick house")
    add("anna/2.png", "p1", "Anna Lund", shows="none")
    add("ben/1.png", "p2", "Ben Mar", scenario="home", answer="houseboat", shows="houseboat")
    add("ben/2.png", "p2", "Ben Mar", shows="none")
    add("s.png", "s1", "Cleo Wick", role="stranger", shows="none", **{"visible.hair": "red"})
    yield empty_album
