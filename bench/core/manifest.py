"""The manifest of an artifact: what it was computed from, and the digest of every file in it."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.digests import digest_file, to_plain

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``. ``files`` maps relative names to digests, ``sizes`` the same names to bytes.

    No time and no host stand in it: equal inputs give byte-identical manifests.
    """

    stage: str
    key: str
    inputs: Mapping[str, Any]
    files: Mapping[str, str]
    sizes: Mapping[str, int]


def write_manifest(folder: Path, stage: str, key: str, inputs: Mapping[str, Any]) -> None:
    """Describe the finished files of ``folder`` in its manifest.

    Raises ``ValueError`` where the folder holds a symbolic link or already a file of the manifest's name.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    for path in paths:
        if path.is_symlink():
            raise ValueError(f"an artifact must not hold the symbolic link {path.relative_to(folder)}")
        if path == folder / MANIFEST_NAME:
            raise ValueError(f"stage {stage!r} wrote a file {MANIFEST_NAME}, which is the store's own")
    manifest = Manifest(
        stage=stage,
        key=key,
        inputs=inputs,
        files={path.relative_to(folder).as_posix(): digest_file(path) for path in paths},
        sizes={path.relative_to(folder).as_posix(): path.stat().st_size for path in paths},
    )
    text = json.dumps(to_plain(manifest), sort_keys=True, allow_nan=False, indent=1)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of an artifact's folder, or None where it is missing or damaged."""
    try:
        content = json.loads((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    fields = {field.name for field in dataclasses.fields(Manifest)}
    if not isinstance(content, dict) or content.keys() != fields:
        return None
    if not all(isinstance(content[name], dict) for name in ("inputs", "files", "sizes")):
        return None
    return Manifest(**content) if content["files"].keys() == content["sizes"].keys() else None


def missing_files(folder: Path, manifest: Manifest) -> list[str]:
    """Return the names of files that are absent or of another size: a quick check that reads no file."""
    return [name for name, size in manifest.sizes.items() if not _has_size(folder / name, size)]


def damaged_files(folder: Path, manifest: Manifest) -> list[str]:
    """Return one finding for every file that is missing, changed, or not in the manifest; reads every file."""
    missing = missing_files(folder, manifest)
    findings = [f"{folder / name}: missing or of another size" for name in missing]
    for name, digest in manifest.files.items():
        if name not in missing and digest_file(folder / name) != digest:
            findings.append(
                f"{folder / name}: content does not match its manifest; "
                "`veilbench store gc` removes the artifact, to have it made again"
            )
    known = {folder / name for name in manifest.files} | {folder / MANIFEST_NAME}
    findings += [f"{path}: not in the manifest" for path in folder.rglob("*") if path.is_file() and path not in known]
    return findings


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
