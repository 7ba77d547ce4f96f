"""Names of hub datasets, and whether a file here is the one there."""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.digests import digest_file
from bench.core.errors import UsageError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)


def check_hub_id(repo: str) -> None:
    """Raise ``UsageError`` where ``repo`` is not ``owner/name`` as hubs allow it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if not HUB_ID.fullmatch(repo):
        raise UsageError(f"dataset id {repo!r}: it must be like owner/name, of letters, digits, '-', '_' and '.'.")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UsageError(f"dataset id {repo!r} is not allowed on a hub: {' '.join(str(error).split())}") from error


def is_same(path: Path, stored: "RepoFile") -> bool:
    """Whether the file ``path`` has the content that the hub keeps under ``stored``."""
    if path.stat().st_size != stored.size:
        return False
    if stored.lfs is not None:
        return digest_file(path) == stored.lfs.sha256
    content = path.read_bytes()
    # Git names a small file by this digest; it guards nothing.
    named = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return named.hexdigest() == stored.blob_id
