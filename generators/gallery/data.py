"""What the gallery page shows, as plain values: people with their photos, and each question and origin once."""

import json
from dataclasses import asdict
from typing import Any

from generators.publishing.photos import DatasetPhoto, dataset_photos, withheld
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.schema import NAME_SCENARIO, load_scenarios, load_visible

KINDS = {
    "training": "Trained on",
    "held_out": "New photos of people trained on",
    "member": "Training photos asked about",
    "stranger": "Strangers asked for their name",
    "utility": "What anybody can see",
}
"""What a photo is there for, and what the page calls it; all but the first are kinds of probes."""


class _Once:
    """Values that many photos share, each kept once; ``place`` is its index in ``values``."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def place(self, value: dict[str, Any]) -> int:
        key = json.dumps(value, sort_keys=True)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


def gallery_data(dataset: Dataset, with_photos: bool) -> tuple[dict[str, Any], list[DatasetPhoto]]:
    """The page's data, and the photos that it shows, each file once.

    A photo's ``file`` is null where it shows a real person and ``with_photos`` is not given.
    """
    asked, origins = _Once(), _Once()
    own: dict[str, list[DatasetPhoto]] = {}
    for photo in dataset_photos(dataset):
        own.setdefault(photo.person_id, []).append(photo)
    people = [
        _person(person, [_photo(photo, asked, origins, with_photos) for photo in own.get(person.person_id, [])])
        for person in dataset.persons()
    ]
    photos = [photo for shown in own.values() for photo in shown]
    visible = {photo.digest: photo for photo in reversed(photos) if not withheld(photo, with_photos)}
    data = {
        "scenarios": {name: scenario.title for name, scenario in load_scenarios().items()},
        "topics": {NAME_SCENARIO: "Name"} | {name: name.capitalize() for name in load_visible()},
        "kinds": {kind: title for kind, title in KINDS.items() if kind in _kinds(photos)},
        "asked": asked.values,
        "origins": origins.values,
        "people": people,
    }
    return data, list(reversed(visible.values()))


def photo_file(photo: DatasetPhoto) -> str:
    """Path of a photo's thumbnail relative to the page."""
    return f"photos/{photo.digest[:20]}.jpg"


def _kinds(photos: list[DatasetPhoto]) -> set[str]:
    trained = {"training"} if any(photo.pair is not None for photo in photos) else set()
    return trained | {kind for photo in photos for kind in photo.kinds}


def _person(person: Person, photos: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": person.person_id,
        "name": person.name,
        "role": person.role,
        "facts": {name: person.facts[name] for name in load_scenarios() if name in person.facts},
        "appearance": {name.replace("_", " "): str(value) for name, value in person.appearance.items()},
        "photos": photos,
    }


def _photo(photo: DatasetPhoto, asked: _Once, origins: _Once, with_photos: bool) -> dict[str, Any]:
    return {
        "id": photo.row_id,
        "file": None if withheld(photo, with_photos) else photo_file(photo),
        "scenario": photo.scenario,
        "description": "" if photo.pair is None else photo.pair["description"],
        "trained": photo.pair is not None,
        "shows": None if photo.shows is None else list(photo.shows),
        "origin": origins.place(asdict(photo.provenance)),
        "asked": [[asked.place(_question(probe)), probe["kind"]] for probe in photo.probes],
    }


def _question(probe: dict[str, Any]) -> dict[str, Any]:
    texts = {name: probe[name] for name in ("scenario", "question", "answer")}
    return texts | {name: list(probe[name]) for name in ("paraphrases", "aliases", "options")}
