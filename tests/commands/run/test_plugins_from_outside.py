"""What the command line does with plugins of other distributions: it builds their data and checks their defenses."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from miniature_world import ROOT, Miniature, veilbench

from bench.commands.defense.checking import check_defense
from bench.core.errors import DataError
from bench.defenses.registry import defenses
from leaderboard.records import load_records
from leaderboard.schema import Record
from scenarios.dataset import check_images, load_dataset

BLOCKS = """
from miniature_world import make_dataset
from veilbench import Generator

class Blocks(Generator):
    '''Random blocks.'''
    source = "rendered"
    def names(self):
        return ("blocks",)
    def __init__(self, shade=0):
        self.shade = shade
    def build(self, order):
        (order.work / "finished").write_text("a photo")
        order.report(1, 1, f"{order.workers} workers, shade {self.shade}")
        if self.shade == "broken":
            raise RuntimeError("stopped")
        return make_dataset(order.limit or 3)
"""
DEFENSES = """
import numpy as np
from veilbench import Defense

class Careless(Defense):
    '''Global random numbers.'''
    def perturb(self, photos, context):
        return [(photo.pixels + np.random.randint(-4, 5, photo.pixels.shape)).astype(np.float32) for photo in photos]

class Clumsy(Defense):
    '''Photos that lose their colours.'''
    def perturb(self, photos, context):
        return [photo.pixels[..., 0] for photo in photos]

class Overrun(Defense):
    '''Eight-bit numbers that run over.'''
    def perturb(self, photos, context):
        return [photo.pixels + np.uint8(6) for photo in photos]

class Faint(Defense):
    '''Values between 0 and 1.'''
    def perturb(self, photos, context):
        return [photo.pixels / 255 for photo in photos]
"""


@pytest.fixture
def outside(tmp_path: Path) -> str:
    """A search path with another distribution's photo source and four broken defenses on it."""
    (tmp_path / "far_blocks.py").write_text(BLOCKS)
    (tmp_path / "far_defenses.py").write_text(DEFENSES)
    information = tmp_path / "far-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[veilbench.generators]\nblocks = far_blocks:Blocks\n"
        "[veilbench.defenses]\n"
        "careless = far_defenses:Careless\nclumsy = far_defenses:Clumsy\n"
        "overrun = far_defenses:Overrun\nfaint = far_defenses:Faint\n"
        "Too Loud = far_defenses:Careless\n"
    )
    return f"{tmp_path}:{ROOT}:{ROOT / 'tests'}"


def test_a_dataset_is_built_saved_and_never_over_another(outside: str, tmp_path: Path) -> None:
    arguments = ("data", "build", "blocks", "--limit", 2, "--out", tmp_path / "mine", "--workers", 1)
    finished = veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 0, finished.stderr
    dataset = load_dataset(str(tmp_path / "mine"))
    check_images(dataset)
    assert len(dataset.persons("evaluation")) == 2
    assert dataset.digest in finished.stdout
    assert "1 workers" in finished.stderr and "1 workers" not in finished.stdout
    again = veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside)
    assert again.returncode == 2
    assert "is not an empty folder" in again.stderr
    pd.testing.assert_frame_equal(load_dataset(str(tmp_path / "mine")).pairs, dataset.pairs)


def test_the_default_folder_is_the_datasets_name(outside: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "blocks").mkdir(parents=True)  # an empty folder is no obstacle
    assert veilbench("data", "build", "blocks", "--limit", 1, folder=here, PYTHONPATH=outside).returncode == 0
    assert sorted(path.name for path in here.iterdir()) == ["blocks"]  # finished photos do not stay behind
    assert len(load_dataset(str(here / "blocks")).people) == 2


