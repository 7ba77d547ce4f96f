"""The photos of a dataset, each once, with what is said and asked about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from bench.core.digests import digest_bytes
from scenarios.dataset import Dataset
from scenarios.pairs import Provenance
from scenarios.pixels import open_photo

REAL = "real"
"""The source of photos that show real people: they are shown to nobody who did not ask for them."""


@dataclass(frozen=True)
class DatasetPhoto:
    """A photo with its person. ``row_id`` is the pair or the probe that it is first found in.

    ``pair`` is the row of the pairs table, None for a photo that nothing is trained on; ``probes`` are the rows of
    the probes table that ask about the photo, in the table's order. ``shows`` is None where nobody said.
    """

    row_id: str
    digest: str
    person_id: str
    image: bytes
    provenance: Provenance
    shows: tuple[str, ...] | None
    pair: dict[str, Any] | None
    probes: tuple[dict[str, Any], ...]

    @property
    def scenario(self) -> str:
        """The scenario of a training photo, '' for a photo that is only asked about."""
        return "" if self.pair is None else str(self.pair["scenario"])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the questions asked on this photo, each once, in the table's order."""
        return tuple(dict.fromkeys(str(probe["kind"]) for probe in self.probes))


def dataset_photos(dataset: Dataset) -> list[DatasetPhoto]:
    """Every photo of a dataset: one a pair, in the table's order, then those that are only asked about.

    A probe belongs to the first photo of its person with the same bytes, so that a photo which is trained on and
    asked about stands there once.
    """
    pairs: list[dict[str, Any]] = _rows(dataset.pairs.to_dict("records"))
    asked: dict[tuple[str, str], list[dict[str, Any]]] = {}
    digests: dict[bytes, str] = {}

    def digest(image: bytes) -> str:
        if image not in digests:
            digests[image] = digest_bytes(image)
        return digests[image]

    for probe in _rows(dataset.probes.to_dict("records")):
        asked.setdefault((probe["person_id"], digest(probe["image"])), []).append(probe)
    photos = [
        _photo(pair["pair_id"], digest(pair["image"]), pair, asked.pop((pair["person_id"], digest(pair["image"])), []))
        for pair in pairs
    ]
    return photos + [_photo(rows[0]["probe_id"], key[1], None, rows) for key, rows in asked.items()]


def withheld(photo: DatasetPhoto, with_photos: bool) -> bool:
    """Whether a photo must not be shown: it shows a real person, and nobody asked for such photos."""
    return photo.provenance.source == REAL and not with_photos


def thumbnail(photo: DatasetPhoto, side: int) -> Image.Image:
    """The photo in RGB, upright, in its own proportions, neither edge above ``side`` pixels, without its metadata.

    A smaller photo keeps its size. Raises ``DataError`` naming the pair or probe whose photo cannot be decoded.
    """
    small = open_photo(photo.row_id, photo.image)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    # A comment or a place of the stored file would travel along with the picture's metadata.
    clean = Image.new("RGB", small.size)
    clean.paste(small)
    return clean


def _rows(records: Iterable[dict[Any, Any]]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in records]


def _photo(row_id: str, digest: str, pair: dict[str, Any] | None, probes: list[dict[str, Any]]) -> DatasetPhoto:
    first = pair or probes[0]
    provenance = Provenance(first["source"], first["generator"], first["licence"], first["consent"])
    shows = first["shows"]
    return DatasetPhoto(
        row_id=row_id,
        digest=digest,
        person_id=first["person_id"],
        image=first["image"],
        provenance=provenance,
        shows=None if shows is None else tuple(shows),
        pair=pair,
        probes=tuple(probes),
    )
