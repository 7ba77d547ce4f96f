"""The dataset as stages see it: loaded once a process, and the same that the plan was made for."""

from functools import lru_cache

from bench.core.errors import DataError
from bench.stages.references import DatasetReference
from scenarios.dataset import ROLES, Dataset, load_dataset


@lru_cache(maxsize=2)
def open_dataset(location: str, limit: int | None) -> Dataset:
    """The dataset, cut to the first ``limit`` people and strangers. Frames are shared: do not change them."""
    return load_dataset(location) if limit is None else open_dataset(location, None).first_people(limit)


def effective_limit(location: str, limit: int | None) -> int | None:
    """``limit`` where it leaves anybody out, else None: then it is a run of the whole dataset."""
    if limit is None:
        return None
    dataset = open_dataset(location, None)
    return limit if any(len(dataset.persons(role)) > limit for role in ROLES) else None


def dataset_of(reference: DatasetReference) -> Dataset:
    """The dataset of a spec. Raises DataError where it has changed since the plan was made."""
    dataset = open_dataset(reference.location, reference.limit)
    if dataset.digest != reference.digest:
        raise DataError(f"the dataset {reference.location} changed while the suite was running: run it again.")
    return dataset
