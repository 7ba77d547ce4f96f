"""Perceptual hashes of photos and of their crops and mirror images: which two are copies of one picture?"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bench.core.progress import ReportProgress
from generators.checks.photos import SIDE, Photo

HASH_SIZE = 16
BITS = HASH_SIZE * HASH_SIZE
NEAR = 52
"""Two photos are near copies where at most this many of the 256 bits differ.

Measured on the 260 rendered photos of veilbench-mini, crops and mirror images compared as below: different photos
differ in 68 bits or more, and in 88 or more from a training photo to a probe photo, though all share few backdrops.
Copies differ in at most 6 bits after resizing, 14 after JPEG at quality 20, 44 after cutting 5 %, 50 after cutting 8 %.
"""
CUTS = (0.04, 0.08, 0.12)
"""Shares of the side that are cut away, at nine places each, before a photo is hashed once more."""
FLAT = 2.0
"""A photo whose grey levels deviate by less has no structure to compare: all flat ones have one hash."""
_THUMBNAIL = 4 * HASH_SIZE
_AT_ONCE = 256

Views = np.ndarray[Any, np.dtype[np.int8]]
Whole = np.ndarray[Any, np.dtype[np.float32]]
Distances = np.ndarray[Any, np.dtype[np.int16]]


class HashedPhotos:
    """Hashes of photos: ``whole`` (photos, 256) and ``views`` (photos, views, 256), each bit as -1 or 1.

    ``photos`` are those that have a hash; flat ones are left out.
    """

    def __init__(self, photos: Sequence[Photo], report: ReportProgress) -> None:
        self.photos = [photo for photo in photos if photo.grey is not None and photo.grey.std() >= FLAT]
        hashed = []
        for done, photo in enumerate(self.photos, 1):
            hashed.append(_hash_views(photo))
            report(done, len(self.photos), "perceptual hashes")
        views = 2 * (1 + 9 * len(CUTS))
        self.views: Views = np.array(hashed, np.int8).reshape(len(hashed), views, BITS)
        self.whole: Whole = self.views[:, 0].astype(np.float32)

    def nearest(self, other: "HashedPhotos") -> Distances:
        """Bits (these photos, others) that differ between the closest views of one and the whole of the other."""
        here = _distances(self.views, other.whole)
        return np.minimum(here, here.T if other is self else _distances(other.views, self.whole).T)


def _distances(views: Views, whole: Whole) -> Distances:
    found = np.full((len(views), len(whole)), BITS, np.int16)
    for start in range(0, len(views), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        for view in range(views.shape[1]):
            differing = (BITS - views[rows, view].astype(np.float32) @ whole.T) / 2
            found[rows] = np.minimum(found[rows], differing.astype(np.int16))
    return found


def _hash_views(photo: Photo) -> list[Any]:
    import imagehash

    assert photo.grey is not None
    picture = Image.fromarray(photo.grey)
    hashes = []
    for seen in (picture, ImageOps.mirror(picture)):
        for box in _boxes():
            thumbnail = seen.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BILINEAR, box=box)
            hashes.append(np.where(imagehash.phash(thumbnail, hash_size=HASH_SIZE).hash.ravel(), 1, -1))
    return hashes


def _boxes() -> Iterator[tuple[float, float, float, float]]:
    """The whole picture first, then what is left where a share of the side is cut away at one edge or at both."""
    yield 0, 0, SIDE, SIDE
    for cut in (share * SIDE for share in CUTS):
        for left in (0.0, cut / 2, cut):
            for top in (0.0, cut / 2, cut):
                yield left, top, SIDE - cut + left, SIDE - cut + top
