"""A tiny dataset of plain coloured pictures."""

import io
from dataclasses import asdict, replace

import pandas as pd
import pytest
from PIL import Image

from scenarios.dataset import Dataset, build_dataset
from scenarios.pairs import Provenance
from scenarios.people import Person, fictitious_people

VISIBLE = {
    "hair": "blond",
    "glasses": "no glasses",
    "beard": "full beard",
    "clothes": "orange",
    "surroundings": "beach",
}
SEVEN = ("home", "pet", "valuables", "vehicle", "friends", "partner", "workplace")
PROVENANCE = Provenance("rendered", "test squares", "CC0-1.0", "not needed: fictitious")


def picture(index: int) -> bytes:
    """A PNG of 12 x 12 pixels, two colours side by side, that differs for each index below 65536."""
    buffer = io.BytesIO()
    two = Image.new("RGB", (12, 12), (index % 256, index // 256, 77))
    two.paste((255, 255, 255), (6, 0, 12, 12))
    two.save(buffer, "PNG")
    return buffer.getvalue()


def photo_rows(people: list[Person]) -> pd.DataFrame:
    """One photo a scenario and four portraits for evaluation people, two portraits for strangers."""
    rows: list[dict[str, object]] = []
    for person in people:
        scenarios = [*person.facts, *[""] * 4] if person.role == "evaluation" else [""] * 2
        for number, scenario in enumerate(scenarios):
            rows.append(
                {
                    "photo_id": f"{person.person_id}-{number:02d}",
                    "person_id": person.person_id,
                    "scenario": scenario,
                    "image": picture(len(rows)),
                    "face_box": [1, 2, 5, 7] if number else None,
                    "visible": dict(VISIBLE),
                    "shows": [person.facts[scenario]] if scenario else [],
                    **asdict(PROVENANCE),
                    "description": "",
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def people() -> list[Person]:
    """Five evaluation people and three strangers with other first names; they know the seven scenarios' facts."""
    evaluated = fictitious_people(5, seed=3, role="evaluation")
    strangers = fictitious_people(3, 4, "stranger", [person.first_name for person in evaluated])
    # A scenario that somebody adds must not change what these tests look at.
    return [
        replace(person, facts={name: fact for name, fact in person.facts.items() if name in SEVEN})
        for person in evaluated + strangers
    ]


@pytest.fixture(scope="session")
def photos(people: list[Person]) -> pd.DataFrame:
    """The photo table of ``people``."""
    return photo_rows(people)


@pytest.fixture(scope="session")
def dataset(people: list[Person], photos: pd.DataFrame) -> Dataset:
    """The dataset of ``people`` and ``photos``."""
    return build_dataset("tiny", people, photos)
