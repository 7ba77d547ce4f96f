"""Fetching a checkpoint from the hub into the hub's own cache: only what it is loaded from, only what is missing."""

import fnmatch
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import DataError, UsageError, VeilBenchError
from bench.core.progress import ReportProgress
from bench.targets.checkpoints import NEEDED, resolve_checkpoint
from bench.targets.loading import WEIGHTS, WEIGHTS_INDEX, check_parts

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

MEGABYTE = 1_000_000


def download_config(hub_id: str) -> Path:
    """The folder of a hub model, with at least its config.json in it; the hub is asked only where that is not here."""
    try:
        folder = resolve_checkpoint(hub_id)
        if (folder / "config.json").exists():
            return folder
    except UsageError:
        pass
    api = _hub()
    with _told(api, hub_id, "config.json"):
        from generators.hub.client import ANSWER_WITHIN_SECONDS

        # The download itself would try an address where nothing answers for a long time.
        api.model_info(hub_id, timeout=ANSWER_WITHIN_SECONDS)
        return Path(api.hf_hub_download(hub_id, "config.json")).parent


def download_checkpoint(hub_id: str, report: ReportProgress) -> Path:
    """The folder of a hub model that is whole; what is missing is fetched, in the commit that the folder is named by.

    A checkpoint that is whole on this machine is never asked for again. Progress is in megabytes. Raises
    VeilBenchError naming the file that could not be had and what to do.
    """
    folder = download_config(hub_id)
    if _is_whole(folder):
        return folder
    api = _hub()
    files = _needed_files(api, hub_id, folder.name)
    total, done = sum(file.size for file in files), 0
    for file in files:

        def tell(fetched: int, before: int = done, name: str = file.path) -> None:
            report((before + fetched) // MEGABYTE, total // MEGABYTE, f"MB, {name}")

        tell(0)
        if not (folder / file.path).exists():
            _fetch(api, hub_id, file, folder, tell)
        done += file.size
    report(total // MEGABYTE, total // MEGABYTE, "MB")
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        check_parts(folder)
    except UsageError:
        return False
    return True


def _hub() -> "HfApi":
    from generators.hub.client import hub_address, open_hub

    return open_hub(hub_address())


def _needed_files(api: "HfApi", hub_id: str, commit: str) -> list["RepoFile"]:
    """What the repository keeps of a checkpoint's files; the large ones come last."""
    from huggingface_hub.hf_api import RepoFile

    with _told(api, hub_id, "the list of files"):
        files = [file for file in api.list_repo_tree(hub_id, revision=commit) if isinstance(file, RepoFile)]
    if not {WEIGHTS, WEIGHTS_INDEX} & {file.path for file in files}:
        raise DataError(f"{hub_id} keeps no {WEIGHTS} on the hub: take a repository with its weights in this form.")
    needed = [file for file in files if any(fnmatch.fnmatch(file.path, pattern) for pattern in NEEDED)]
    # Whoever finds the weights here, finds all else.
    return sorted(needed, key=lambda file: (file.path.endswith(".safetensors"), file.path))


def _fetch(api: "HfApi", hub_id: str, file: "RepoFile", folder: Path, tell: Callable[[int], None]) -> None:
    from huggingface_hub import hf_hub_download

    from generators.hub.files import is_same

    with _told(api, hub_id, file.path):
        path = hf_hub_download(
            hub_id, file.path, revision=folder.name, endpoint=api.endpoint, tqdm_class=_counter(tell)
        )
    if not is_same(Path(path), file):
        # The cache keeps the content beside, and the file here is a link to it.
        Path(path).resolve().unlink(missing_ok=True)
        Path(path).unlink(missing_ok=True)
        raise DataError(f"{hub_id}: {file.path} was damaged on its way; run the command again.")


def _counter(tell: Callable[[int], None]) -> Any:
    """A bar class for the hub's client that shows nothing and tells how many bytes of the file have come."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Counter(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.fetched = int(options.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            self.fetched += int(n or 0)
            tell(self.fetched)

        # Bytes on the wire and bytes on the disk are two bars to the client, unless the class knows these.
        def update_transfer(self, n: float | None = 1) -> None:
            del n

        def set_transfer_postfix_str(self, *arguments: Any, **options: Any) -> None:
            del arguments, options

    return Counter


@contextmanager
def _told(api: "HfApi", hub_id: str, file: str) -> Iterator[None]:
    """What goes wrong at the hub or on the way to it, as one sentence that names the file."""
    from generators.hub.client import without_bars
    from generators.hub.errors import hub_errors

    with hub_errors(f"download {file} of", hub_id, api.endpoint), without_bars():
        try:
            yield
        except Exception as error:
            refused = _refused(error, hub_id, file, api.endpoint)
            if refused is None:
                raise
            raise refused from error


def _refused(error: Exception, hub_id: str, file: str, address: str) -> VeilBenchError | None:
    """What the hub says of models in another way than of datasets."""
    from huggingface_hub import errors

    from generators.hub.errors import LOG_IN

    if isinstance(error, errors.GatedRepoError):
        return VeilBenchError(
            f"{file} of {hub_id} is given to those who agree to its terms: agree on {address}/{hub_id}, then {LOG_IN}."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return UsageError(
            f"The hub at {address} has no model {hub_id} that you may see: check the name; where it is private,"
            f" {LOG_IN}."
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return UsageError(f"{hub_id} keeps no {file} on the hub at {address}, so it is no checkpoint of transformers.")
    return None
