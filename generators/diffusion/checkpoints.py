"""Where published weights are: in a folder, or on the hub, from where they are fetched once they are named."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.digests import digest_tree, short
from bench.core.errors import UsageError, VeilBenchError
from bench.core.files import POINTER_ADVICE, lfs_pointers

HUB_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
FAMILIES = {"StableDiffusionPipeline": "sd", "StableDiffusionXLPipeline": "sdxl"}
"""Pipelines that can be used, by the name in their model_index.json."""


@dataclass(frozen=True)
class Weights:
    """Files of a checkpoint on this machine: the name it was asked for by, and the commit or content digest."""

    name: str
    revision: str
    folder: Path

    def __str__(self) -> str:
        """Return name and short revision."""
        return f"{self.name}@{short(self.revision)}"


def find_pipeline(name: str, variant: str = "") -> Weights:
    """A diffusers pipeline in a folder, or on the hub (``owner/name`` or ``owner/name@revision``).

    Raises UsageError for a folder without a pipeline and VeilBenchError where the hub does not hand it out.
    """
    folder = _own_folder(name, "checkpoint")
    if folder is None:
        be_quiet()
        from diffusers import DiffusionPipeline

        hub_id, revision = _hub_id(name, "checkpoint")
        try:
            fetched = DiffusionPipeline.download(
                hub_id, revision=revision, variant=variant or None, use_safetensors=True
            )
        # The network library under the hub's client, and with it the errors, change from release to release.
        except Exception as error:
            raise _unreachable("checkpoint", name, hub_id, error) from error
        folder = Path(fetched)
    weights = _weights(name, folder)
    family(weights)
    return weights


def find_files(name: str, patterns: Sequence[str]) -> Weights:
    """A folder, or those files of a hub repository that match ``patterns``. Raises like ``find_pipeline``."""
    folder = _own_folder(name, "adapter")
    if folder is None:
        from huggingface_hub import snapshot_download

        hub_id, revision = _hub_id(name, "adapter")
        try:
            folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(patterns)))
        except Exception as error:  # as above
            raise _unreachable("adapter", name, hub_id, error) from error
    return _weights(name, folder)


def damage(folder: Path, files: Sequence[str] = ()) -> str | None:
    """Which file below ``folder`` is damaged, as a sentence without its end, or None; of some ``files`` or of all.

    Of weights only the heads are read, which say how long a file must be.
    """
    from safetensors import safe_open

    named = files or sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors"))
    for pointer in lfs_pointers(folder):
        if pointer in named or not files:
            return f"{pointer} {POINTER_ADVICE}"
    for name in named:
        try:
            with safe_open(folder / name, "pt"):
                pass
        # The library's own error is none of Python's.
        except Exception as error:
            return f"{name} is damaged ({' '.join(str(error).split())}): delete it and get it again"
    return None


def be_quiet() -> None:
    """Silence the libraries' own warnings and bars: errors say what matters, and bars tear the progress display."""
    from diffusers.utils import logging
    from transformers.utils import logging as transformers_logging

    for one in (logging, transformers_logging):
        one.set_verbosity_error()
        one.disable_progress_bar()


def is_folder(name: str) -> bool:
    """Whether a checkpoint's name is a folder on this machine."""
    return Path(name).expanduser().is_dir()


def family(weights: Weights) -> str:
    """``sd`` or ``sdxl``. Raises UsageError for any other pipeline."""
    index = weights.folder / "model_index.json"
    try:
        kind = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    except FileNotFoundError:
        raise UsageError(
            f"checkpoint '{weights.name}': there is no model_index.json in it, so it is no diffusers pipeline; name a "
            "folder that save_pretrained wrote, or a hub id."
        ) from None
    except (ValueError, AttributeError, OSError) as error:
        raise UsageError(f"checkpoint '{weights.name}': its model_index.json cannot be read ({error}).") from error
    if kind not in FAMILIES:
        raise UsageError(f"checkpoint '{weights.name}' is a {kind}; usable are {' and '.join(FAMILIES)}.")
    return FAMILIES[kind]


def _own_folder(name: str, kind: str) -> Path | None:
    if is_folder(name):
        return Path(name).expanduser()
    if not HUB_ID.fullmatch(name) or name.startswith("."):
        raise UsageError(f"{kind} '{name}' is neither a folder nor a hub id such as owner/name or owner/name@revision.")
    return None


def _hub_id(name: str, kind: str) -> tuple[str, str | None]:
    found = HUB_ID.fullmatch(name)
    if found is None:
        raise UsageError(f"{kind} '{name}' is no hub id such as owner/name or owner/name@revision.")
    return found["id"], found["revision"]


def _weights(name: str, folder: Path) -> Weights:
    # A snapshot of the hub lies in a folder that is named by its commit.
    revision = folder.name if folder.parent.name == "snapshots" else digest_tree(folder)
    return Weights(name if not is_folder(name) else folder.resolve().name, revision, folder)


def _unreachable(kind: str, name: str, hub_id: str, error: Exception) -> VeilBenchError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return VeilBenchError(
            f"{kind} '{name}' is handed out only to those who accepted its terms: accept them on its page on the hub "
            "and log in with `hf auth login`."
        )
    if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
        return UsageError(
            f"{kind} '{name}' is not on the hub, or is private: check the name and the revision, or log in with "
            "`hf auth login`."
        )
    if not isinstance(error, OSError) and not type(error).__module__.startswith("httpx"):
        return UsageError(f"{kind} '{name}' cannot be fetched: {_first_line(error)}")
    return VeilBenchError(
        f"{kind} '{name}' is not on this machine and the hub cannot be reached: run `hf download {hub_id}` where there "
        "is a network, or name a folder that holds it."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
