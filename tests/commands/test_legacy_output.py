"""Output that cannot show every name, or that nobody reads: the work and the exit code are what they would be."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from miniature_world import Miniature, command, environment_for, veilbench
from volunteers import write_volunteers

from scenarios.dataset import load_dataset

NAME = "王小明"
LEGACY = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "utf-8": {"PYTHONIOENCODING": "utf-8"},
}
FOLDERS = {"cp1252": NAME, "C": "people", "utf-8": NAME}
"""Where a locale has no word for it, a folder cannot be named."""
MOSTLY_SLOW = ["cp1252", *(pytest.param(encoding, marks=pytest.mark.slow) for encoding in ("C", "utf-8"))]


def data(encoding: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """What ``veilbench data`` gives, in bytes."""
    return subprocess.run(
        command("data", *arguments),
        cwd=folder,
        env=environment_for(LEGACY[encoding]),
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("encoding", MOSTLY_SLOW)
def test_a_dataset_is_built_checked_described_and_shown(encoding: str, tmp_path: Path) -> None:
    write_volunteers(tmp_path / "photos")
    table = tmp_path / "photos" / "metadata.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("Mila Korst", NAME), encoding="utf-8")
    tables = FOLDERS[encoding]
    for arguments, said in (
        (("build", "photos", "-o", "licence=CC0-1.0", "--out", tables), f"{tables}: 3 people, 4 pairs"),
        (("check", tables, "--recogniser", "none"), "figure  people: 2"),
        (("card", tables), f"Card: {tables}"),
        (("view", tables, "--out", "gallery"), "Gallery: gallery"),
    ):
        done = data(encoding, tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        shown = said.encode("cp1252" if encoding == "cp1252" else "utf-8", "backslashreplace")
        assert shown in done.stdout
    assert NAME in set(load_dataset(str(tmp_path / tables)).people["name"])
    assert NAME in (tmp_path / "gallery" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", LEGACY)
def test_an_error_names_what_it_can(encoding: str, tmp_path: Path) -> None:
    done = data(encoding, tmp_path, "check", NAME)
    assert done.returncode == 2 and b"unknown dataset" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", MOSTLY_SLOW)
def test_a_suite_is_run_and_its_json_read(
    encoding: str, first_run: tuple[dict[str, Any], Path], miniature: Miniature, tmp_path: Path
) -> None:
    store, out = first_run[1] / ".veilbench", tmp_path / FOLDERS[encoding]
    arguments = ("run", miniature.suite, "--store", store, "--out", out)
    finished = veilbench(*arguments, "--json", folder=tmp_path, **LEGACY[encoding])
    assert finished.returncode == 0, finished.stderr
    assert Path(json.loads(finished.stdout)["page"]) == out / "index.html"
    table = veilbench(*arguments, folder=tmp_path, **LEGACY[encoding])
    assert table.returncode == 0 and "dp2vl" in table.stdout and "Traceback" not in table.stderr


def test_a_folder_whose_name_is_no_text_is_refused_before_any_work(tmp_path: Path) -> None:
    write_volunteers(tmp_path / "photos")
    done = data("utf-8", tmp_path, "build", "photos", "-o", "licence=CC0-1.0", "--out", "caf\udce9")
    assert done.returncode == 2 and b"is no name in UTF-8" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("redirection", "code"), [("| head -1", 0), (">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("2>&1 | head -1", 0)]
)
def test_output_that_nobody_reads_is_no_reason_for_a_traceback(redirection: str, code: int, tmp_path: Path) -> None:
    shell = f"{' '.join(command('list', 'defenses'))} {redirection}"
    done = subprocess.run(
        ["sh", "-c", shell], cwd=tmp_path, env=environment_for({}), capture_output=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (code, b"")