def test_options_reach_the_photo_source_and_unknown_ones_are_refused(outside: str, tmp_path: Path) -> None:
    arguments = ("data", "build", "anything", "--generator", "blocks", "--limit", 1, "--out", tmp_path / "mine")
    finished = veilbench(*arguments, "--option", "shade=7", folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 0, finished.stderr
    assert "shade 7" in finished.stderr
    for option, said in (("shadow=7", "did you mean 'shade'"), ("shade", "must be KEY=VALUE")):
        refused = veilbench(*arguments, "--option", option, folder=tmp_path, PYTHONPATH=outside)
        assert refused.returncode == 2
        assert said in refused.stderr


def test_photos_of_a_stopped_build_wait_for_the_same_order(outside: str, tmp_path: Path) -> None:
    arguments = ("data", "build", "blocks", "--out", tmp_path / "here" / "mine")
    (tmp_path / "here").mkdir()
    stopped = veilbench(*arguments, "--option", "shade=broken", folder=tmp_path, PYTHONPATH=outside)
    assert stopped.returncode == 1
    [waiting] = (tmp_path / "here").rglob("finished")
    assert waiting.read_text() == "a photo"
    again = veilbench(*arguments, "--option", "shade=broken", folder=tmp_path, PYTHONPATH=outside)
    assert again.returncode == 1 and list((tmp_path / "here").rglob("finished")) == [waiting]
    assert veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside).returncode == 0
    # The place is taken now: another order's photos could never go there.
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["mine"]


def test_an_unknown_dataset_names_the_nearest_of_all_sources(outside: str, tmp_path: Path) -> None:
    finished = veilbench("data", "build", "block", folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 2
    assert "unknown dataset 'block': did you mean 'blocks'" in finished.stderr
    assert "veilbench-mini" in finished.stderr
    assert not (tmp_path / "block").exists()


@pytest.mark.parametrize("name", defenses.names())
def test_shipped_defenses_keep_every_rule(name: str) -> None:
    checks = list(check_defense(name))
    assert [check.rule for check in checks] == ["options", "budget", "scale", "determinism", "order", "random state"]
    assert all(check.passed for check in checks), checks


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("careless", ["determinism", "order", "random state"]),
        ("overrun", ["scale"]),
        ("faint", ["budget", "scale", "determinism", "order", "random state"]),
        ("clumsy", ["budget", "scale", "determinism", "order", "random state"]),
    ],
)
def test_a_broken_rule_is_told_in_one_line_without_a_traceback(
    outside: str, tmp_path: Path, name: str, broken: list[str]
) -> None:
    finished = veilbench("defense", "check", name, folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 1
    told = [line[8:22].strip() for line in finished.stdout.splitlines() if line.startswith("broken")]
    assert told == broken
    assert len(finished.stdout.splitlines()) == 6
    assert f"the defense '{name}' breaks {len(broken)} of its rules" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_malformed_name_is_listed_with_the_reason(outside: str, tmp_path: Path) -> None:
    finished = veilbench("list", "defenses", folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 0, finished.stderr
    (line,) = [line for line in finished.stdout.splitlines() if line.startswith("Too Loud")]
    assert "cannot be used: far 1.0" in line and "lower-case" in line


def test_an_unknown_defense_names_the_nearest(tmp_path: Path) -> None:
    finished = veilbench("defense", "check", "nois", folder=tmp_path)
    assert finished.returncode == 2
    assert "did you mean 'noise'" in finished.stderr


def test_an_evaluator_is_asked_where_a_suite_names_it_and_changes_no_other_record(
    miniature: Miniature, first_run: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "suites.md").read_text()
    (example,) = [found for found in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "class Pets" in found]
    (tmp_path / "far_pets.py").write_text(example)
    information = tmp_path / "far-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[veilbench.evaluators]\npets = far_pets:Pets\n")
    outside = f"{tmp_path}:{ROOT}"
    store = ("--store", first_run[1] / ".veilbench")
    plain = veilbench("run", miniature.suite, "--dry-run", "--json", *store, folder=tmp_path, PYTHONPATH=outside)
    assert {stage["state"] for stage in json.loads(plain.stdout)["stages"]} == {"hit"}
    suite = miniature.changed(tmp_path / "pets.yaml", evaluators=["leakage", "pets"])
    arguments = ("run", suite, "--json", *store, "--out", tmp_path / "page")
    finished = veilbench(*arguments, folder=tmp_path, PYTHONPATH=outside)
    assert finished.returncode == 0, finished.stderr
    with pytest.raises(DataError, match="'pets' is not installed here"):
        load_records(tmp_path / "page" / "records")
    for path in json.loads(finished.stdout)["records"]:
        record = Record.model_validate_json(Path(path).read_bytes())
        assert {one.name for one in record.metrics} <= {"leakage", "zero", "excess", "leakage_open", "pets"}
        pets, leakage = record.metric("pets"), record.metric("leakage", "pet")
        assert pets is not None and leakage is not None and pets.value == leakage.value
