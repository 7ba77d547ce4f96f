"""Which photos are synthesized together."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from generators.diffusion.settings import Settings
from generators.diffusion.synthesis import SynthesisRequest, person_digest


def in_batches(requests: Sequence[SynthesisRequest], settings: Settings) -> list[list[SynthesisRequest]]:
    """Batches of at most ``settings.photos_at_once`` requests that a method can take together.

    Leaving whole batches out leaves the others as they are, so that a build that goes on computes in the same batches
    as one that was never stopped, and ends with the same bytes.
    """
    size, key = settings.photos_at_once, _KEYS[settings.method]
    groups = [list(group) for _, group in groupby(sorted(requests, key=key), key=key)]
    return [group[start : start + size] for group in groups for start in range(0, len(group), size)]


def _number_of_references(request: SynthesisRequest) -> int:
    return len(request.references)


_KEYS: dict[str, Callable[[SynthesisRequest], Any]] = {
    "embedded": lambda _: 0,
    # Rows of one tensor hold equally many photos.
    "ip-adapter": _number_of_references,
    # One person's LoRA is in the model at a time.
    "dreambooth": person_digest,
}
