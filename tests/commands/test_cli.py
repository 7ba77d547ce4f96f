"""The command line: exit codes, one sentence an error, nothing but the result on standard output."""

import json
import shutil
import time
from pathlib import Path

import pytest
from miniature_world import ROOT, Miniature, veilbench


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "quik"), "unknown suite 'quik': did you mean 'quick'"),
        (("run", "quick", "--backend", "vlm"), "unknown backend 'vlm'"),
        (("run", "quick", "--limit", "0"), "--limit"),
        (("run", "quick", "--seed", "-1"), "--seed"),
        (("run", "--nonsense"), "--nonsense"),
        (("list", "defence"), "did you mean 'defenses'"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    finished = veilbench(*arguments, folder=tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"defenses": [{"name": "nois"}]}, "unknown defense 'nois': did you mean 'noise'"),
        ({"defenses": [{"name": "noise", "options": {"strength": 1}}]}, "'strength': known: none"),
        ({"defenses": [{"name": "dp2vl", "options": {"stepz": 1}}]}, "'stepz': did you mean 'steps'"),
        ({"defenses": [{"name": "dp2vl", "options": {"steps": 0}}]}, "steps"),
        ({"defenses": [{"name": "dp2vl", "options": {"steps": "many"}}]}, "option steps: input should be a valid int"),
        ({"defenses": [{"name": "noise"}, {"name": "noise", "label": "again"}]}, "'noise' and 'again' are the same"),
        ({"evaluators": ["leakages"]}, "unknown evaluator 'leakages': did you mean 'leakage'"),
        ({"evaluators": ["utility"]}, "none of utility measures leakage"),
        ({"attacks": ["augmented"]}, "unknown attack 'augmented': did you mean 'augment'"),
        ({"targets": [{"checkpoint": "absent-model"}]}, "unknown checkpoint 'absent-model'"),
        ({"dataset": "absent-data"}, "unknown dataset 'absent-data'"),
        ({"epochs": 3}, "field epochs: not a known field"),
    ],
)
def test_a_suite_that_names_what_is_not_there_ends_with_2(
    changes: dict[str, object], said: str, miniature: Miniature, tmp_path: Path
) -> None:
    suite = miniature.changed(tmp_path / "wrong.yaml", **changes)
    finished = veilbench("run", suite, "--json", folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_unknown_family_names_the_nearest(miniature: Miniature, tmp_path: Path) -> None:
    target = {"checkpoint": str(miniature.checkpoint), "family": "lava"}
    suite = miniature.changed(tmp_path / "wrong.yaml", targets=[target], surrogates=[])
    finished = veilbench("run", suite, folder=tmp_path)
    assert finished.returncode == 2
    assert "unknown target 'lava': did you mean 'llava'" in finished.stderr


def test_help_comes_at_once_and_each_command_has_an_example(tmp_path: Path) -> None:
    start = time.monotonic()
    assert "doctor" in veilbench("--help", folder=tmp_path).stdout
    assert time.monotonic() - start < 5  # the real bar is half a second; a busy machine must not fail a test
    commands = [("run",), ("list",), ("doctor",), ("store", "ls"), ("store", "gc"), ("site", "build")]
    commands += [("data", name) for name in ("build", "check", "card", "push", "view")] + [("defense", "check")]
    for command in commands:
        assert "Example:" in veilbench(*command, "--help", folder=tmp_path).stdout


def test_help_and_plan_need_no_accelerator_library(miniature: Miniature, tmp_path: Path) -> None:
    for module in ("torch", "transformers", "peft"):
        (tmp_path / f"{module}.py").write_text(f"raise ImportError('{module} was imported')")
    for arguments in (("--help",), ("run", miniature.suite, "--dry-run"), ("list", "defenses"), ("list", "targets")):
        finished = veilbench(*arguments, folder=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
        assert finished.returncode == 0, finished.stderr


def test_a_dry_run_names_every_stage_and_touches_nothing(miniature: Miniature, tmp_path: Path) -> None:
    finished = veilbench("run", miniature.suite, "--dry-run", folder=tmp_path)
    assert finished.returncode == 0
    for part in ("protect dp2vl", "finetune noise naive", "record base", "miss", "stages to compute"):
        assert part in finished.stdout
    assert list(tmp_path.iterdir()) == []


def test_limit_and_seed_change_the_plan(miniature: Miniature, tmp_path: Path) -> None:
    def keys(*more: object) -> set[str]:
        finished = veilbench("run", miniature.suite, "--dry-run", "--json", *more, folder=tmp_path)
        return {stage["key"] for stage in json.loads(finished.stdout)["stages"]}

    plain = keys()
    assert not plain & keys("--limit", 2)
    assert plain != keys("--seed", 5)
    assert plain == keys("--seed", 0) == keys("--limit", 3)  # what the suite has, and what cuts nobody


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("recipes", "shadowcast"),
        ("defenses", "dp2vl"), ("targets", "llava"), ("evaluators", "leakage"), ("attacks", "augment"),
        ("suites", "quick"), ("scenarios", "workplace"), ("generators", "render"),
    ],
)  # fmt: skip
def test_everything_that_a_suite_can_name_is_listed(kind: str, named: str, tmp_path: Path) -> None:
    finished = veilbench("list", kind, folder=tmp_path)
    assert finished.returncode == 0
    assert named in [line.split()[0] for line in finished.stdout.splitlines()]
    listed = json.loads(veilbench("list", kind, "--json", folder=tmp_path).stdout)[kind]
    assert [one for one in listed if one["name"] == named and one["about"]]


