"""A record's metrics against those that its own answers and photos give."""

from collections.abc import Sequence

from leaderboard.evidence.faults import Fault
from leaderboard.schema import Measurement

VALUE_TOLERANCE = 1e-9
END_TOLERANCE = 1e-6
"""Ends of intervals come from iterative inverses, whose last digits differ from one release of SciPy to another."""

EXACT_FIELDS = ("unit", "direction", "attack", "n_probes", "n_persons", "n_unscored", "seeds", "refusal")
NUMBER_FIELDS = {"value": VALUE_TOLERANCE, "low": END_TOLERANCE, "high": END_TOLERANCE}


def metrics_fault(recorded: Sequence[Measurement], given: Sequence[Measurement]) -> Fault | None:
    """The first metric that a record has otherwise than its tables give it; order does not matter."""
    stands = {(one.name, one.scenario): one for one in recorded}
    gives = {(one.name, one.scenario): one for one in given}
    for key in sorted({*stands, *gives}, key=lambda key: (key[0], key[1] or "")):
        field = f"metrics.{key[0]}{f' ({key[1]})' if key[1] else ''}"
        if key not in gives:
            return Fault(field, f"the record says {_told(stands[key])}, and its rows give no such metric")
        if key not in stands:
            return Fault(field, f"the record does not say it, and its rows give {_told(gives[key])}")
        difference = _difference(stands[key], gives[key])
        if difference:
            return Fault(field, difference)
    return None


def _difference(stands: Measurement, gives: Measurement) -> str:
    """In what two measurements of one metric differ, as a sentence; empty where in nothing."""
    for name, tolerance in NUMBER_FIELDS.items():
        first, second = getattr(stands, name), getattr(gives, name)
        is_equal = first is second if None in (first, second) else abs(first - second) <= tolerance
        if not is_equal:
            return _sentence(name, first, second)
    for name in EXACT_FIELDS:
        first, second = getattr(stands, name), getattr(gives, name)
        if first != second:
            return _sentence(name, first, second)
    return ""


def _sentence(name: str, first: object, second: object) -> str:
    return f"the record says {name} {_shown(first)}, and its rows give {_shown(second)}"


def _told(one: Measurement) -> str:
    return f"value {_shown(one.value)}" if one.value is not None else f"that there is none ({one.refusal})"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:.10g}" if isinstance(value, float) else repr(value)
