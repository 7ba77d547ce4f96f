"""A defense that cannot do with the photos of a dataset is refused before anything is computed."""

from pathlib import Path

import pytest
from miniature_world import Miniature, veilbench

from bench.commands.run.running import plan_suite
from bench.core.errors import UsageError
from bench.plan.suite import DefenseEntry, Suite
from bench.plan.suite_files import load_suite
from scenarios.dataset import Dataset, make_dataset, save_dataset


def without_boxes(dataset: Dataset, pair_ids: list[str], folder: Path) -> str:
    """The dataset, saved with no face box for these pairs."""
    boxes = [
        None if pair_id in pair_ids else list(box)
        for pair_id, box in zip(dataset.pairs["pair_id"], dataset.pairs["face_box"], strict=True)
    ]
    save_dataset(make_dataset("boxless", dataset.people, dataset.pairs.assign(face_box=boxes), dataset.probes), folder)
    return str(folder)


def suite_with(defense: str, dataset: str, miniature: Miniature) -> Suite:
    """The miniature suite with one defense on another dataset."""
    suite = load_suite(str(miniature.suite))
    return suite.model_copy(update={"dataset": dataset, "defenses": (DefenseEntry(name=defense),)})


def test_a_photo_without_a_face_box_stops_blur_and_nothing_else(
    miniature: Miniature, dataset: Dataset, tmp_path: Path
) -> None:
    last = dataset.pairs["pair_id"].iloc[-1]
    folder = without_boxes(dataset, [last], tmp_path / "boxless")
    said = rf"defense 'blur' needs face_box .* 1 of {len(dataset.pairs)} photos have none, '{last}' first"
    with pytest.raises(UsageError, match=said):
        plan_suite(suite_with("blur", folder, miniature), None)
    assert plan_suite(suite_with("noise", folder, miniature), None).runs
    # The person whose photo it is stays out.
    assert plan_suite(suite_with("blur", folder, miniature), 1).runs


def test_a_dry_run_tells_it_in_one_sentence(miniature: Miniature, dataset: Dataset, tmp_path: Path) -> None:
    folder = without_boxes(dataset, dataset.pairs["pair_id"].tolist(), tmp_path / "boxless")
    arguments = ("--set", f"dataset={folder}", "--set", "defenses=[{name: blur}]", "--dry-run")
    refused = veilbench("run", miniature.suite, *arguments, folder=tmp_path)
    assert refused.returncode == 2
    assert "defense 'blur' needs face_box" in refused.stderr
    assert "Traceback" not in refused.stderr
