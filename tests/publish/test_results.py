"""What a finished suite says: headlines as plain values, and the tables that are printed."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console
from three_targets_example import make_answers, make_target_records, write_records

from bench.publish.headlines import described_headlines
from bench.publish.results import METRIC_KEYS
from bench.publish.tables import summary_table
from leaderboard.boards.building import build_boards
from leaderboard.missing import MissingRun
from leaderboard.runs import RecordedRun, load_runs

LLAVA, QWEN = "tiny-llava", "tiny-qwen2-vl"
ON_BOTH = {("none", "base"), ("none", "naive"), ("none", "augment"), ("dp2vl", "naive"), ("dp2vl", "augment")}
ON_LLAVA = ON_BOTH | {("noise", "naive"), ("noise", "augment")}
LOST = MissingRun("dp2vl", "augment", LLAVA, 1.0, 3, "no luck")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Sequence[RecordedRun]:
    """Two defenses on one target, and one of them on another, under two attackers."""
    answers = {
        key: rows
        for key, rows in make_answers(people=12).items()
        if key[1:] in {LLAVA: ON_LLAVA, QWEN: ON_BOTH}.get(key[0], set())
    }
    folder = tmp_path_factory.mktemp("published")
    return load_runs(write_records(make_target_records(answers), answers, folder))


def headlines(recorded: Sequence[RecordedRun], *missing: MissingRun) -> dict[tuple[str, str], dict[str, Any]]:
    """Label and target -> what the boards say."""
    described = described_headlines(build_boards(recorded, missing))
    return {(one["label"], one["target"]): one for one in described}


def described(defense: str, attack: str, target: str = LLAVA, **changes: Any) -> dict[str, Any]:
    """A run as the JSON object has it."""
    numbers = dict.fromkeys(("leakage", *METRIC_KEYS, "seconds_per_photo"), 0.5)
    about = {"defense": defense, "label": defense, "attack": attack, "target": target, "access": None}
    return {**about, **numbers, "leakage_ci95": None, "cohort": "", "ratio": 1.0, "seed": 0, **changes}


def lines(told: Mapping[Any, Mapping[str, Any]], *runs: dict[str, Any]) -> list[str]:
    """The printed tables."""
    result = {
        "headlines": list(told.values()),
        "controls": [run for run in runs if run["attack"] == "base"],
        "runs": [run for run in runs if run["attack"] != "base"],
    }
    stream = io.StringIO()
    Console(file=stream, width=200).print(summary_table(result, "Test"))
    return stream.getvalue().splitlines()


def cells(printed: Sequence[str], *starts: str) -> list[str]:
    """The cells of the first printed line whose first ones are these."""
    found = [[cell.strip() for cell in line.strip("│").split("│")] for line in printed if "│" in line]
    return next(row for row in found if row[: len(starts)] == list(starts))


def test_the_values_are_those_of_the_boards(recorded: Sequence[RecordedRun]) -> None:
    told = headlines(recorded)
    boards = {board.setting.target: board for board in build_boards(recorded)}
    assert list(told) == [(line.label, target) for target, board in boards.items() for line in board.defenses]
    assert set(told) == {("dp2vl", LLAVA), ("noise", LLAVA), ("dp2vl", QWEN)}
    for (label, target), one in told.items():
        board = boards[target]
        line = next(line for line in board.defenses if line.label == label)
        assert line.strongest is not None and line.comparison is not None
        leakage = line.strongest.figure("leakage")
        assert (one["headline"], one["headline_ci95"]) == (line.headline.value, [line.headline.low, line.headline.high])
        assert (one["leakage"], one["leakage_ci95"]) == (leakage.value, [leakage.low, leakage.high])
        assert one["attack"] == line.strongest.attack and one["attackers"] == ["naive", "augment"]
        assert one["attackers_in_words"] == "2 attackers, none adaptive"
        assert one["upper_bound"] == line.conclusion.bound and one["upper_bound"] >= one["headline"]
        assert (one["difference"], one["p_value"]) == (line.comparison.difference.value, line.comparison.p_value)
        assert set(one["remaining"]) == {"naive", "augment"}
        assert one["rank"] is None and one["unranked"].startswith("Ranks need more: 1 training seed of 3")
        assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_a_refused_headline_is_null_with_its_reason(recorded: Sequence[RecordedRun]) -> None:
    one = headlines(recorded, LOST)["dp2vl", LLAVA]
    assert one["refusal"] == "against augment: the run of training seed 3 is missing: no luck"
    empty = ("headline", "headline_ci95", "upper_bound", "leakage", "leakage_ci95", "attack", "difference", "p_value")
    assert all(one[key] is None for key in empty) and one["nothing_leaks"] is False and one["remaining"] == {}
    assert headlines(recorded, LOST)["dp2vl", QWEN]["headline"] is not None


@pytest.mark.parametrize("label", ["noise", "dp2vl"])
def test_the_strongest_attacker_of_each_defense_stands_before_what_remains(
    recorded: Sequence[RecordedRun], label: str
) -> None:
    told = {key: one for key, one in headlines(recorded).items() if key[1] == LLAVA}
    one = told[label, LLAVA]
    printed = lines(told, described(label, "naive"))
    row = cells(printed, "dp2vl (white box)" if label == "dp2vl" else label)
    low, high = one["headline_ci95"]
    assert row[1] == f"{one['leakage']:.2f}" and row[3] == one["attack"]
    assert row[4:] == [f"{one['headline']:.2f}", f"{low:.2f} to {high:.2f}", f"{one['upper_bound']:.2f}"]
    said = " ".join(" ".join(printed).split())
    assert "Highest of 2 attackers, none adaptive; remains: 0 is permutation chance, 1 is undefended" in said
    assert "Ranks need more: 1 training seed of 3" in said


def test_without_one_attackers_number_there_is_no_headline(recorded: Sequence[RecordedRun]) -> None:
    told = {key: one for key, one in headlines(recorded, LOST).items() if key[1] == LLAVA}
    row = cells(lines(told, described("dp2vl", "naive")), "dp2vl (white box)")
    assert row[1:] == ["-", "", "-", "no number", "", "-"]


def test_several_targets_stand_apart_and_nothing_is_averaged(recorded: Sequence[RecordedRun]) -> None:
    controls = [described("none", "base", target) for target in (LLAVA, QWEN)]
    runs = [described("dp2vl", attack, target) for attack in ("naive", "augment") for target in (LLAVA, QWEN)]
    told = headlines(recorded)
    printed = lines(told, *controls, *runs, described("noise", "naive"))
    split = next(place for place, line in enumerate(printed) if "Every run" in line)
    above, listed = printed[:split], printed[split:]
    for target, access in ((LLAVA, "white box"), (QWEN, "transfer")):
        row, one = cells(above, f"dp2vl ({access})", target), told["dp2vl", target]
        assert row[2] == f"{one['leakage']:.2f}" and row[5] == f"{one['headline']:.2f}"
    assert cells(above, "noise", LLAVA)
    with pytest.raises(StopIteration):
        cells(above, "noise", QWEN)
    found = [name for line in listed for name in (LLAVA, QWEN) if name in line]
    assert found == sorted(found) and len(found) == 7, "every target's control stands with its runs"


def test_one_refused_number_leaves_a_target_without_a_headline(recorded: Sequence[RecordedRun]) -> None:
    told = headlines(recorded, LOST)
    printed = lines(told, described("dp2vl", "naive"), described("dp2vl", "naive", QWEN))
    assert "no number" in cells(printed, "dp2vl (white box)", LLAVA)
    other = cells(printed, "dp2vl (transfer)", QWEN)
    assert "no number" not in other and f"{told['dp2vl', QWEN]['headline']:.2f}" in other


def test_controls_alone_are_listed_without_headlines() -> None:
    printed = lines({}, described("none", "base"), described("none", "naive"))
    assert cells(printed, "none", "base") and cells(printed, "none", "naive")
    assert "remains" not in " ".join(printed) and "Every run" not in " ".join(printed)
    assert "Test" in printed[0]
