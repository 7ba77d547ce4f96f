"""The rendered training photos as arrays, with the labels that the tower is supervised on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from generators.render.backdrops import SURROUNDINGS
from generators.render.identity import BEARDS, GLASSES_COLOURS, HAIR_COLOURS, HAIR_STYLES
from generators.render.photo import CLOTHES_COLOURS

Array = np.ndarray
FACE_COMPONENTS = 32
UNLABELLED = -100
CLASSES: dict[str, tuple[str, ...]] = {
    "hair": tuple(HAIR_COLOURS),
    "hair_style": HAIR_STYLES,
    "glasses": tuple(GLASSES_COLOURS),
    "beard": tuple(BEARDS),
    "clothes": tuple(CLOTHES_COLOURS),
    "surroundings": tuple(SURROUNDINGS),
}
SURROUNDINGS_HIDDEN = ("workplace",)


@dataclass(frozen=True)
class TrainingSet:
    """All photos of the training people.

    ``images`` (photos, 128, 128, 3) uint8 · ``person`` (photos,) index of the person · ``looks`` (photos, k) float,
    standardised generator parameters of the person · ``pose`` (photos, 2) standardised yaw and smile · ``classes``
    (photos,) int labels by name, UNLABELLED where not visible · ``visible`` and ``scenario`` per photo.
    """

    images: Array
    person: Array
    looks: Array
    pose: Array
    classes: dict[str, Array]
    visible: list[dict[str, str]]
    scenario: list[str]

    @property
    def people(self) -> list[int]:
        """Indices of the people there are photos of."""
        return sorted(set(self.person.tolist()))


def load_training_set(folder: Path) -> TrainingSet:
    """Read every finished ``<index>.npz`` of ``folder``."""
    images, records = [], []
    for file in sorted(folder.glob("[0-9][0-9][0-9][0-9][0-9].npz")):
        with np.load(file) as content:
            images.append(content["images"])
            records.append(json.loads(str(content["record"])))
    photos = [(record, photo) for record in records for photo in record["photos"]]
    looks = _standardised(_looks([record["identity"] for record in records]))
    count = [len(record["photos"]) for record in records]
    return TrainingSet(
        images=np.concatenate(images),
        person=np.repeat([record["index"] for record in records], count),
        looks=np.repeat(looks, count, axis=0).astype(np.float32),
        pose=_standardised(np.array([[p["pose"]["yaw"], p["pose"]["smile"]] for _, p in photos])).astype(np.float32),
        classes={name: np.array([_label(name, record, photo) for record, photo in photos]) for name in CLASSES},
        visible=[_truly_visible(photo) for _, photo in photos],
        scenario=[photo["scenario"] for _, photo in photos],
    )


def _truly_visible(photo: dict[str, Any]) -> dict[str, str]:
    hidden = {"surroundings"} if photo["scenario"] in SURROUNDINGS_HIDDEN else set()
    return {topic: option for topic, option in photo["visible"].items() if topic not in hidden}


def _label(name: str, record: dict[str, Any], photo: dict[str, Any]) -> int:
    value = record["identity"]["hair_style"] if name == "hair_style" else _truly_visible(photo).get(name)
    return UNLABELLED if value is None else CLASSES[name].index(value)


def _looks(identities: list[dict[str, Any]]) -> Array:
    names = sorted({name for identity in identities for name, _ in identity["face"]})
    column = {name: index for index, name in enumerate(names)}
    shape = np.zeros((len(identities), len(names)))
    for row, identity in enumerate(identities):
        for name, weight in identity["face"]:
            shape[row, column[name]] = weight
    shape -= shape.mean(0)
    _, _, directions = np.linalg.svd(shape, full_matrices=False)
    components = shape @ directions[:FACE_COMPONENTS].T
    plain = [
        [
            *identity["skin"], *identity["hair_colour"], *identity["eyes"], *identity["ancestry"],
            identity["gender"], identity["age"], identity["muscle"], identity["weight"], identity["proportions"],
            identity["glasses_radius"] * (identity["glasses"] != "no glasses"),
            identity["glasses_height"] * (identity["glasses"] != "no glasses"),
            identity["freckles"], float(len(identity["moles"])),
        ]
        for identity in identities
    ]  # fmt: skip
    return np.concatenate([np.array(plain), components], axis=1)


def _standardised(values: Array) -> Array:
    return (values - values.mean(0)) / (values.std(0) + 1e-6)
