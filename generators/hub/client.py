"""The hub's client: whom it talks to, what lies there, and that it keeps its bars to itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.core.errors import UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

DEFAULT_ENDPOINT = "https://huggingface.co"
ANSWER_WITHIN_SECONDS = 60.0
CARD = "README.md"


def hub_address(endpoint: str | None = None) -> str:
    """The hub's address: the one given, else HF_ENDPOINT, else the public one; UsageError for one that is none."""
    address = (endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"HF_ENDPOINT {address!r} is no address of a hub: it must be like {DEFAULT_ENDPOINT}.")
    return address


def commit_of(api: "HfApi", repo: str, revision: str) -> str:
    """The commit that a branch, a tag or a commit means now, 40 hexadecimal characters."""
    return str(api.dataset_info(repo, revision=revision, timeout=ANSWER_WITHIN_SECONDS).sha)


def stored_files(api: "HfApi", repo: str, commit: str) -> dict[str, "RepoFile"]:
    """Everything that the dataset keeps at a commit, by path."""
    from huggingface_hub.hf_api import RepoFile

    tree = api.list_repo_tree(repo, recursive=True, revision=commit, repo_type="dataset")
    return {file.path: file for file in tree if isinstance(file, RepoFile) and _stays_inside(file.path)}


def _stays_inside(path: str) -> bool:
    """No hub keeps a path that leads out of the dataset, but files are written where it says."""
    return not path.startswith("/") and ".." not in PurePosixPath(path).parts


@contextmanager
def without_bars() -> Iterator[None]:
    """Progress is reported by files; the client's own bars would write across it."""
    from huggingface_hub import utils

    if utils.are_progress_bars_disabled():  # type: ignore[attr-defined]
        yield
        return
    utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        utils.enable_progress_bars()  # type: ignore[attr-defined]
