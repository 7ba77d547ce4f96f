"""The artifact store: every result is kept under the digest of what it was computed from.

Folders below the root::

    objects/<stage>/<key>/       complete artifacts, each with its manifest.json
    costs/<stage>/<key>.json     what computing it cost: seconds, memory; never part of an artifact
    partial/<stage>-<key>/       an artifact under way; left behind only by a killed process
    locks/                       empty files that running processes hold locks on
    code/<digest>.json           the modules behind a code digest, to explain why a stage is not in the store
    kept/                        what saves time and may vanish at any moment: no result rests on it

An artifact appears in ``objects`` in one rename, after its manifest was written and everything reached the disk.
So a process may be killed at any moment: what is in ``objects`` is complete, and the rest is cleared later.
"""

import json
import re
import shutil
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.cost import measured_cost
from bench.core.digests import digest_json, digest_plain, to_plain
from bench.core.disk import means_full_disk, obstacle
from bench.core.errors import StoreBusyError, StoreFullError, UsageError, VeilBenchError
from bench.core.files import flush, flush_tree, write_whole
from bench.core.locks import file_lock
from bench.core.manifest import MANIFEST_NAME, damaged_files, missing_files, read_manifest, write_manifest

Produce = Callable[[Path], Mapping[str, float] | None]
"""Writes an artifact's files into the empty folder it is given, and returns what it cost (or None)."""

STAGE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Artifact:
    """A complete artifact: ``path`` is its folder, ``hit`` whether it was there already."""

    stage: str
    key: str
    path: Path
    hit: bool


@dataclass(frozen=True)
class StoredArtifact:
    """A complete artifact as listed: ``size`` is the number of bytes of its files, the manifest left out."""

    stage: str
    key: str
    path: Path
    size: int


