"""The three tables of a hub dataset, fetched at one commit into a folder."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.digests import short
from bench.core.errors import DataError
from bench.core.progress import ReportProgress
from generators.hub.client import CARD, commit_of, stored_files
from generators.hub.files import is_same
from generators.publishing.shards import SCHEMAS

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

_PLACES = ("{table}.parquet", "data/{table}-*.parquet", "data/{table}.parquet", "{table}/*.parquet")
"""Where tables are looked for in a dataset whose card does not say."""
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")


@dataclass(frozen=True)
class Snapshot:
    """A dataset at one commit: 40 hexadecimal characters, and its files by path."""

    repo: str
    commit: str
    files: Mapping[str, "RepoFile"]

    @property
    def label(self) -> str:
        """``owner/name@`` and the first 12 characters of the commit."""
        return f"{self.repo}@{short(self.commit)}"


def find_snapshot(api: "HfApi", repo: str, revision: str) -> Snapshot:
    """Resolve a branch, a tag or a commit, also a shortened one, to a commit, and list what is there."""
    commit = commit_of(api, repo, _unshortened(api, repo, revision))
    return Snapshot(repo, commit, stored_files(api, repo, commit))


def fetch_tables(api: "HfApi", snapshot: Snapshot, folder: Path, report: ReportProgress) -> dict[str, list[Path]]:
    """Download the files of the three tables, and nothing else but the card; return them by table.

    Files that are in ``folder`` already, whole, are not fetched again. Raises ``DataError`` where a table is not there,
    is not Parquet, or arrives damaged.
    """
    card: dict[str, Any] = {}
    if CARD in snapshot.files:
        card = read_card(_fetch(api, snapshot, CARD, folder))
    tables = table_files(card, snapshot)
    names = [name for chosen in tables.values() for name in chosen]
    for number, name in enumerate(names):
        report(number, len(names), f"{snapshot.label}: {name}")
        _fetch(api, snapshot, name, folder)
    report(len(names), len(names), f"{snapshot.repo}@{snapshot.commit}")
    return {table: [folder / name for name in chosen] for table, chosen in tables.items()}


def _unshortened(api: "HfApi", repo: str, revision: str) -> str:
    """Hubs know only whole commits, but a dataset's name here ends in the beginning of one."""
    if not _SHORT_COMMIT.fullmatch(revision):
        return revision
    commits = [commit.commit_id for commit in api.list_repo_commits(repo, repo_type="dataset")]
    meant = [commit for commit in commits if commit.startswith(revision)]
    return meant[0] if len(meant) == 1 else revision


def _fetch(api: "HfApi", snapshot: Snapshot, name: str, folder: Path) -> Path:
    stored = snapshot.files[name]
    path = folder / name
    if path.is_file() and is_same(path, stored):
        return path
    # What is there is damaged, and the client would take it for whole.
    path.unlink(missing_ok=True)
    api.hf_hub_download(snapshot.repo, name, repo_type="dataset", revision=snapshot.commit, local_dir=folder)
    if not is_same(path, stored):
        path.unlink(missing_ok=True)
        raise DataError(f"{snapshot.label}: {name} was damaged on its way; run the command again.")
    return path


def read_card(path: Path) -> dict[str, Any]:
    """The fields of a card's header, by the hub's own reader, as ``datasets`` uses it; empty where there is none.

    Raises ``DataError`` for a header that cannot be read: another dataset than its author means could lie beside it.
    """
    from huggingface_hub import DatasetCard

    try:
        return dict(DatasetCard.load(path, ignore_metadata_errors=True).data.to_dict())
    # The reader raises what YAML, the codec and its own checks raise.
    except Exception as error:
        told = " ".join(str(error).split())
        raise DataError(f"{path.name}: its header cannot be read, nor which files are the tables: {told}") from error


def table_files(card: Mapping[str, Any], snapshot: Snapshot) -> dict[str, list[str]]:
    """The files of each table: those that the card names, else those in the usual places.

    Raises ``DataError`` where a table is not there, or kept in another form than Parquet.
    """
    return {table: _files_of(table, card, snapshot) for table in SCHEMAS}


def _files_of(table: str, card: Mapping[str, Any], snapshot: Snapshot) -> list[str]:
    declared = list(_declared(table, card))
    chosen = [name for pattern in declared for name in _matching(pattern, snapshot)]
    if not declared:
        places = (_matching(place.format(table=table), snapshot) for place in _PLACES)
        chosen = next((names for names in places if names), [])
    if not chosen:
        raise DataError(
            f"{snapshot.label}: there is no table '{table}'; a dataset needs the configurations people, pairs and"
            " probes in its card, or people.parquet, pairs.parquet and probes.parquet."
        )
    other = next((name for name in chosen if not name.endswith(".parquet")), None)
    if other is not None:
        raise DataError(f"{snapshot.label}: table '{table}' is kept in {other}, but only Parquet is read.")
    return list(dict.fromkeys(chosen))


def _matching(pattern: str, snapshot: Snapshot) -> list[str]:
    from fsspec.utils import glob_translate

    pattern = pattern.removeprefix("./")
    meant = re.compile(glob_translate(pattern))
    hidden = pattern.startswith((".", "__")) or "/." in pattern or "/__" in pattern
    return sorted(name for name in snapshot.files if meant.match(name) and (hidden or not _is_hidden(name)))


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in name.split("/"))


def _declared(table: str, card: Mapping[str, Any]) -> Iterator[str]:
    """The patterns that a card's ``configs`` give for a table, of all splits, in any of the forms allowed there."""
    configs = card.get("configs")
    for config in configs if isinstance(configs, list) else []:
        if isinstance(config, dict) and config.get("config_name") == table:
            inside = str(config.get("data_dir") or "").strip("/")
            files = config.get("data_files") or ("**" if inside else None)
            yield from (f"{inside}/{pattern}" if inside else pattern for pattern in _patterns(files))


def _patterns(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        yield from _patterns(given["path"] if "path" in given else list(given.values()))
    elif isinstance(given, Sequence):
        for item in given:
            yield from _patterns(item)
