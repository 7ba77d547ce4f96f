"""The artifact store in one process: hits, misses, costs, faults and clearing up."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.digests import digest_tree
from bench.core.errors import StoreBusyError, StoreFullError
from bench.core.store import Artifact, ArtifactStore

INPUTS = {"config": {"eps": 8.0}, "seed": 0}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def writing(content: bytes = b"content", **costs: float) -> Callable[[Path], dict[str, float]]:
    def produce(folder: Path) -> dict[str, float]:
        (folder / "inner").mkdir()
        (folder / "inner" / "result.bin").write_bytes(content)
        return costs

    return produce


def raising(error: BaseException) -> Callable[[Path], None]:
    def produce(folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"half")
        raise error

    return produce


def forbidden(folder: Path) -> None:
    raise AssertionError("an artifact that exists was computed again")


def assert_nothing_half_written(store: ArtifactStore) -> None:
    assert list((store.root / "partial").iterdir()) == []
    assert store.verify() == []


def test_the_second_computation_is_a_hit_with_the_same_folder(store: ArtifactStore) -> None:
    first = store.compute("protect", INPUTS, writing())
    second = store.compute("protect", INPUTS, forbidden)
    assert (first.hit, second.hit) == (False, True)
    assert first.path == second.path == store.find("protect", first.key)
    assert first.key == second.key == store.key("protect", INPUTS)
    assert (first.path / "inner" / "result.bin").read_bytes() == b"content"


def test_keys_differ_by_stage_and_by_every_input(store: ArtifactStore) -> None:
    variants = [("protect", INPUTS), ("quality", INPUTS), ("protect", {**INPUTS, "seed": 1}), ("protect", {})]
    assert len({store.key(stage, inputs) for stage, inputs in variants}) == len(variants)


def test_looking_things_up_touches_nothing(store: ArtifactStore) -> None:
    key = store.key("protect", INPUTS)
    assert store.find("protect", key) is None
    assert (store.costs("protect", key), store.estimate("protect")) == ({}, None)
    assert (store.entries(), store.verify(), store.collect(set())) == ([], [], 0)
    assert not store.root.exists()


@pytest.mark.parametrize("stage", ["", "../protect", "Protect", "a/b", ".hidden"])
def test_a_stage_name_must_be_a_file_name(store: ArtifactStore, stage: str) -> None:
    with pytest.raises(ValueError, match="stage name"):
        store.compute(stage, INPUTS, writing())


def test_equal_inputs_give_byte_identical_artifacts_whatever_they_cost(tmp_path: Path) -> None:
    digests = {
        digest_tree(ArtifactStore(tmp_path / name).compute("protect", INPUTS, writing(seconds_per_photo=cost)).path)
        for name, cost in (("one", 0.1), ("other", 0.9))
    }
    assert len(digests) == 1


def test_the_manifest_lists_inputs_and_digests(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    manifest = json.loads((artifact.path / "manifest.json").read_text())
    assert manifest == {
        "stage": "protect",
        "key": artifact.key,
        "inputs": INPUTS,
        "files": {"inner/result.bin": "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"},
        "sizes": {"inner/result.bin": 7},
    }


def test_costs_stand_beside_the_artifact_and_give_estimates(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing(seconds_per_photo=0.25))
    costs = store.costs("protect", artifact.key)
    assert costs["seconds_per_photo"] == 0.25
    assert 0 < costs["seconds"] < 60
    assert 2**20 < costs["peak_memory_bytes"] < 2**40
    assert store.estimate("protect") == costs["seconds"]

    for seed, seconds in ((1, 100.0), (2, 300.0)):
        store.compute("protect", {"seed": seed}, writing(seconds=seconds))
    assert store.estimate("protect") == 100.0
    assert store.estimate("finetune") is None


def test_the_peak_is_that_of_the_stage_not_of_an_earlier_one(store: ArtifactStore) -> None:
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system keeps one peak for the life of a process")

    def produce_greedily(folder: Path) -> None:
        block = bytearray(os.urandom(1) * 200_000_000)
        (folder / "size").write_text(str(len(block)))

    greedy = store.compute("greedy", {}, produce_greedily)
    modest = store.compute("modest", {}, writing())
    peak = "peak_memory_bytes"
    assert store.costs("greedy", greedy.key)[peak] - store.costs("modest", modest.key)[peak] > 100_000_000


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(3)])
def test_whatever_produce_raises_passes_on_and_leaves_nothing(store: ArtifactStore, error: BaseException) -> None:
    with pytest.raises(type(error)):
        store.compute("protect", INPUTS, raising(error))
    assert store.entries() == []
    assert_nothing_half_written(store)
    assert not store.compute("protect", INPUTS, writing()).hit


def test_a_librarys_own_error_that_quotes_a_full_disk_says_so(store: ArtifactStore) -> None:
    def produce(folder: Path) -> None:
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(StoreFullError, match="is full: free space"):
        store.compute("finetune", {"seed": 0}, produce)
    assert store.verify() == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_explained(store: ArtifactStore, number: int) -> None:
    with pytest.raises(StoreFullError, match=f"{store.root} is full: free space"):
        store.compute("protect", INPUTS, raising(OSError(number, os.strerror(number))))
    assert_nothing_half_written(store)


def test_other_disk_errors_are_not_called_a_full_disk(store: ArtifactStore) -> None:
    with pytest.raises(PermissionError):
        store.compute("protect", INPUTS, raising(PermissionError(errno.EACCES, "denied")))


def write_own_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


def write_link(folder: Path) -> None:
    (folder / "weights").symlink_to("/etc/hostname")


def test_a_stage_must_not_write_the_manifest_or_links(store: ArtifactStore) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json, which is the store's own"):
        store.compute("protect", INPUTS, write_own_manifest)
    with pytest.raises(ValueError, match="symbolic link weights"):
        store.compute("protect", INPUTS, write_link)
    assert store.entries() == []
    assert_nothing_half_written(store)


def remove_manifest(artifact: Artifact) -> None:
    (artifact.path / "manifest.json").unlink()


def empty_manifest(artifact: Artifact) -> None:
    (artifact.path / "manifest.json").write_text("{}")


def cut_manifest(artifact: Artifact) -> None:
    content = (artifact.path / "manifest.json").read_bytes()
    (artifact.path / "manifest.json").write_bytes(content[: len(content) // 2])


def remove_file(artifact: Artifact) -> None:
    (artifact.path / "inner" / "result.bin").unlink()


def cut_file(artifact: Artifact) -> None:
    (artifact.path / "inner" / "result.bin").write_bytes(b"con")


@pytest.mark.parametrize("damage", [remove_manifest, empty_manifest, cut_manifest, remove_file, cut_file])
def test_a_damaged_artifact_is_found_reported_and_replaced(
    store: ArtifactStore, damage: Callable[[Artifact], Any]
) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    damage(artifact)
    assert store.find("protect", artifact.key) is None
    assert store.entries() == []
    assert [str(artifact.path) in finding for finding in store.verify()] == [True]

    assert not store.compute("protect", INPUTS, writing()).hit
    assert store.find("protect", artifact.key) == artifact.path
    assert store.verify() == []


def test_verify_reads_every_byte_and_sees_strangers(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    (artifact.path / "inner" / "result.bin").write_bytes(b"CONTENT")
    (artifact.path / "stray.bin").write_bytes(b"")
    changed, stray = store.verify()
    assert "result.bin: content does not match" in changed
    assert "stray.bin: not in the manifest" in stray


def test_verify_sees_inputs_that_belong_to_another_key(store: ArtifactStore) -> None:
    manifest = store.compute("protect", INPUTS, writing()).path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 0', '"seed": 1'))
    assert ["key is not that of the inputs" in finding for finding in store.verify()] == [True]


def test_entries_are_ordered_and_have_sizes(store: ArtifactStore) -> None:
    for stage, size in (("quality", 10), ("protect", 3000)):
        store.compute(stage, INPUTS, writing(b"x" * size))
    assert [(entry.stage, entry.size) for entry in store.entries()] == [("protect", 3000), ("quality", 10)]
    assert all(entry.path == store.find(entry.stage, entry.key) for entry in store.entries())


def test_collect_keeps_what_is_named_and_frees_the_rest(store: ArtifactStore) -> None:
    kept = store.compute("protect", {"seed": 0}, writing(b"x" * 1000))
    removed = store.compute("protect", {"seed": 1}, writing(b"x" * 5000))
    half_written = store.root / "partial" / removed.path.name
    half_written.mkdir()
    (half_written / "half.bin").write_bytes(b"x" * 300)

    manifest_size = (removed.path / "manifest.json").stat().st_size
    assert store.collect({kept.key}) == 5000 + manifest_size + 300
    assert [entry.key for entry in store.entries()] == [kept.key]
    assert_nothing_half_written(store)
    assert store.costs("protect", removed.key)["seconds"] > 0
    assert not store.compute("protect", {"seed": 1}, writing()).hit


def test_collect_removes_a_half_written_and_a_complete_artifact_of_one_key(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    half_written = store.root / "partial" / f"protect-{artifact.key}"
    half_written.mkdir()
    (half_written / "half.bin").write_bytes(b"half")
    store.collect(set())
    assert store.entries() == []
    assert_nothing_half_written(store)


def test_collect_without_names_removes_only_what_is_damaged_or_half_written(store: ArtifactStore) -> None:
    sound, lost, changed = (store.compute("protect", {"seed": seed}, writing()) for seed in range(3))
    remove_manifest(lost)
    (changed.path / "inner" / "result.bin").write_bytes(b"CONTENT")
    half_written = store.root / "partial" / "protect-0000"
    half_written.mkdir()
    assert store.collect(None) > 0
    assert [entry.key for entry in store.entries()] == [sound.key]
    assert store.verify() == []
    assert_nothing_half_written(store)


def test_collect_removes_damaged_artifacts_even_if_named(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    remove_manifest(artifact)
    store.collect({artifact.key})
    assert not artifact.path.exists()


def test_collect_refuses_while_the_store_is_in_use(store: ArtifactStore) -> None:
    artifact = store.compute("protect", INPUTS, writing())
    with store.in_use(), pytest.raises(StoreBusyError, match="in use by a run"):
        store.collect(set())
    assert store.find("protect", artifact.key) is not None
    assert store.collect(set()) > 0