class ArtifactStore:
    """Computes every artifact once, for any number of processes that share the folder ``root``.

    Constructing a store touches nothing; folders are made by the first ``compute``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def key(self, stage: str, inputs: Mapping[str, Any]) -> str:
        """Return the key of what ``stage`` makes of ``inputs``, 64 hexadecimal characters.

        ``inputs`` must name all that the result depends on: code digest, configuration, the keys or digests of
        what it reads, seeds. Raises ``ValueError`` for a stage name that is no file name, and as ``digest_json``.
        """
        return plain_key(stage, to_plain(inputs))

    def find(self, stage: str, key: str) -> Path | None:
        """Return the folder of a complete artifact, or None where it is missing or a file of it is."""
        folder = self._object(stage, key)
        manifest = read_manifest(folder)
        if manifest is None or (manifest.stage, manifest.key) != (stage, key) or missing_files(folder, manifest):
            return None
        return folder

    def compute(self, stage: str, inputs: Mapping[str, Any], produce: Produce) -> Artifact:
        """Return the artifact of ``inputs``, calling ``produce`` only where no process has made it before.

        A process that finds another one at the same artifact waits for it. Costs that ``produce`` returns are
        kept beside the artifact, with ``seconds`` and ``peak_memory_bytes`` measured where it gives none.
        Whatever ``produce`` raises, KeyboardInterrupt included, passes on and leaves nothing half-written.
        Raises ``StoreFullError`` where the disk is full, ``ValueError`` for a bad stage name or artifact, and as
        ``check_writable`` before ``produce`` is called.
        """
        key = self.key(stage, inputs)
        found = self.find(stage, key)
        if found is None:
            self.check_writable([stage])
            with self._full_disk_explained(), self.in_use(), file_lock(self._lock(stage, key)):
                found = self.find(stage, key)  # the process that we waited for may have made it
                if found is None:
                    return Artifact(stage, key, self._make(stage, key, inputs, produce), hit=False)
        return Artifact(stage, key, found, hit=True)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep ``collect`` in every process from removing artifacts. A run holds this from its plan to its end.

        Whoever may not even read the lock of somebody else's store uses that store without.
        """
        with file_lock(self._store_lock, shared=True, needed=False):
            yield

    @property
    def is_there(self) -> bool:
        """Whether the folder holds a store."""
        return self._store_lock.is_file() or any(self.root.glob(f"objects/*/*/{MANIFEST_NAME}"))

    def check_there(self) -> None:
        """Raise UsageError where the folder holds no store, or is not there."""
        if not self.is_there:
            raise UsageError(f"There is no artifact store in {self.root}: name one with --store or VEILBENCH_STORE.")

    def check_writable(self, stages: Iterable[str]) -> None:
        """Raise VeilBenchError, which says whose the store is, where no artifacts of these stages can be added."""
        own = [self.root / name for name in ("locks", "partial", "kept", "code")]
        for folder in [*own, *(self.root / part / stage for stage in stages for part in ("objects", "costs"))]:
            found = obstacle(folder)
            if found:
                raise VeilBenchError(
                    f"The artifact store {self.root} lacks what is needed and cannot take it, since {found}: "
                    "name another one with --store or VEILBENCH_STORE; a copy of this one has all that is in it."
                )

    def costs(self, stage: str, key: str) -> dict[str, float]:
        """Return what computing an artifact cost; empty where nothing is known."""
        try:
            content = json.loads(self._costs(stage, key).read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def kept(self) -> Path:
        """Folder for what saves time and may vanish at any moment; ``collect`` empties it."""
        return self.root / "kept"

    def estimate(self, stage: str) -> float | None:
        """Return the median seconds that earlier artifacts of a stage took, or None where there were none."""
        keys = [path.stem for path in (self.root / "costs" / stage).glob("*.json")]
        seconds = [costs["seconds"] for costs in (self.costs(stage, key) for key in keys) if "seconds" in costs]
        return statistics.median(seconds) if seconds else None

    def entries(self) -> list[StoredArtifact]:
        """Return all complete artifacts, ordered by stage and key."""
        entries = []
        for folder in self._folders("objects/*/*"):
            stage, key = folder.parent.name, folder.name
            manifest = read_manifest(folder)
            if manifest is not None and self.find(stage, key) is not None:
                entries.append(StoredArtifact(stage, key, folder, sum(manifest.sizes.values())))
        return entries

    def verify(self) -> list[str]:
        """Read every file and return one sentence for each fault; an empty list means that all is well.

        Faults are damaged manifests, files that are missing, changed or too many, artifacts under a wrong key,
        and partial folders that a killed process left (not those of a process at work).
        """
        findings = [fault for folder in self._folders("objects/*/*") for fault in _faults(folder)]
        abandoned = [folder for folder in self._folders("partial/*") if not self._is_under_way(folder)]
        return findings + [f"{folder}: left half-written by a killed process" for folder in abandoned]

    def collect(self, keep: Set[str] | None) -> int:
        """Remove damaged and half-written artifacts, and those whose key is not in ``keep``; return bytes freed.

        None keeps every sound one. Damage is what ``verify`` finds: each file that may stay is read. Costs stay,
        since estimates rest on them. Raises ``StoreBusyError`` while a process uses the store, and ``VeilBenchError``
        where it may only be read.
        """
        if not self.root.is_dir():
            return 0
        found = obstacle(self.root / "locks")
        if found:
            raise VeilBenchError(f"Nothing can be removed from the artifact store {self.root}: {found}.")
        try:
            with file_lock(self._store_lock, wait=False):
                return self._collect(keep)
        except BlockingIOError as error:
            raise StoreBusyError(
                f"The artifact store {self.root} is in use by a run: nothing was removed, try again when it has ended."
            ) from error

    def _collect(self, keep: Set[str] | None) -> int:
        doomed = [
            folder
            for folder in self._folders("objects/*/*")
            if (keep is not None and folder.name not in keep) or _faults(folder)
        ]
        freed = 0
        for folder in [*self._folders("partial/*"), *self._folders("kept/*"), *doomed]:
            freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            self._discard(folder)
        # No process can hold or await these: each takes the store's lock, which is ours now, before any of them.
        for lock in (self.root / "locks").glob("*-*.lock"):
            lock.unlink()
        return freed

    def _make(self, stage: str, key: str, inputs: Mapping[str, Any], produce: Produce) -> Path:
        """Compute an artifact whose lock we hold, and return its folder."""
        partial, final = self.root / "partial" / f"{stage}-{key}", self._object(stage, key)
        for left_over in (partial, final):
            self._discard(left_over)
        partial.mkdir(parents=True)
        try:
            with self._full_disk_explained():
                with measured_cost() as cost:
                    reported = produce(partial) or {}
                write_manifest(partial, stage, key, inputs)
                flush_tree(partial)
                # Costs come first: killed in between, we leave costs without an artifact, which do no harm.
                self._write_costs(stage, key, {**cost, **reported})
                final.parent.mkdir(parents=True, exist_ok=True)
                partial.rename(final)
                flush(final.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return final

    def _discard(self, folder: Path) -> None:
        """Remove a folder; one of an artifact vanishes at once, so that no reader sees half of it."""
        if not folder.exists():
            return
        doomed = folder
        if folder.parent.name not in ("partial", "kept"):
            doomed = self.root / "partial" / f"{folder.parent.name}-{folder.name}"
            doomed.parent.mkdir(exist_ok=True)
            folder.rename(doomed)
        shutil.rmtree(doomed)

    def _is_under_way(self, partial: Path) -> bool:
        lock = self.root / "locks" / f"{partial.name}.lock"
        try:
            with self.in_use(), file_lock(lock, wait=False, needed=False):
                return False
        except BlockingIOError:
            return True

    @contextmanager
    def _full_disk_explained(self) -> Iterator[None]:
        try:
            yield
        except VeilBenchError:
            raise
        except Exception as error:
            if not means_full_disk(error, self.root):
                raise
            raise StoreFullError(
                f"The disk under the artifact store {self.root} is full: free space on it, for example with "
                "`veilbench store gc SUITE` (keeps only what that suite needs), or set VEILBENCH_STORE to a folder on "
                "a larger disk, and run again."
            ) from error

    def _folders(self, pattern: str) -> list[Path]:
        return sorted(path for path in self.root.glob(pattern) if path.is_dir())

    def _object(self, stage: str, key: str) -> Path:
        return self.root / "objects" / stage / key

    def _costs(self, stage: str, key: str) -> Path:
        return self.root / "costs" / stage / f"{key}.json"

    def _write_costs(self, stage: str, key: str, costs: Mapping[str, float]) -> None:
        path = self._costs(stage, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(costs, sort_keys=True) + "\n").encode())

    @property
    def _store_lock(self) -> Path:
        return self.root / "locks" / "store.lock"

    def _lock(self, stage: str, key: str) -> Path:
        return self.root / "locks" / f"{stage}-{key}.lock"


def _faults(folder: Path) -> list[str]:
    """One sentence for each fault of an artifact's folder; reads every file."""
    manifest = read_manifest(folder)
    if manifest is None:
        return [f"{folder}: manifest missing or damaged"]
    faults = damaged_files(folder, manifest)
    if folder.name != _key(folder.parent.name, manifest.inputs):
        faults.append(f"{folder}: the key is not that of the inputs in its manifest")
    return faults


def plain_key(stage: str, inputs: Mapping[str, Any]) -> str:
    """Return ``ArtifactStore.key`` of inputs that are plain JSON values already: a plan has thousands."""
    if not STAGE_NAME.fullmatch(stage):
        raise ValueError(f"a stage name is lower-case letters, digits, - and _, not {stage!r}")
    return digest_plain({"stage": stage, "inputs": inputs})


def _key(stage: str, inputs: Mapping[str, Any]) -> str:
    return digest_json({"stage": stage, "inputs": inputs})
