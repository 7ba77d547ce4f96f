"""What a finished suite prints."""

import io
from typing import Any

from rich.console import Console

from bench.publish.results import METRIC_KEYS
from bench.publish.tables import summary_table


def described(
    defense: str, attack: str, normalised: float | None, target: str = "tiny-llava", access: str | None = None
) -> dict[str, Any]:
    """A run as the JSON object has it."""
    numbers = dict.fromkeys(("leakage", *METRIC_KEYS, "seconds_per_photo"), 0.5)
    run = {"defense": defense, "label": defense, "attack": attack, "target": target, "ratio": 1.0, "seed": 0, **numbers}
    return run | {"access": access, "normalised": normalised, "leakage_ci95": None, "normalised_ci95": None}


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


def test_several_targets_stand_side_by_side_and_are_told_apart() -> None:
    seen = {"tiny-llava": "white box", "tiny-qwen2-vl": "transfer"}
    controls = [described("none", "base", None, target) for target in seen]
    runs = [
        described("dp2vl", attack, normalised, target, seen[target])
        for attack, target, normalised in (
            ("naive", "tiny-llava", 0.1), ("augment", "tiny-llava", 0.2),
            ("naive", "tiny-qwen2-vl", 0.8), ("augment", "tiny-qwen2-vl", 0.7),
        )
    ]  # fmt: skip
    printed = lines(*controls, *runs, described("noise", "naive", 0.9))
    text = "\n".join(printed)
    matrix, listed = text.split("Every run")
    (row,) = [line for line in matrix.splitlines() if "dp2vl" in line]
    assert "0.20 (augment, white box)" in row and "0.80 (naive, transfer)" in row
    (row,) = [line for line in matrix.splitlines() if "noise" in line]
    assert "0.90 (naive)" in row and "not tried" in row
    found = [name for line in listed.splitlines() for name in seen if name in line]
    assert found == sorted(found) and len(found) == 7, "every target's control stands with its runs"
    assert listed.count("(worst)") == 3, "one a defense and target"


def test_one_refused_number_leaves_a_target_without_a_headline() -> None:
    printed = lines(
        described("dp2vl", "naive", 0.1), described("dp2vl", "augment", None),
        described("dp2vl", "naive", 0.3, "other"), described("dp2vl", "augment", 0.2, "other"),
    )  # fmt: skip
    row = next(line for line in printed if "dp2vl" in line)
    assert "no number" in row and "0.30 (naive)" in row and "0.20" not in row