def test_the_store_is_checked_and_cleared(
    miniature: Miniature, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    shutil.copytree(first_run[1] / ".veilbench", tmp_path / "store")
    store = ("--store", tmp_path / "store")
    assert "Nothing is damaged" in veilbench("store", "verify", *store, folder=tmp_path).stdout
    veilbench("store", "gc", miniature.suite, *store, folder=tmp_path)  # what other tests have left there
    planned = veilbench("run", miniature.suite, "--dry-run", "--json", *store, folder=tmp_path)
    assert {stage["state"] for stage in json.loads(planned.stdout)["stages"]} == {"hit"}
    before = veilbench("store", "ls", *store, folder=tmp_path).stdout
    assert len(before.splitlines()) == len(json.loads(planned.stdout)["stages"])
    assert "0.0 MB freed" in veilbench("store", "gc", miniature.suite, *store, folder=tmp_path).stdout
    assert veilbench("store", "ls", *store, folder=tmp_path).stdout == before
    without = veilbench("store", "gc", *store, folder=tmp_path).stdout
    assert "0.0 MB freed" in without and "`veilbench store gc quick` keeps only what quick needs" in without
    assert veilbench("store", "ls", *store, folder=tmp_path).stdout == before


def test_limit_and_seed_without_a_suite_say_nothing_about_what_to_keep(tmp_path: Path) -> None:
    finished = veilbench("store", "gc", "--limit", 3, folder=tmp_path)
    assert finished.returncode == 2
    assert "name the suite" in finished.stderr


def test_a_damaged_store_ends_with_1(
    miniature: Miniature, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(first_run[1] / ".veilbench", store)
    next(store.glob("objects/answer/*/answers.parquet")).write_bytes(b"damaged")
    finished = veilbench("store", "verify", "--store", store, folder=tmp_path)
    assert finished.returncode == 1
    assert "answers.parquet" in finished.stdout


def test_a_page_is_built_from_published_records(first_run: tuple[dict[str, object], Path], tmp_path: Path) -> None:
    records = first_run[1] / ".veilbench" / "site" / "miniature" / "records"
    finished = veilbench("site", "build", records, "--out", tmp_path / "page", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "dp2vl" in (tmp_path / "page" / "index.html").read_text()


def test_a_store_that_cannot_be_made_is_one_sentence(miniature: Miniature, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    finished = veilbench("run", miniature.suite, "--store", tmp_path / "file", folder=tmp_path)
    assert finished.returncode == 1
    assert str(tmp_path / "file") in finished.stderr
    assert "Traceback" not in finished.stderr
