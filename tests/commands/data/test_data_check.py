"""Checking a dataset by name or folder, with a target's features as recogniser."""

import numpy as np
import pytest
from miniature_world import make_dataset, write_checkpoint

from bench.commands.data.checking import Recogniser, check_dataset, lines
from bench.core.errors import DataError, UsageError, VeilBenchError
from bench.core.progress import quiet
from scenarios.dataset import load_dataset, save_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "miniature"
    save_dataset(make_dataset(5), folder)
    return str(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return str(folder)


def test_the_recogniser_gives_one_row_a_photo_whatever_their_sizes(folder, checkpoint):
    from io import BytesIO

    from PIL import Image

    images = list(load_dataset(folder).pairs["image"].head(3))
    buffer = BytesIO()
    Image.open(BytesIO(images[1])).resize((50, 40)).save(buffer, "PNG")
    recognise = Recogniser(checkpoint)
    features = recognise([images[0], buffer.getvalue(), images[2]])
    assert features.shape == (3, 16)
    assert np.allclose(features[[0, 2]], recognise([images[0], images[2]]), atol=1e-5)
    assert not np.allclose(features[0], features[1], atol=1e-3)


def test_a_folder_is_checked_and_told_by_lines(folder, checkpoint):
    report = check_dataset(folder, [], checkpoint, quiet())
    told = lines(report)
    assert report.errors == 0
    assert report.figures["majority_guesser"] == pytest.approx(0.2)
    assert "auc" in report.figures
    assert "figure  majority_guesser: 0.2" in told
    assert len(told) == len(report.findings) + len(report.figures)
    assert [line.split()[0] for line in told] == sorted(
        (line.split()[0] for line in told), key=["error", "warning", "note", "figure"].index
    )


def test_a_dataset_shares_everything_with_itself(folder):
    report = check_dataset(folder, [folder], None, quiet())
    assert report.figures["photos_shared_with miniature"] == report.figures["photos"]
    assert report.errors == report.figures["photos"]
    assert sum(line.startswith("warning overlap people") for line in lines(report)) == 10


def test_a_dataset_that_does_not_load_is_a_finding(folder, tmp_path):
    save_dataset(load_dataset(folder), tmp_path)
    (tmp_path / "pairs.parquet").write_bytes(b"nothing")
    told = lines(check_dataset(str(tmp_path), [], None, quiet()))
    assert len(told) == 1 and told[0].startswith("error   schema pairs pair_id: ")
    with pytest.raises(DataError, match="pairs"):
        check_dataset(folder, [str(tmp_path)], None, quiet())


def test_unknown_names_are_wrong_use_before_any_work(folder):
    with pytest.raises(UsageError, match="unknown dataset 'veilbench-mimi'"):
        check_dataset("veilbench-mimi", [], None, quiet())
    with pytest.raises(UsageError, match="unknown checkpoint 'tiny-lava'"):
        check_dataset(folder, [], "tiny-lava", quiet())
    with pytest.raises(UsageError, match="unknown dataset 'no-such'"):
        check_dataset(folder, ["no-such"], None, quiet())


def test_the_shipped_dataset_has_no_error():
    report = check_dataset("veilbench-mini", [], None, quiet())
    assert [line for line in lines(report) if line.startswith("error")] == []


def test_a_hub_that_cannot_be_reached_is_no_finding(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(VeilBenchError, match="cannot be reached"):
        check_dataset("somebody/photos@main", [], None, quiet())
