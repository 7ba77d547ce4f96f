"""Requests for photos, what answers them, and the finished photos that outlive a stop."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.core.digests import digest_bytes, digest_json
from bench.core.errors import DataError, VeilBenchError
from bench.core.files import write_whole
from generators.diffusion.progress import PhotoProgress
from scenarios.pixels import content_problem, decode_pixels

Plain = str | int | float | bool | None


@dataclass(frozen=True)
class SynthesisRequest:
    """One photo to synthesize: what it shows, and whom.

    ``references`` are encoded photos of the person, ``subject`` is the word for such a person ("woman"), and ``seed``
    decides everything that is random about this photo.
    """

    photo_id: str
    person_id: str
    prompt: str
    references: tuple[bytes, ...]
    seed: int
    subject: str = "person"


@dataclass(frozen=True)
class SynthesizedPhoto:
    """A finished photo, encoded as PNG."""

    photo_id: str
    image: bytes


class Synthesizer(Protocol):
    """A model that synthesizes photos of people. Constructing one loads no weights."""

    def describe(self) -> Mapping[str, Plain]:
        """Everything beside the request that decides what a photo looks like; no batch size, no device."""
        ...

    def synthesize(self, requests: Sequence[SynthesisRequest]) -> Iterator[SynthesizedPhoto]:
        """One photo a request, each as soon as it is finished, in any order.

        A photo depends on its request alone, not on the ones beside it.
        """
        ...


def photo_seed(seed: int, photo_id: str) -> int:
    """The seed of one photo, below 2**63, the same whatever is synthesized beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {photo_id}".encode()).digest()[:8]) >> 1


def person_digest(request: SynthesisRequest) -> str:
    """Digest of the person as the model sees it: references and subject."""
    return digest_json({"references": [digest_bytes(one) for one in request.references], "subject": request.subject})


def synthesize_all(
    synthesizer: Synthesizer, batches: Sequence[Sequence[SynthesisRequest]], folder: Path, progress: PhotoProgress
) -> dict[str, bytes]:
    """The photos of all requests by their id; batches that wait finished in ``folder`` are not made again."""
    requests = [request for batch in batches for request in batch]
    folder.mkdir(parents=True, exist_ok=True)
    described = dict(synthesizer.describe())
    files = {request.photo_id: folder / f"{_request_digest(described, request)}.png" for request in requests}
    photos = {photo_id: image for photo_id, file in files.items() if (image := _finished(file)) is not None}
    missing = [request for batch in batches if any(one.photo_id not in photos for one in batch) for request in batch]
    progress.start(done=len(photos), total=len(requests))
    for photo in synthesizer.synthesize(missing) if missing else ():
        # Of a batch that was stopped in the middle, the photos that were kept stay.
        if photo.photo_id not in photos:
            write_whole(files[photo.photo_id], photo.image)
            photos[photo.photo_id] = photo.image
            progress.finished(photo.photo_id)
    return photos


def finished_photo(photo_id: str, levels: npt.NDArray[np.floating[Any]], cure: str) -> SynthesizedPhoto:
    """The photo of a model's picture (height, width, 3) in [0, 1].

    Raises VeilBenchError naming the photo and the likely ``cure`` where the picture holds values that are not finite,
    which would become black, or shows nothing.
    """
    if not np.isfinite(levels).all():
        raise VeilBenchError(f"photo '{photo_id}': the model's picture is not finite: {cure}.")
    pixels = (levels * 255).round().astype(np.uint8)
    problem = content_problem(pixels)
    if problem:
        raise VeilBenchError(f"photo '{photo_id}': the model's picture {problem}: {cure}.")
    return SynthesizedPhoto(photo_id, encode_png(Image.fromarray(pixels)))


def encode_png(image: Image.Image) -> bytes:
    """The picture as PNG without any metadata; equal pixels give equal bytes."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="PNG")
    return buffer.getvalue()


def _request_digest(described: Mapping[str, Plain], request: SynthesisRequest) -> str:
    values = {"prompt": request.prompt, "person": person_digest(request), "seed": request.seed}
    return digest_json({"synthesizer": dict(described), "request": values})


def _finished(file: Path) -> bytes | None:
    if not file.is_file():
        return None
    image = file.read_bytes()
    try:
        pixels = decode_pixels(file.name, image)
    except DataError:
        return None
    # One that is damaged or shows nothing is made again.
    return None if content_problem(pixels) else image
