"""How many inputs a property is tried on: a few in ``make test``, thousands by ``benchmarks/inputs/many_cases.py``."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CASES = "VEILBENCH_CASES"
"""Environment variable: how many cases a property of share 1 is tried on. Where it is set, they are drawn at random."""
FEW = 40


def cases(share: float = 1.0) -> Callable[[Any], Any]:
    """Mark a hypothesis test as a property of inputs; a costly one takes a ``share`` below 1 of the cases."""
    wanted = os.environ.get(CASES)
    chosen = settings(
        max_examples=max(1, round(int(wanted or FEW) * share)),
        deadline=None,
        # The few are the same in every run: a test that fails only now and then is no use.
        derandomize=wanted is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    def mark(test: Any) -> Any:
        return pytest.mark.inputs(chosen(test))

    return mark
