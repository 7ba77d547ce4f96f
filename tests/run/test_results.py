"""What a finished suite prints."""

import io
from typing import Any

from rich.console import Console

from bench.run.results import METRIC_KEYS, summary_table


def described(defense: str, attack: str, normalised: float | None) -> dict[str, Any]:
    """A run as the JSON object has it."""
    numbers = dict.fromkeys(("leakage", *METRIC_KEYS, "seconds_per_photo"), 0.5)
    run = {"defense": defense, "attack": attack, "target": "tiny-llava", "ratio": 1.0, "seed": 0, **numbers}
    return run | {"normalised": normalised, "leakage_ci95": None, "normalised_ci95": None}


def lines(*runs: dict[str, Any]) -> list[str]:
    """The printed table."""
    stream = io.StringIO()
    Console(file=stream, width=200).print(summary_table("Test", runs))
    return stream.getvalue().splitlines()


def test_the_worst_attacker_of_each_defense_is_marked() -> None:
    printed = lines(
        described("none", "naive", 1.0), described("noise", "naive", 0.9), described("noise", "augment", 0.8),
        described("dp2vl", "naive", 0.1), described("dp2vl", "augment", 0.2),
    )  # fmt: skip
    assert [line.split()[1] for line in printed if "(worst)" in line] == ["noise", "dp2vl"]
    assert any("dp2vl" in line and "augment (worst)" in line for line in printed)


def test_without_one_attackers_number_no_worst_case_is_known() -> None:
    printed = lines(described("dp2vl", "naive", 0.1), described("dp2vl", "augment", None))
    assert not any("(worst)" in line for line in printed)
