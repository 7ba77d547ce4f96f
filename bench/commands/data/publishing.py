"""Publishing a dataset: its tables as shards and its card in one folder, which becomes one commit."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.core.progress import ReportProgress
from generators.publishing.card import write_card
from generators.publishing.push import PushResult, push_dataset
from generators.publishing.shards import write_shards
from scenarios.dataset import load_dataset


@dataclass(frozen=True)
class Wanted:
    """Where a dataset is published, who may see it, and what its card says."""

    repo: str
    public: bool = False
    publish_real: bool = False
    title: str | None = None
    description: str | None = None
    licence: str | None = None
    revision: str = "main"
    with_real_photos: bool = False


def publish_dataset(name_or_folder: str, wanted: Wanted, report: ReportProgress) -> PushResult:
    """Push a dataset and its card. Raises as ``load_dataset``, ``write_card`` and ``push_dataset``."""
    dataset = load_dataset(name_or_folder)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shards(dataset, folder)
        write_card(
            dataset,
            folder,
            title=wanted.title,
            description=wanted.description,
            licence=wanted.licence,
            repo=wanted.repo,
            with_photos=wanted.with_real_photos,
            layout="hub",
        )
        return push_dataset(
            dataset,
            wanted.repo,
            folder,
            private=not wanted.public,
            publish_real=wanted.publish_real,
            revision=wanted.revision,
            report=report,
        )
