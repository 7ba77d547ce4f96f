"""Digests: equal content gives equal digests, and every change of content another one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.core.digests import (
    digest_bytes,
    digest_code,
    digest_file,
    digest_frame,
    digest_json,
    digest_tree,
    short,
)


@dataclass(frozen=True)
class Colour:
    name: str
    levels: tuple[int, int, int]


def test_bytes_and_files_have_the_sha256_of_their_content(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"pixels")
    assert digest_bytes(b"pixels") == digest_file(tmp_path / "photo.png") == hashlib.sha256(b"pixels").hexdigest()
    assert short(digest_bytes(b"pixels")) == hashlib.sha256(b"pixels").hexdigest()[:12]


def test_json_digest_is_pinned_because_published_run_digests_rest_on_it() -> None:
    assert digest_json({"b": [1, 2.5, None], "a": "é"}) == digest_bytes(rb'{"a":"\u00e9","b":[1,2.5,null]}')


def test_json_digest_ignores_key_order_and_container_type() -> None:
    assert digest_json({"a": 1, "b": (2, 3)}) == digest_json({"b": [2, 3], "a": 1})
    assert digest_json({"paint": Colour("red", (255, 0, 0))}) == digest_json(
        {"paint": {"name": "red", "levels": [255, 0, 0]}}
    )


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (1, "1"), (None, "null"), ([], {}), ([1, 2], [2, 1])])
def test_json_digest_tells_values_apart(one: Any, other: Any) -> None:
    assert digest_json(one) != digest_json(other)


@pytest.mark.parametrize("value", [float("nan"), {"x": [float("inf")]}])
def test_json_digest_refuses_numbers_that_are_none(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_json(value)


@pytest.mark.parametrize("value", [{1: "a"}, {"x": {2: "b"}}, {"path": Path("a")}, {1, 2}, b"bytes", Colour])
def test_json_digest_refuses_values_that_json_would_blur(value: Any) -> None:
    with pytest.raises(TypeError):
        digest_json(value)


def test_tree_digest_covers_names_and_bytes_but_no_caches(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "weights").write_bytes(b"1")
    (folder / "config").write_bytes(b"2")
    before = digest_tree(folder)

    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"3")
    assert digest_tree(folder) == before
    assert digest_tree(folder.rename(tmp_path / "elsewhere")) == before

    folder = tmp_path / "elsewhere"
    (folder / "config").write_bytes(b"1")
    changed = digest_tree(folder)
    (folder / "config").rename(folder / "settings")
    assert len({before, changed, digest_tree(folder)}) == 3


def test_tree_digest_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        digest_tree(tmp_path / "nothing")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An import package whose import would fail: its code must be found without running it."""
    folder = tmp_path / "frail_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "home.yaml").write_text("id: home\n")
    (folder / "picture.png").write_bytes(b"1")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_code_digest_covers_python_and_yaml_without_importing(package: Path) -> None:
    before = digest_code(["frail_package"])
    (package / "picture.png").write_bytes(b"2")
    assert digest_code(["frail_package"]) == before
    (package / "home.yaml").write_text("id: house\n")
    after_yaml = digest_code(["frail_package"])
    (package / "extra.py").write_text("x = 1\n")
    assert len({before, after_yaml, digest_code(["frail_package"])}) == 3


def test_code_digest_of_modules_and_several_packages() -> None:
    assert digest_code(["bench.core", "bench.core.digests"]) == digest_code(["bench.core"])
    assert digest_code(["bench.core.digests"]) != digest_code(["bench.core.errors"])


def test_code_digest_refuses_an_unknown_package() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        digest_code(["no_such_package"])


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "probe_id": ["p1", "p2"],
            "image": [b"\x89PNG1", b"\x89PNG2"],
            "options": [["dog", "cat"], []],
            "option_logprobs": [[-0.5, -np.inf], []],
            "note": ["x", None],
            "choice": [1, -1],
            "correct": [True, False],
        }
    )


def test_frame_digest_survives_parquet(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_parquet(tmp_path / "probes.parquet")
    assert digest_frame(pd.read_parquet(tmp_path / "probes.parquet")) == digest_frame(frame)


def test_frame_digest_ignores_index_and_column_order(frame: pd.DataFrame) -> None:
    reordered = frame[frame.columns[::-1]].set_index(pd.Index([7, 8]))
    assert digest_frame(reordered) == digest_frame(frame)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("image", b"\x89PNG3"),
        ("options", ["cat", "dog"]),
        ("option_logprobs", [-0.5, np.inf]),
        ("note", None),
        ("choice", 2),
        ("correct", False),
        ("probe_id", "p3"),
    ],
)
def test_frame_digest_sees_every_cell(frame: pd.DataFrame, column: str, value: Any) -> None:
    before = digest_frame(frame)
    frame.at[0, column] = value
    assert digest_frame(frame) != before


def test_frame_digest_sees_names_and_order_of_rows(frame: pd.DataFrame) -> None:
    variants = [frame, frame.iloc[::-1], frame.iloc[:1], frame.iloc[:0], frame.rename(columns={"note": "remark"})]
    assert len({digest_frame(variant) for variant in variants}) == len(variants)


def test_frame_digest_refuses_repeated_columns_and_odd_cells() -> None:
    with pytest.raises(ValueError, match="repeated column"):
        digest_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(TypeError):
        digest_frame(pd.DataFrame({"day": [pd.Timestamp("2020-01-01")]}))
