"""Whom a recogniser takes the people in the photos for: similarities of photos to people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.core.progress import ReportProgress
from generators.checks.photos import Photo, Split

Embed = Callable[[Sequence[bytes]], "np.ndarray[Any, np.dtype[np.float32]]"]
"""A recogniser: encoded photos to features (photos, width), alike for photos of one person."""

Vectors = np.ndarray[Any, np.dtype[np.float64]]
_AT_ONCE = 32


class Gallery:
    """The people who are trained on, each as the mean of the features of the training photos.

    Features are standardised by mean and deviation over all training photos and have length 1, so a similarity is
    a cosine in [-1, 1], about 0 for two people taken at random. ``people`` are the ids in the order of the columns
    of ``similarities``.
    """

    def __init__(self, photos: Sequence[Photo], features: Vectors) -> None:
        self.own = photos_of(photos, "training")
        self.people = list(self.own)
        trained = features[sorted({index for indices in self.own.values() for index in indices})]
        deviation = trained.std(0)
        self._mean, self._deviation = trained.mean(0), np.where(deviation > 0, deviation, 1.0)
        self._vectors = self._standardised(features)
        self._centroids = _unit(np.stack([self._vectors[indices].mean(0) for indices in self.own.values()]))

    def similarities(self, features: Vectors) -> Vectors:
        """How much each photo looks like each of ``people`` (photos, people), in [-1, 1]."""
        return self._standardised(features) @ self._centroids.T

    def left_out(self, person: str, index: int) -> float:
        """Similarity of one training photo to its own person's other ones; NaN where there is no other one."""
        others = [other for other in self.own[person] if other != index]
        if not others:
            return float("nan")
        return float(_unit(self._vectors[others].mean(0)) @ self._vectors[index])

    def _standardised(self, features: Vectors) -> Vectors:
        return _unit((features - self._mean) / self._deviation)


@dataclass(frozen=True)
class Judge:
    """A gallery that is believed, and from which similarity on two photos may show one person.

    ``threshold`` is the 1st percentile, over people, of how much a person's new photos look like the person's
    training photos.
    """

    gallery: Gallery
    threshold: float


def embed_photos(photos: Sequence[Photo], embed: Embed, report: ReportProgress) -> Vectors:
    """Features (photos, width) in float64, a few photos at a time."""
    parts = []
    for start in range(0, len(photos), _AT_ONCE):
        chunk = photos[start : start + _AT_ONCE]
        parts.append(np.asarray(embed([photo.image for photo in chunk]), np.float64))
        report(start + len(chunk), len(photos), "recogniser")
    return np.concatenate(parts)


def photos_of(photos: Sequence[Photo], split: Split) -> dict[str, list[int]]:
    """Person id -> indexes of the person's photos in one split."""
    found: dict[str, list[int]] = {}
    for index, photo in enumerate(photos):
        for person in photo.people(split):
            found.setdefault(person, []).append(index)
    return found


def person_means(similarities: Vectors, indices: Mapping[str, Sequence[int]]) -> Vectors:
    """The mean similarity over each person's photos (persons in the order of ``indices``, people)."""
    return np.stack([similarities[list(own)].mean(0) for own in indices.values()])


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
