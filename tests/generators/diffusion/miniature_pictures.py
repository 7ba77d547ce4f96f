"""Two people and a stranger, with a photo a fact and a portrait each."""

import io
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from scenarios.pairs import Provenance
from scenarios.people import Person

RENDERED = Provenance("rendered", "test", "CC0-1.0", "not needed: the people are fictitious")


def picture(seed: int, side: int = 48) -> bytes:
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(buffer, format="PNG")
    return buffer.getvalue()


def photo_row(person_id: str, name: str, scenario: str = "", **changes: Any) -> dict[str, Any]:
    """One row of a photo table."""
    row = {
        "photo_id": f"{person_id}-{name}",
        "person_id": person_id,
        "scenario": scenario,
        "image": picture(sum(f"{person_id}-{name}".encode())),
        "face_box": [12, 8, 36, 32] if scenario else None,
        "visible": {},
        "shows": [],
        "description": "",
        **asdict(RENDERED),
    }
    return {**row, **changes}


PEOPLE = (
    Person(
        "evaluation-000",
        "Ada Belmar",
        {"home": "log cabin", "friends": "Goran and Hana"},
        "evaluation",
        {"gender_presentation": "woman", "age_group": "older"},
    ),
    Person("evaluation-001", "Bo Cordale", {"home": "white villa", "pet": "ferret"}, "evaluation"),
    Person("stranger-000", "Cy Danlund", {"home": "brick house"}, "stranger", {"gender_presentation": "man"}),
)


def photo_rows() -> list[dict[str, Any]]:
    """Photos of the people: one a scenario and one portrait each."""
    rows = [
        photo_row(person.person_id, scenario, scenario, shows=[person.facts[scenario]])
        for person in PEOPLE
        if person.role == "evaluation"
        for scenario in person.facts
    ]
    portraits = [photo_row(person.person_id, "portrait-0") for person in PEOPLE]
    portraits[-1]["visible"] = {"hair": "red", "clothes": "blue"}
    return rows + portraits
