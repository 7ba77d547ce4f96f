"""Building a dataset with whichever photo source knows its name."""

import shutil
from pathlib import Path

from bench.core.errors import UsageError
from bench.core.progress import ReportProgress
from bench.core.registry import unknown_name
from generators.base import Generator
from generators.registry import generators
from scenarios.dataset import Dataset, check_images, save_dataset


def generator_of(name: str) -> Generator:
    """The registered photo source that builds the dataset ``name``. Raises UsageError with the nearest names."""
    sources = [generators.get(kind)() for kind in generators.names()]
    for source in sources:
        if name in source.names():
            return source
    raise unknown_name("dataset", name, [known for source in sources for known in source.names()])


def build_dataset(name: str, limit: int | None, folder: Path, workers: int, report: ReportProgress) -> Dataset:
    """Build the dataset ``name``, or its first ``limit`` people and strangers, and save it in ``folder``.

    The folder appears when it is complete. Raises UsageError for an unknown name or a folder that has files in it,
    before any work, and otherwise as ``Generator.build`` and ``check_images``.
    """
    source = generator_of(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not an empty folder: name another one with --out.")
    dataset = source.build(name, limit, workers, report)
    check_images(dataset)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        save_dataset(dataset, partial)
        partial.replace(folder)  # takes the place of an empty folder, too
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return dataset
