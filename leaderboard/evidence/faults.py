"""What is wrong with a record: the field, and a sentence that says what stands there and what should."""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that a record, or a table behind it, says and that is not so."""

    field: str
    sentence: str


def first_fault(faults: Iterable["Fault | None"]) -> Fault | None:
    """The first that there is; later ones are not looked for."""
    return next((fault for fault in faults if fault is not None), None)
