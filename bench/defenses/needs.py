"""What a defense may declare that it needs: told when a suite is planned, not after minutes of computing.

A need is the name of a field: of ``Photo``, then every photo has to have it, or of ``DefenseContext``, then the owner
has to give it. A field that is None or empty is not there. A new need is such a field, and a line here.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

OF_PHOTOS = {"face_box": "the box around the face, a column of the dataset's pairs"}
OF_OWNER = {"surrogates": "at least one surrogate encoder to optimise against"}


def unknown_needs(needs: Collection[str]) -> list[str]:
    """Those that are no needs."""
    return sorted(set(needs) - OF_PHOTOS.keys() - OF_OWNER.keys())


def photos_lack(needs: Collection[str], names: Sequence[str], field: Callable[[str], Sequence[Any]]) -> str | None:
    """What the photos of these ``names`` lack, or None; ``field`` gives a field of theirs, in the same order."""
    for need in sorted(OF_PHOTOS.keys() & set(needs)):
        without = [name for name, value in zip(names, field(need), strict=True) if value is None]
        if without:
            missing = f"{len(without)} of {len(names)} photos have none, '{without[0]}' first"
            return f"needs {need} ({OF_PHOTOS[need]}), and {missing}"
    return None


def owner_lacks(needs: Collection[str], given: Any) -> str | None:
    """What ``given``, a ``DefenseContext``, lacks, or None."""
    for need in sorted(OF_OWNER.keys() & set(needs)):
        if not getattr(given, need):
            return f"needs {need} ({OF_OWNER[need]}), and none was given"
    return None
