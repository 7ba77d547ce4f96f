"""Where a checkpoint's files are: shipped with VeilBench, in a local folder, or in the hub's local cache."""

from pathlib import Path

from bench.core.digests import digest_file, digest_json
from bench.core.errors import UsageError
from bench.core.registry import unknown_name

SHIPPED = Path(__file__).parent / "checkpoints"


def shipped_checkpoints() -> list[str]:
    """Names of the checkpoints that come with VeilBench."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / "config.json").exists())


def resolve_checkpoint(name: str) -> Path:
    """The folder of a shipped checkpoint, of a local one, or of a hub model that was downloaded before.

    Nothing is downloaded. Raises UsageError with the nearest shipped names and what to do otherwise.
    """
    if name in shipped_checkpoints():
        return SHIPPED / name
    if (Path(name) / "config.json").exists():
        return Path(name)
    if "/" in name and not name.startswith((".", "/")):
        return _downloaded(name)
    raise unknown_name("checkpoint", name, shipped_checkpoints())


def _downloaded(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise UsageError(
            f"checkpoint '{hub_id}' is not on this machine: run `hf download {hub_id}` first, "
            f"or use a shipped one ({', '.join(shipped_checkpoints())})"
        ) from error


def checkpoint_digest(name: str) -> str:
    """Digest over the files that a checkpoint is loaded from, its card apart; for a hub snapshot, its commit."""
    folder = resolve_checkpoint(name)
    if folder.parent.name == "snapshots":
        return digest_json({"hub": name, "revision": folder.name})
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".md"]
    return digest_json({file.relative_to(folder).as_posix(): digest_file(file) for file in files})
