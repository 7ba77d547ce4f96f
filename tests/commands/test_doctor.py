"""What the doctor finds, and what it advises."""

from pathlib import Path

import pytest
from miniature_world import veilbench

from bench.commands import doctor
from bench.core.device import detect_device


def by_part(states: list[doctor.PartState]) -> dict[str, doctor.PartState]:
    """The parts by name."""
    return {one.part: one for one in states}


def test_installed_packages_are_found_with_their_versions(tmp_path: Path) -> None:
    import numpy

    found = by_part(doctor.examine(tmp_path))
    assert (found["numpy"].state, found["numpy"].found) == ("ok", numpy.__version__)
    assert found["python"].state == "ok"


def test_what_shipped_suites_need_is_told_once(tmp_path: Path) -> None:
    parts = [one.part for one in doctor.examine(tmp_path)]
    assert len(parts) == len(set(parts))
    assert {"checkpoint tiny-llava", "dataset veilbench-mini", "diffusion model"} <= set(parts)


def test_a_missing_optional_part_says_what_it_would_enable_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = by_part(doctor.examine(tmp_path))
    for part in ("vllm", "git", "chromium", "cuda"):
        assert found[part].state == "missing"
        assert found[part].advice.startswith("would enable ")
        assert ": " in found[part].advice


def test_commands_on_the_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "vllm"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert by_part(doctor.examine(tmp_path))["vllm"].found == str(command)


def test_optional_parts_may_be_missing_and_core_parts_may_not() -> None:
    there = doctor.PartState("numpy", True, "ok", "2")
    assert doctor.is_usable([there, doctor.PartState("vllm", False, "missing", "-")])
    assert doctor.is_usable([there, doctor.PartState("store", True, "warning", "little space")])
    assert not doctor.is_usable([there, doctor.PartState("torch", True, "missing", "-")])


def test_space_is_told_for_a_store_that_does_not_exist_yet(tmp_path: Path) -> None:
    finding = by_part(doctor.examine(tmp_path / "not" / "yet"))["store"]
    assert "GB free" in finding.found
    assert not (tmp_path / "not").exists()


def test_without_a_visible_device_there_is_only_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert detect_device() == "cpu"


def test_the_command_prints_every_part(tmp_path: Path) -> None:
    finished = veilbench("doctor", folder=tmp_path)
    for part in ("python", "torch", "mitsuba", "vllm", "store"):
        assert part in finished.stdout
