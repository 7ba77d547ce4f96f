"""A stage that fails costs what rests on it and nothing else, where that was asked for."""

import json
import re
from pathlib import Path

import pytest
from miniature_world import ROOT, Miniature, veilbench

from bench.core.store import ArtifactStore
from leaderboard.records import load_records

BROKEN = """
from veilbench import Defense

class Broken(Defense):
    '''Fails on every photo.'''
    def perturb(self, photos, context):
        raise RuntimeError(f"no idea what to do with {photos[0].photo_id}")
"""


@pytest.fixture
def outside(tmp_path: Path) -> str:
    """A search path with another distribution's defense that fails."""
    (tmp_path / "far_broken.py").write_text(BROKEN)
    information = tmp_path / "far-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[veilbench.defenses]\nbroken = far_broken:Broken\n")
    return f"{tmp_path}:{ROOT}:{ROOT / 'tests'}"


@pytest.fixture
def suite(miniature: Miniature, tmp_path: Path) -> Path:
    """The miniature suite with the broken defense between two that work."""
    defenses = [{"name": "none"}, {"name": "broken"}, {"name": "noise"}]
    return miniature.changed(tmp_path / "broken.yaml", defenses=defenses)


@pytest.mark.slow
def test_a_failure_stops_the_run_unless_it_is_to_go_on(
    outside: str, suite: Path, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    store = first_run[1] / ".veilbench"  # where all but the broken defense is cached
    arguments = ("run", suite, "--json", "--store", store, "--out", tmp_path / "page")
    stopped = veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert "the stage 'protect broken' failed: RuntimeError: no idea what to do with" in stopped.stderr
    assert not (tmp_path / "page").exists()

    finished = veilbench(*arguments, "--keep-going", folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 1 and finished.stdout, finished.stderr
    result = json.loads(finished.stdout)
    assert [(run["label"], run["attack"]) for run in result["runs"]] == [("none", "naive"), ("noise", "naive")]
    [missing], [failure] = result["missing"], result["failures"]
    assert (missing["label"], missing["attack"]) == ("broken", "naive")
    assert failure["stage"] == "protect broken" and "no idea what to do with" in failure["reason"]
    assert re.search(r"1 of \d+ stages failed and 1 run is missing because of it", finished.stderr)
    assert {record.spec.defense for record in load_records(tmp_path / "page" / "records")} == {"none", "noise"}
    page = Path(result["page"]).read_text()
    assert "broken" in page and "no idea what to do with" in page
    assert ArtifactStore(store).verify() == []


def test_the_environment_can_ask_for_it_and_a_table_lists_what_failed(
    outside: str, suite: Path, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    environment = {
        "PYTHONPATH": outside,
        "VEILBENCH_KEEP_GOING": "1",
        "VEILBENCH_STORE": str(first_run[1] / ".veilbench"),
        "VEILBENCH_WORKERS": "1",
    }
    finished = veilbench("run", suite, "--out", tmp_path / "page", folder=tmp_path, **environment)
    assert finished.returncode == 1
    assert "Failed: protect broken: " in finished.stdout
    assert "1 worker" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_where_nothing_has_a_result_there_is_no_page(
    outside: str, miniature: Miniature, first_run: tuple[dict[str, object], Path], tmp_path: Path
) -> None:
    evaluator = "from veilbench import Evaluator\nclass Sad(Evaluator):\n    subject = 'answers'\n    metrics = ()\n"
    evaluator += "    def measure(self, rows):\n        raise RuntimeError('cannot measure')\n"
    (tmp_path / "far_sad.py").write_text(evaluator)
    with (tmp_path / "far-1.0.dist-info" / "entry_points.txt").open("a") as points:
        points.write("[veilbench.evaluators]\nsad = far_sad:Sad\n")
    suite = miniature.changed(tmp_path / "sad.yaml", defenses=[{"name": "none"}], evaluators=["leakage", "sad"])
    arguments = ("run", suite, "--json", "--store", first_run[1] / ".veilbench", "--keep-going")
    arguments += ("--out", tmp_path / "page")
    finished = veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "no run of suite miniature has a result" in finished.stderr and "cannot measure" in finished.stderr
    assert not (tmp_path / "page").exists()
