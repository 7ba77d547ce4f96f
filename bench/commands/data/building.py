"""Building a dataset with the photo source that is named, or that claims its name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.digests import digest_json, short
from bench.core.disk import writable
from bench.core.errors import UsageError
from bench.core.files import held, whole_folder
from bench.core.progress import ReportProgress
from bench.stages.code import code_digest
from generators.base import BuildOrder, Generator
from generators.registry import generator_for, make_generator
from scenarios.dataset import Dataset, check_images, save_dataset


@dataclass(frozen=True)
class DatasetOrder:
    """What the creator asked for: a dataset's name, a folder or a hub id, and who is to build it with which options.

    Without ``generator`` the photo source that claims the name builds it. ``limit`` keeps the first people and
    strangers.
    """

    name: str
    generator: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None


def photo_source(order: DatasetOrder) -> Generator:
    """The photo source of an order. Raises UsageError with the nearest names for what is unknown."""
    if order.generator is None:
        return generator_for(order.name, order.options)
    return make_generator(order.generator, order.options)


def default_folder(order: DatasetOrder) -> Path:
    """Where an order's tables go when nobody says. Raises UsageError as ``photo_source``."""
    return photo_source(order).default_folder(order.name)


def build_dataset(order: DatasetOrder, folder: Path, workers: int, report: ReportProgress) -> Dataset:
    """Build what is ordered and save its tables in ``folder``, which is new or empty and holds all of them or none.

    Until then finished photos wait in a hidden folder (``whole_folder``), and the same order goes on from there. Raises
    UsageError for an unknown name, a folder that has files in it or one that cannot be written to, before any work, and
    otherwise as ``Generator.build`` and ``check_images``.
    """
    source = photo_source(order)
    folder = writable(folder)
    if held(folder):
        raise UsageError(f"{folder} exists and is not an empty folder: name another one with --out.")
    with whole_folder(folder) as tables:
        work = tables.with_name(_work_name(order, source))
        work.mkdir(exist_ok=True)
        try:
            dataset = source.build(BuildOrder(order.name, work, order.limit, workers, report))
        finally:
            if not any(work.iterdir()):
                work.rmdir()
        check_images(dataset)
        save_dataset(dataset, tables)
    return dataset


def _work_name(order: DatasetOrder, source: Generator) -> str:
    """Photos made by other code or with other options are not gone on with."""
    code = code_digest([type(source).__module__])
    made_by = {"name": order.name, "options": dict(order.options), "code": code}
    return f"work-{short(digest_json(made_by))}"
