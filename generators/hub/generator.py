"""A dataset on a hub as a photo source: its three tables, at one commit, checked like any other dataset."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from bench.core.errors import UsageError
from generators.base import BuildOrder, Generator
from generators.hub.client import hub_address, open_hub, without_bars
from generators.hub.errors import hub_errors
from generators.hub.files import HUB_ID, check_hub_id
from generators.registry import generators
from scenarios.dataset import Dataset


@generators.register("hub")
class Hub(Generator):
    """A dataset that somebody published: ``owner/name`` on the hub, or ``owner/name@revision``.

    ``revision`` is a branch, a tag or a commit; without one it is what ``main`` means now, and the dataset's name says
    which commit that was. What the photos are stands in each row's ``source``.
    """

    source: ClassVar[str] = "real"

    def __init__(self, revision: str | None = None) -> None:
        self._revision = revision

    def claims(self, name: str) -> bool:
        """Whether ``name`` can be a hub dataset and is no folder here, nor a path into one."""
        repo = name.partition("@")[0]
        here = Path(repo)
        is_local = Path(name).exists() or here.exists() or here.parent.is_dir()
        return HUB_ID.fullmatch(repo) is not None and not is_local

    def default_folder(self, name: str) -> Path:
        """The dataset's name without its owner."""
        return Path(name.partition("@")[0].rpartition("/")[2])

    def build(self, order: BuildOrder) -> Dataset:
        """See the base class. Only this asks the network for anything.

        Raises ``VeilBenchError`` where the hub cannot be reached or does not let the user in.
        """
        repo, revision = self._repo_and_revision(order.name)
        dataset = _download(repo, revision, order)
        return dataset if order.limit is None else dataset.first_people(order.limit)

    def _repo_and_revision(self, name: str) -> tuple[str, str]:
        repo, at, named = name.partition("@")
        check_hub_id(repo)
        if at and not named:
            raise UsageError(f"dataset {name!r}: a revision must follow the '@'.")
        if named and self._revision and named != self._revision:
            raise UsageError(f"dataset {name!r}: the option revision says {self._revision!r}; give one of the two.")
        return repo, named or self._revision or "main"


def _download(repo: str, revision: str, order: BuildOrder) -> Dataset:
    from generators.hub.download import fetch_tables, find_snapshot
    from generators.publishing.refusals import refuse_without_consent
    from generators.publishing.shards import read_shards
    from scenarios.dataset import load_dataset, make_dataset, save_dataset

    address = hub_address()
    with hub_errors("read from", repo, address), without_bars():
        api = open_hub(address)
        snapshot = find_snapshot(api, repo, revision)
        # The folder's name stands in every message about a row, so it is the dataset's.
        folder = order.work / snapshot.label.replace("/", "--")
        tables = fetch_tables(api, snapshot, folder / "download", order.report)
    save_dataset(make_dataset(snapshot.label, **read_shards(tables)), folder)
    dataset = load_dataset(str(folder))
    refuse_without_consent(dataset)
    return replace(dataset, name=snapshot.label)
