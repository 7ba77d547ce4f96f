"""What a notebook sees: ``veilbench.run`` and ``veilbench.protect``."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from miniature_world import Miniature
from PIL import Image

import veilbench

FirstRun = tuple[dict[str, Any], Path]


@pytest.fixture(scope="module")
def result(miniature: Miniature, first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The miniature suite, all of which is in the store."""
    store = first_run[1] / ".veilbench"
    return veilbench.run(str(miniature.suite), store=store, out=tmp_path_factory.mktemp("page"))


def test_the_table_is_a_frame_of_the_leaderboard(result: Any, first_run: FirstRun) -> None:
    table = result.table
    assert isinstance(table, pd.DataFrame)
    assert list(table["label"]) == ["none", "none", "noise", "dp2vl"] and table["attack"].iloc[0] == "base"
    printed = {(run["label"], run["attack"]): run for run in first_run[0]["runs"]}
    for row in table[table["attack"] != "base"].to_dict("records"):
        run = printed[row["label"], row["attack"]]
        assert row["leakage"] == run["leakage"] and row["leakage_low"] == run["leakage_ci95"][0]
        assert row["leakage_home"] == run["leakage_by_scenario"]["home"]
    assert table["leakage"].dtype.kind == table["zero"].dtype.kind == "f"


def test_the_headlines_are_a_frame_of_their_own(result: Any, first_run: FirstRun) -> None:
    told = result.headlines
    assert sorted(told["label"]) == ["dp2vl", "noise"] and set(told["target"]) == {first_run[0]["runs"][0]["target"]}
    assert {"leakage", "attack", "headline", "headline_low", "upper_bound", "remaining_naive"} <= set(told.columns)


def test_the_answers_are_one_frame_of_all_runs(result: Any) -> None:
    answers = result.answers
    assert set(answers["label"]) == {"none", "noise", "dp2vl"}
    assert {"question", "answer", "text", "choice_correct", "attack", "target"} <= set(answers.columns)
    leakage = answers[(answers["attack"] == "base") & (answers["kind"] == "held_out") & (answers["scenario"] != "name")]
    assert len(leakage) == 3 * 2 * 7


def test_it_shows_itself_as_a_table_and_knows_page_and_records(result: Any) -> None:
    shown = result._repr_html_()
    assert "<table" in shown and "dp2vl" in shown and str(result.page) in shown
    assert result.page.is_file() and len(result.records) == 4 and result.failures == {}


def test_a_suite_object_and_changes_do_not_go_together(miniature: Miniature) -> None:
    suite = veilbench.load_suite(str(miniature.suite))
    with pytest.raises(veilbench.UsageError, match="changes go with"):
        veilbench.run(suite, changes=["budget.eps=4"])
    with pytest.raises(veilbench.UsageError, match="unknown backend 'vlm'"):
        veilbench.run(suite, backend="vlm")


def test_photos_are_protected_within_the_budget(tmp_path: Path, checkpoint: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    [noisy] = veilbench.protect("noise", [tmp_path / "photo.png"], eps=3)
    assert noisy.largest_change == 3
    two = [veilbench.Photo("a", pixels), veilbench.Photo("b", pixels[::-1])]
    shifted = veilbench.protect("dp2vl", two, options={"steps": 1}, surrogates=[str(checkpoint)], eps=4)
    assert [one.photo_id for one in shifted] == ["a", "b"] and max(one.largest_change for one in shifted) <= 4


def test_a_file_that_is_no_photo_is_named(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"nothing")
    for name in ("photo.png", "absent.png"):
        with pytest.raises(veilbench.DataError, match=name):
            veilbench.protect("noise", [tmp_path / name])
