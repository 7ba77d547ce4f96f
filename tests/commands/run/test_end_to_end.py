"""From photos to a page with one command, on a model with random weights."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from miniature_world import ROOT, Miniature, veilbench

from bench.core.store import ArtifactStore
from leaderboard.records import load_records, load_rows

JSON_KEYS = {
    "defense", "target", "attack", "ratio", "seed", "leakage", "leakage_ci95", "zero", "excess", "excess_ci95",
    "exposed", "worst_tenth", "open_answer", "member_protected", "member_clean", "stranger_rate", "utility",
    "seconds_per_photo", "cached",
}  # fmt: skip

FirstRun = tuple[dict[str, Any], Path]


def test_the_json_object_has_what_machines_are_promised(first_run: FirstRun) -> None:
    result, folder = first_run
    assert result["suite"] == "miniature"
    assert [(run["defense"], run["attack"]) for run in result["runs"]] == [
        ("none", "naive"), ("noise", "naive"), ("dp2vl", "naive"),
    ]  # fmt: skip
    assert len(result["records"]) == 4  # the base model's too
    assert (folder / result["page"]).is_file()
    for run in result["runs"]:
        assert run.keys() >= JSON_KEYS
        assert 0 <= run["leakage_ci95"][0] <= run["leakage"] <= run["leakage_ci95"][1] <= 1
        assert run["seconds_per_photo"] > 0
        assert run["cached"] is False
    assert [run["attack"] for run in result["controls"]] == ["base"]
    assert [one["label"] for one in sorted(result["headlines"], key=lambda one: one["label"])] == ["dp2vl", "noise"]
    for one in result["headlines"]:
        assert one["attackers"] == ["naive"] and one["attackers_in_words"] == "1 attacker, none adaptive"
        assert (one["headline"] is None) == (one["refusal"] is not None)
        assert one["rank"] is None and one["unranked"].startswith("Ranks need more: 1 training seed of 3")


def test_the_page_has_a_row_and_a_picture_for_each_defense(first_run: FirstRun) -> None:
    result, folder = first_run
    page = (folder / result["page"]).read_text()
    for record in result["records"]:
        assert f"runs/{Path(record).stem}.html" in page
    assert len(list((folder / result["page"]).parent.glob("pictures/*.png"))) >= 5


def test_a_second_run_computes_nothing_imports_no_torch_and_says_the_same(
    first_run: FirstRun, miniature: Miniature, tmp_path: Path
) -> None:
    result, folder = first_run
    before = {path: Path(folder / path).read_bytes() for path in result["records"]}
    # Whoever imports torch now fails, in this process or in a worker.
    (tmp_path / "torch.py").write_text("raise ImportError('torch was imported')")
    finished = veilbench("run", miniature.suite, "--json", folder=folder, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert finished.returncode == 0, finished.stderr
    again = json.loads(finished.stdout)
    assert all(run["cached"] for run in again["runs"])
    assert {**again, "runs": None, "controls": None} == {**result, "runs": None, "controls": None}
    assert {path: Path(folder / path).read_bytes() for path in again["records"]} == before


def test_records_hold_every_metric_and_the_answers_behind_them(first_run: FirstRun) -> None:
    result, folder = first_run
    place = (folder / result["page"]).parent / "records"
    records = {(record.spec.defense, record.spec.attack): record for record in load_records(place)}
    assert set(records) == {("none", "base"), ("none", "naive"), ("noise", "naive"), ("dp2vl", "naive")}
    noise = records["noise", "naive"]
    names = {metric.name for metric in noise.metrics}
    assert names == {
        "leakage", "zero", "excess", "leakage_open", "member_clean", "member_protected", "name_open", "stranger_rate",
        "utility", "utility_open", "exposed", "exposed_by_chance", "worst_tenth", "worst_tenth_by_chance", "ssim",
        "psnr",
    }  # fmt: skip
    assert {m.scenario for m in noise.metrics if m.name == "leakage"} == {
        None, "home", "vehicle", "pet", "valuables", "partner", "friends", "workplace",
    }  # fmt: skip
    assert noise.controls.base == records["none", "base"].run_digest
    assert noise.controls.undefended == records["none", "naive"].run_digest
    stranger = noise.metric("stranger_rate")
    assert stranger is not None and stranger.n_probes + stranger.n_unscored == stranger.n_persons == 3
    rows = load_rows(noise, place)
    asked = rows.groupby(["kind", "view"]).size().to_dict()
    assert asked == {
        ("held_out", "clean"): 3 * 2 * 8, ("member", "clean"): 3 * 3 * 8, ("member", "protected"): 3 * 3 * 8,
        ("stranger", "clean"): 3 * 2, ("utility", "clean"): 3 * 2 * 5,
    }  # fmt: skip


def test_controls_are_what_they_are_called(first_run: FirstRun) -> None:
    result, folder = first_run
    place = (folder / result["page"]).parent / "records"
    records = {(record.spec.defense, record.spec.attack): record for record in load_records(place)}
    base, undefended = records["none", "base"], records["none", "naive"]
    assert base.photos is None and base.metric("member_protected") is None and base.spec.recipe == {}
    rows = load_rows(undefended, place)
    members = rows[rows["kind"] == "member"].sort_values(["probe_id"])
    clean, shown = (members[members["view"] == view].reset_index(drop=True) for view in ("clean", "protected"))
    assert len(clean) == len(shown) > 0
    columns = ["probe_id", "text", "choice", "status"]
    pd.testing.assert_frame_equal(clean[columns], shown[columns])
    psnr = undefended.metric("psnr")
    assert psnr is not None and psnr.value is None and psnr.refusal == "the photos are unchanged"


def test_the_plan_says_hit_for_all_and_the_store_is_sound(first_run: FirstRun, miniature: Miniature) -> None:
    _, folder = first_run
    finished = veilbench("run", miniature.suite, "--dry-run", "--json", folder=folder)
    stages = json.loads(finished.stdout)["stages"]
    assert {stage["state"] for stage in stages} == {"hit"}
    assert len({stage["key"] for stage in stages}) == len(stages)
    assert ArtifactStore(folder / ".veilbench").verify() == []
    listed = veilbench("store", "ls", folder=folder).stdout
    assert all(stage["key"][:12] in listed for stage in stages)


def test_another_defense_option_repeats_only_what_rests_on_it(
    first_run: FirstRun, miniature: Miniature, tmp_path: Path
) -> None:
    _, folder = first_run
    suite = miniature.changed(
        tmp_path / "changed.yaml",
        defenses=[{"name": "none"}, {"name": "noise"}, {"name": "dp2vl", "options": {"steps": 2}}],
    )
    finished = veilbench("run", suite, "--dry-run", "--json", folder=folder)
    misses = [stage["stage"] for stage in json.loads(finished.stdout)["stages"] if stage["state"] == "miss"]
    assert misses and all("dp2vl" in name for name in misses)


@pytest.mark.slow
def test_a_limited_run_has_its_own_folder_and_its_page_says_how_to_repeat_it(
    first_run: FirstRun, miniature: Miniature, tmp_path: Path
) -> None:
    result, folder = first_run
    before = (folder / result["page"]).read_bytes()
    store = ("--store", folder / ".veilbench")
    suite = miniature.changed(tmp_path / "short.yaml", defenses=[{"name": "none"}, {"name": "noise"}])
    asked = ("run", suite, "--limit", 2, "--seed", 1, *store, "--json")
    finished = veilbench(*asked, folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    page = Path(json.loads(finished.stdout)["page"])
    assert page == folder / ".veilbench" / "site" / "miniature-limit-2-seed-1" / "index.html"
    assert (folder / result["page"]).read_bytes() == before
    assert "Only the first 2 people" in page.read_text()
    for run_page in page.parent.glob("runs/*.html"):
        (command,) = re.findall(r"<pre><code>(veilbench .*)</code></pre>", run_page.read_text())
        assert command == "veilbench run short.yaml --limit 2 --seed 1"
    repeated = veilbench(*command.split()[1:], "--dry-run", "--json", *store, folder=tmp_path)
    assert {stage["state"] for stage in json.loads(repeated.stdout)["stages"]} == {"hit"}


def test_a_limit_that_leaves_nobody_out_is_not_disclosed(first_run: FirstRun, miniature: Miniature) -> None:
    result, folder = first_run
    finished = veilbench("run", miniature.suite, "--limit", 3, "--json", folder=folder)
    again = json.loads(finished.stdout)
    assert all(run["cached"] for run in again["runs"])
    assert "Only the first" not in (folder / again["page"]).read_text()
    for one, other in zip(result["records"], again["records"], strict=True):
        assert (folder / one).read_bytes() == (folder / other).read_bytes()


def test_a_table_for_people_ends_with_the_page(first_run: FirstRun, miniature: Miniature) -> None:
    result, folder = first_run
    finished = veilbench("run", miniature.suite, folder=folder)
    assert finished.stdout.rstrip().endswith(f"Page: {result['page']}")
    assert re.search(r"dp2vl .*naive", finished.stdout)


def test_a_photo_that_cannot_be_decoded_stops_before_anything_is_computed(miniature: Miniature, tmp_path: Path) -> None:
    from scenarios.dataset import load_dataset, save_dataset

    broken = load_dataset(str(miniature.dataset))
    broken.pairs.at[4, "image"] = broken.pairs.at[4, "image"][:60]
    save_dataset(broken, tmp_path / "broken")
    suite = miniature.changed(tmp_path / "broken.yaml", dataset=str(tmp_path / "broken"))
    finished = veilbench("run", suite, "--json", folder=tmp_path)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert broken.pairs.at[4, "pair_id"] in finished.stderr and "decoded" in finished.stderr
    assert ArtifactStore(tmp_path / ".veilbench").entries() == []


@pytest.mark.slow
def test_with_half_of_the_photos_protected_only_those_are_asked_protected(
    first_run: FirstRun, miniature: Miniature, tmp_path: Path
) -> None:
    _, folder = first_run
    defenses = [{"name": "noise"}]
    suite = miniature.changed(tmp_path / "half.yaml", ratios=[0.5], defenses=defenses)
    arguments = ("--json", "--store", folder / ".veilbench", "--out", tmp_path / "page")
    finished = veilbench("run", suite, *arguments, folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert [(run["defense"], run["ratio"], run["cached"]) for run in result["runs"]] == [
        ("none", 1.0, True), ("noise", 0.5, False),
    ]  # fmt: skip
    records = Path(tmp_path / result["page"]).parent / "records"
    noise = next(record for record in load_records(records) if record.spec.defense == "noise")
    views = load_rows(noise, records).groupby(["kind", "view"]).size()
    assert 0 < views["member", "protected"] < views["member", "clean"]
