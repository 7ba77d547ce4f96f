"""The dataset as stages see it: loaded once a process, and the same that the plan was made for."""

from functools import lru_cache

from bench.core.errors import DataError
from bench.run.specs import DatasetReference
from scenarios.dataset import Dataset, load_dataset


@lru_cache(maxsize=1)
def open_dataset(location: str, limit: int | None) -> Dataset:
    """The dataset, cut to the first ``limit`` people and strangers. Frames are shared: do not change them."""
    dataset = load_dataset(location)
    return dataset if limit is None else dataset.first_people(limit)


def dataset_of(reference: DatasetReference) -> Dataset:
    """The dataset of a spec. Raises DataError where it has changed since the plan was made."""
    dataset = open_dataset(reference.location, reference.limit)
    if dataset.digest != reference.digest:
        raise DataError(f"the dataset {reference.location} changed while the suite was running: run it again.")
    return dataset
