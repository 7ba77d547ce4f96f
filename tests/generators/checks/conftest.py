"""A small dataset in which every check finds nothing, and ways to spoil it."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.core.digests import digest_bytes
from generators.checks.finding import CheckReport
from scenarios.dataset import Dataset, build_dataset
from scenarios.people import Person, fictitious_people
from scenarios.schema import load_scenarios

SIDE = 64
WIDTH = 24


def picture(number: int, side: int = SIDE) -> Image.Image:
    """A picture of random soft spots of all sizes, the large ones strong as in photos, unlike that of other numbers."""
    generator = np.random.default_rng(number)
    levels = np.full((side, side, 3), 128.0)
    for cells, strength in ((4, 50), (8, 30), (16, 20), (32, 12)):
        spots = Image.fromarray(generator.integers(0, 256, (cells, cells, 3)).astype(np.uint8))
        levels += strength * (np.asarray(spots.resize((side, side), Image.Resampling.BICUBIC)) / 127.5 - 1)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def photo_table(people: Sequence[Person], source: str = "rendered", first: int = 0) -> pd.DataFrame:
    """A photo a scenario and three portraits for who is trained on, two portraits for strangers; ``first`` seeds."""
    rows: list[dict[str, Any]] = []
    for person in people:
        scenarios = [*load_scenarios(), "", "", ""] if person.role == "evaluation" else ["", ""]
        for number, scenario in enumerate(scenarios):
            row = {
                "photo_id": f"{person.person_id}-{number}",
                "person_id": person.person_id,
                "scenario": scenario,
                "image": encoded(picture(first + len(rows))),
                "face_box": [8, 8, 40, 48],
                "visible": {"hair": "red"},
                "shows": [person.facts[scenario]] if scenario else [],
                "source": source,
                "generator": "blocks",
                "licence": "CC0-1.0",
                "consent": "not needed: nobody is shown",
                "description": "",
            }
            rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Example:
    """People and their photo table, and the dataset that they make."""

    people: list[Person]
    photos: pd.DataFrame

    @property
    def dataset(self) -> Dataset:
        return build_dataset("example", self.people, self.photos)

    def with_photos(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> "Example":
        """Every row of the photo table changed: ``change`` returns the new values of a row's columns."""
        rows = [row | change(row) for row in self.photos.to_dict("records")]
        return replace(self, photos=pd.DataFrame(rows))

    def with_photo(self, photo_id: str, **values: Any) -> "Example":
        """One row of the photo table changed."""
        return self.with_photos(lambda row: values if row["photo_id"] == photo_id else {})

    def image(self, photo_id: str) -> bytes:
        return self.photos.set_index("photo_id").at[photo_id, "image"]


def make_example(source: str = "rendered", seed: int = 3, first: int = 0) -> Example:
    """Five people with balanced facts, and three strangers."""
    people = fictitious_people(5, seed, "evaluation")
    people += fictitious_people(3, seed + 1, "stranger", [person.first_name for person in people])
    return Example(people, photo_table(people, source, first))


@pytest.fixture(scope="session")
def example() -> Example:
    """A rendered dataset in order."""
    return make_example()


@pytest.fixture(scope="session")
def real_example() -> Example:
    """The same, and the photos are said to be real."""
    return make_example("real")


def recogniser(photos: pd.DataFrame, looks_like: dict[str, str] | None = None) -> Callable[..., Any]:
    """Knows who is in each photo: one direction a person, with a little noise; ``looks_like`` gives other faces.

    The keys of ``looks_like`` are photo ids or person ids, the values person ids.
    """
    faces = looks_like or {}
    known = {
        row["image"]: faces.get(row["photo_id"], faces.get(row["person_id"], row["person_id"]))
        for row in photos.to_dict("records")
    }

    def embed(images: Sequence[bytes]) -> np.ndarray[Any, Any]:
        return np.stack([_direction(known[image]) + 0.3 * _direction(digest_bytes(image)) for image in images])

    return embed


def _direction(name: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(int(digest_bytes(name.encode())[:12], 16)).normal(size=WIDTH)


@pytest.fixture(scope="session")
def tools() -> Any:
    """The functions of this file, for tests that make photos of their own."""

    class Tools:
        picture = staticmethod(picture)
        encoded = staticmethod(encoded)
        recogniser = staticmethod(recogniser)
        make_example = staticmethod(make_example)

    return Tools


@pytest.fixture(scope="session")
def told() -> Callable[..., list[tuple[str, str, str]]]:
    """(level, check, row) of what a report found, notes left out."""

    def tell(report: CheckReport) -> list[tuple[str, str, str]]:
        return [(one.level, one.check, one.row) for one in report.findings if one.level != "note"]

    return tell
