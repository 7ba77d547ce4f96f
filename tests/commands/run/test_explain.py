"""Why a stage is not in the store."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from miniature_world import ROOT, Miniature, veilbench

FirstRun = tuple[dict[str, Any], Path]


def explained(
    miniature: Miniature, first_run: FirstRun, stage: str, *more: object, **environment: str
) -> dict[str, Any]:
    """The explanation as JSON."""
    store = first_run[1] / ".veilbench"
    arguments = ("run", miniature.suite, "--explain", stage, "--json", "--store", store, *more)
    finished = veilbench(*arguments, folder=first_run[1], **environment)
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def test_what_is_there_needs_no_explanation(miniature: Miniature, first_run: FirstRun) -> None:
    found = explained(miniature, first_run, "protect noise")
    assert (found["state"], found["nearest"], found["differences"]) == ("hit", None, [])


def test_a_changed_option_is_named_with_both_values(miniature: Miniature, first_run: FirstRun) -> None:
    found = explained(miniature, first_run, "protect dp2vl", "--set", "defenses.dp2vl.options.steps=3")
    [difference] = found["differences"]
    assert found["state"] == "miss"
    assert (difference["field"], difference["stored"], difference["planned"]) == ("spec.options.steps", 1, 3)


def test_an_earlier_stage_that_changed_is_named(miniature: Miniature, first_run: FirstRun) -> None:
    stage = f"finetune noise naive {miniature.checkpoint} seed 0"
    found = explained(miniature, first_run, stage, "--set", "budget.eps=4")
    abouts = [one["about"] for one in found["differences"]]
    assert abouts == ["rests on 'protect noise': --explain that stage"]


def test_changed_code_is_named_by_its_module(miniature: Miniature, first_run: FirstRun, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for package in ("bench", "scenarios", "generators", "evaluators", "leaderboard", "veilbench"):
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    noise = copy / "bench" / "defenses" / "noise.py"
    noise.write_text(noise.read_text() + "# changed\n")
    found = explained(miniature, first_run, "protect noise", PYTHONPATH=str(copy))
    [difference] = [one for one in found["differences"] if one["field"] == "code"]
    assert difference["about"] == "changed: bench.defenses.noise"


def test_people_read_one_line_a_difference(miniature: Miniature, first_run: FirstRun, tmp_path: Path) -> None:
    store = ("--store", first_run[1] / ".veilbench")
    changed = ("--set", "defenses.dp2vl.options.steps=3", "--explain", "protect dp2vl")
    printed = veilbench("run", miniature.suite, *changed, *store, folder=tmp_path).stdout.splitlines()
    assert "is not in the store. The nearest artifact there is protect-dp2vl" in printed[0]
    assert printed[1] == "  spec.options.steps: 1 there, 3 now"


def test_where_there_is_no_store_nothing_is_explained(miniature: Miniature, tmp_path: Path) -> None:
    nowhere = ("--explain", "protect dp2vl", "--store", tmp_path / "typo")
    finished = veilbench("run", miniature.suite, *nowhere, folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert f"There is no artifact store in {tmp_path / 'typo'}" in finished.stderr
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("stage", ["protect nois", "nonsense"])
def test_an_unknown_stage_is_wrong_use(miniature: Miniature, stage: str, tmp_path: Path) -> None:
    finished = veilbench("run", miniature.suite, "--explain", stage, folder=tmp_path)
    assert finished.returncode == 2
    assert f"unknown stage '{stage}'" in finished.stderr


def test_other_people_are_named_as_the_reason(miniature: Miniature, first_run: FirstRun) -> None:
    [difference] = explained(miniature, first_run, "protect noise", "--limit", "1")["differences"]
    assert (difference["field"], difference["about"]) == (
        "spec.dataset",
        "other people, photos or probes: another dataset, cohort or limit",
    )
