"""The photos that are trained on, and which of them are protected."""

from pathlib import Path

import numpy as np
import pandas as pd

from bench.core.digests import digest_json
from bench.core.errors import DataError
from scenarios.dataset import Dataset

PROTECTED_FILE = "photos.parquet"
SYNTHESIZED_FILE = "synthesized.parquet"


def training_pairs(dataset: Dataset) -> pd.DataFrame:
    """The pairs of the people who are trained on: strangers are never."""
    trained = {person.person_id for person in dataset.persons("evaluation")}
    return dataset.pairs[dataset.pairs["person_id"].isin(trained)].reset_index(drop=True)


def photo_of_each(pairs: pd.DataFrame) -> "pd.Series[str]":
    """For each row the id of its photo: that of the first pair which tells a fact about this person in these bytes.

    An owner protects and shares a photo once, however many facts it tells. Raises DataError naming two pairs of one
    photo that put the face in different places.
    """
    photo = pairs.groupby(["person_id", "image"], sort=False)["pair_id"].transform("min")
    boxes: dict[str, tuple[str, list[int] | None]] = {}
    for photo_id, pair_id, box in zip(photo, pairs["pair_id"], pairs["face_box"], strict=True):
        edges = None if box is None else [int(edge) for edge in box]
        first, other = boxes.setdefault(photo_id, (pair_id, edges))
        if edges != other:
            raise DataError(f"pairs '{first}' and '{pair_id}' show one photo with face_box {other} and {edges}.")
    return photo


def protected_share(pairs: pd.DataFrame, ratio: float, seed: int) -> set[str]:
    """Ids of the pairs that are protected: the share ``ratio`` of each person's photos, drawn by ``seed``.

    A larger ratio keeps what a smaller one protected, so that ratios are compared on nested sets.
    """
    chosen: set[str] = set()
    photo = photo_of_each(pairs)
    for person_id, own in photo.groupby(pairs["person_id"], sort=True):
        identifiers = sorted(own.unique())
        number = int(digest_json(["protection ratio", seed, str(person_id)])[:16], 16)
        order = np.random.default_rng(number).permutation(len(identifiers))
        count = int(ratio * len(identifiers) + 0.5)
        chosen.update(identifiers[position] for position in order[:count])
    return set(pairs.loc[photo.isin(chosen), "pair_id"])


def read_protected(folder: Path) -> dict[str, bytes]:
    """Pair id -> saved protected photo, of an artifact of the protect stage."""
    frame = pd.read_parquet(folder / PROTECTED_FILE, columns=["pair_id", "image"])
    return dict(zip(frame["pair_id"], frame["image"], strict=True))


def shared_photos(dataset: Dataset, protected: dict[str, bytes], ratio: float, seed: int) -> dict[str, bytes]:
    """Pair id -> the photo that the owner shared: protected for the share ``ratio`` of each person's, else as it is."""
    pairs = training_pairs(dataset)
    share = protected_share(pairs, ratio, seed)
    return {
        pair_id: protected[pair_id] if pair_id in share else image
        for pair_id, image in zip(pairs["pair_id"], pairs["image"], strict=True)
    }


def read_synthesized(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Pair id -> the photos in its place, of an artifact of the synthesize stage."""
    frame = pd.read_parquet(folder / SYNTHESIZED_FILE, columns=["pair_id", "image"])
    return {str(pair_id): tuple(own["image"]) for pair_id, own in frame.groupby("pair_id", sort=False)}
