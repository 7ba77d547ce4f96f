"""A dataset goes to a hub: one commit, private unless asked otherwise, real photos only with consent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.core.digests import digest_frame, short
from bench.core.errors import DataError, VeilBenchError
from bench.core.progress import ReportProgress, quiet
from generators.hub.client import (
    ANSWER_WITHIN_SECONDS,
    CARD,
    commit_of,
    hub_address,
    open_hub,
    stored_files,
    without_bars,
)
from generators.hub.errors import hub_errors
from generators.hub.files import check_hub_id, is_same
from generators.publishing.refusals import refuse_hidden_data, refuse_real_in_public, refuse_without_consent
from generators.publishing.shards import SHARD, find_shards, read_shards
from scenarios.dataset import Dataset

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi


@dataclass(frozen=True)
class PushResult:
    """What a push did; where nothing had changed, ``files`` and ``removed`` are empty and ``commit`` was there before.

    ``files`` are the paths that the commit brought, ``bytes`` their size, ``unchanged`` the ones that were already
    there, and ``removed`` the shards of an earlier, differently cut dataset.
    """

    url: str
    commit: str
    private: bool
    files: tuple[str, ...]
    bytes: int
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.files or self.removed)


def push_dataset(
    dataset: Dataset,
    repo: str,
    folder: Path,
    *,
    private: bool = True,
    publish_real: bool = False,
    revision: str = "main",
    message: str = "",
    token: str | None = None,
    endpoint: str | None = None,
    report: ReportProgress | None = None,
) -> PushResult:
    """Publish ``folder``, which holds the dataset's shards, its card and what belongs to it, as one commit.

    Every file of the folder goes up, hidden and half-written ones left out. A stopped push goes on where it was: what
    the hub has is not sent again. ``report`` counts files. ``token`` and ``endpoint`` are what the user is logged in
    with and HF_ENDPOINT where they are not given.

    Raises, before anything is sent, ``UsageError`` for a malformed ``repo`` and for real people made public without
    ``publish_real``, and ``DataError`` for real photos without consent or licence, photos with EXIF, and a folder
    that does not hold this dataset; ``VeilBenchError`` for all that the hub refuses.
    """
    check_hub_id(repo)
    refuse_without_consent(dataset)
    if not private:
        refuse_real_in_public(dataset, publish_real)
    refuse_hidden_data(dataset)
    files = _files_to_publish(dataset, folder)
    address = hub_address(endpoint)
    with hub_errors("push to", repo, address), without_bars():
        api = open_hub(address, token)
        _make_ready(api, repo, private, revision)
        title = message or f"{dataset.name}, digest {short(dataset.digest)}"
        return _commit(api, repo, files, revision, title, private, report or quiet())


def _files_to_publish(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """Path on the hub -> file, sorted. The folder is not believed: the shards must be the dataset that was checked."""
    card = folder / CARD
    if not card.is_file():
        raise DataError(f"{folder}: there is no {CARD}; a dataset is published with its card.")
    _check_card(card)
    for table, shards in find_shards(folder).items():
        held = read_shards({table: shards})[table]
        if digest_frame(held) != digest_frame(getattr(dataset, table)):
            raise DataError(
                f"{folder}: the shards of '{table}' do not hold the dataset '{dataset.name}' as it is now; write them"
                " again."
            )
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    kept = (name for name in names if not name.endswith(".partial") and not f"/{name}".count("/."))
    return {name: names[name] for name in sorted(kept)}


def _check_card(card: Path) -> None:
    """The hub would refuse a malformed head only after every photo has been sent."""
    parts = card.read_text(encoding="utf-8").split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        raise DataError(f"{card}: it must begin with a head of YAML between two lines '---'.")
    try:
        head = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise DataError(f"{card}: its head is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(head, dict) or "configs" not in head:
        raise DataError(f"{card}: its head lacks 'configs', by which `datasets` finds the tables.")


def _make_ready(api: "HfApi", repo: str, private: bool, revision: str) -> None:
    """Create what is missing. Nobody's photos become visible by pushing into a dataset that is public already."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        is_private = bool(api.dataset_info(repo, timeout=ANSWER_WITHIN_SECONDS).private)
    except RepositoryNotFoundError:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        is_private = bool(api.dataset_info(repo, timeout=ANSWER_WITHIN_SECONDS).private)
    if is_private != private:
        there, here = ("private", "public") if is_private else ("public", "private")
        remedy = "leave --public away" if is_private else "push with --public"
        raise VeilBenchError(
            f"{repo} is {there} on the hub, so nothing was pushed as {here}: make it {here} in its settings first,"
            f" or {remedy}."
        )
    if revision != "main":
        api.create_branch(repo, branch=revision, repo_type="dataset", exist_ok=True)


def _commit(
    api: "HfApi",
    repo: str,
    files: Mapping[str, Path],
    revision: str,
    message: str,
    private: bool,
    report: ReportProgress,
) -> PushResult:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    commit = commit_of(api, repo, revision)
    stored = stored_files(api, repo, commit)
    unchanged = tuple(name for name, path in files.items() if name in stored and is_same(path, stored[name]))
    removed = tuple(sorted(name for name in stored if SHARD.fullmatch(name) and name not in files))
    additions = [CommitOperationAdd(name, path) for name, path in files.items() if name not in unchanged]
    if additions or removed:
        _send(api, repo, additions, revision, report)
        done = api.create_commit(
            repo,
            [*additions, *(CommitOperationDelete(name) for name in removed)],
            commit_message=message,
            repo_type="dataset",
            revision=revision,
            # What is removed and kept was decided on this commit; a later one is not overwritten unseen.
            parent_commit=commit,
        )
        commit = done.oid
    return PushResult(
        url=f"{api.endpoint}/datasets/{repo}",
        commit=commit,
        private=private,
        files=tuple(addition.path_in_repo for addition in additions),
        bytes=sum(files[addition.path_in_repo].stat().st_size for addition in additions),
        unchanged=unchanged,
        removed=removed,
    )


def _send(
    api: "HfApi", repo: str, additions: list["CommitOperationAdd"], revision: str, report: ReportProgress
) -> None:
    """Send what the hub lacks, a file at a time: a stopped push loses the one that was under way."""
    for number, addition in enumerate(additions):
        report(number, len(additions), addition.path_in_repo)
        # The commit reads small files itself, so their content stays.
        api.preupload_lfs_files(repo, [addition], repo_type="dataset", revision=revision, free_memory=False)
    report(len(additions), len(additions), "commit")
