"""Where a checkpoint's files are: shipped with VeilBench, in a local folder, or in the hub's local cache."""

from pathlib import Path

from bench.core.digests import digest_file, digest_json
from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from bench.targets.loading import checkpoint_label, model_type, read_config

SHIPPED = Path(__file__).parent / "checkpoints"

FAMILIES = {
    "llava": "llava",
    "qwen2_vl": "qwen_vl",
    "qwen2_5_vl": "qwen_vl",
    "qwen3_vl": "qwen_vl",
    "minigpt_v2": "minigpt_v2",
}
"""The family of each kind of model that config.json may name."""

NEEDED = ("*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt", "model.safetensors", "model-*.safetensors")
"""What a checkpoint is loaded from; a hub repository often keeps its weights in other forms besides."""


def shipped_checkpoints() -> list[str]:
    """Names of the checkpoints that come with VeilBench."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / "config.json").exists())


def family_of(checkpoint: str) -> str:
    """The family that a checkpoint belongs to by its config.json.

    Raises UsageError for one of no family, and for one that is not on this machine.
    """
    folder = resolve_checkpoint(checkpoint)
    kind = model_type(folder)
    if kind == "qwen":
        raise UsageError(
            f"checkpoint {checkpoint_label(folder)} is the first Qwen-VL, which runs only with code out of its own"
            " repository, and such code is not run here: take Qwen2-VL (Qwen/Qwen2-VL-7B-Instruct) or later."
        )
    if kind not in FAMILIES:
        families = ", ".join(sorted(set(FAMILIES.values())))
        raise UsageError(
            f"checkpoint {checkpoint_label(folder)} is a {kind} model, which belongs to none of the families"
            f" {families}; a family of another distribution is named with --family."
        )
    return FAMILIES[kind]


def resolve_checkpoint(name: str) -> Path:
    """The folder of a shipped checkpoint, of a local one, or of a hub model that was downloaded before.

    Nothing is downloaded. Raises UsageError with the nearest shipped names and what to do otherwise.
    """
    if name in shipped_checkpoints():
        return SHIPPED / name
    if (Path(name) / "config.json").exists():
        return Path(name)
    if Path(name).is_dir():
        raise UsageError(f"the folder {name} is no checkpoint: there is no config.json in it.")
    if is_hub_id(name):
        return _downloaded(name)
    raise unknown_name("checkpoint", name, shipped_checkpoints())


def is_hub_id(name: str) -> bool:
    """Whether a checkpoint's name means a model on the hub: neither shipped nor a folder here, and owner/name."""
    from generators.hub.files import HUB_ID

    is_here = name in shipped_checkpoints() or Path(name).is_dir()
    return HUB_ID.fullmatch(name) is not None and not is_here


def _downloaded(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(hub_id, local_files_only=True, allow_patterns=list(NEEDED), ignore_patterns=["*/*"])
    except LocalEntryNotFoundError as error:
        raise UsageError(
            f"checkpoint '{hub_id}' is not on this machine: run `hf download {hub_id}` first, "
            f"or use a shipped one ({', '.join(shipped_checkpoints())}), "
            f"or add --download to `veilbench target check {hub_id}`"
        ) from error
    return Path(found)


def checkpoint_digest(name: str) -> str:
    """Digest over the files that a checkpoint is loaded from, its card apart; for a hub snapshot, its commit."""
    folder = resolve_checkpoint(name)
    if folder.parent.name == "snapshots":
        return digest_json({"hub": name, "revision": folder.name})
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".md"]
    return digest_json({file.relative_to(folder).as_posix(): digest_file(file) for file in files})


def positions(folder: Path, otherwise: int) -> int:
    """How many tokens the language model can read; ``otherwise`` where config.json says nothing."""
    config = read_config(folder)
    return int(config.get("text_config", config).get("max_position_embeddings", otherwise))
