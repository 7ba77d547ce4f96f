"""The hub's client: whom it talks to, what lies there, and that it keeps its bars to itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from bench.core.network.addresses import check_proxies, is_this_machine, server_address
from bench.core.network.secrets import usable_secret

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

DEFAULT_ENDPOINT = "https://huggingface.co"
ANSWER_WITHIN_SECONDS = 60.0
CARD = "README.md"


def hub_address(endpoint: str | None = None) -> str:
    """The hub's address: the one given, else HF_ENDPOINT, else the public one; UsageError for one that is none."""
    given = endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
    return server_address(given, "HF_ENDPOINT", DEFAULT_ENDPOINT)


def open_hub(address: str, token: str | None = None) -> "HfApi":
    """The client of the hub at ``address``; ``token`` is what the user is logged in with where it is not given.

    Raises UsageError for a token that no hub could be sent, and for a proxy that cannot be used.
    """
    from huggingface_hub import HfApi, get_token

    if is_this_machine(address):
        _leave_out_proxies(address)
    check_proxies()
    usable_secret(token or get_token() or "", "the hub's token, HF_TOKEN or that of `hf auth login`,")
    return HfApi(endpoint=address, token=token and token.strip())


def _leave_out_proxies(address: str) -> None:
    """Let the client in this process, which knows no other way, ask a hub on this machine itself."""
    from huggingface_hub import utils

    host = urlsplit(address).hostname or ""
    known = getproxies().get("no", "")
    if host not in known.split(","):
        # Of the two spellings the one in small letters is heeded.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{known},{host}".strip(",")
        # What is open already knows the old ones.
        utils.close_session()  # type: ignore[attr-defined]


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
