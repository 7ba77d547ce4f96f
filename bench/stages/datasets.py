"""The dataset as stages see it: loaded once a process, and the same that the plan was made for."""

from functools import lru_cache

from bench.core.errors import DataError
from bench.stages.references import DatasetReference
from scenarios.cohorts import first_of_each
from scenarios.dataset import Dataset, load_dataset


@lru_cache(maxsize=2)
def open_dataset(location: str, limit: int | None) -> Dataset:
    """The dataset, cut to the first ``limit`` people and strangers of each cohort.

    Frames are shared: do not change them.
    """
    return load_dataset(location) if limit is None else open_dataset(location, None).first_people(limit)


# A part shares its photos with the whole, so that many are kept at little cost.
@lru_cache(maxsize=16)
def open_cohort(location: str, limit: int | None, cohort: str) -> Dataset:
    """The part of ``open_dataset`` that concerns one cohort. Raises UsageError for an unknown one."""
    return open_dataset(location, limit).of_cohort(cohort)


def effective_limit(location: str, limit: int | None) -> int | None:
    """``limit`` where it leaves anybody out, else None: then it is a run of the whole dataset."""
    if limit is None:
        return None
    people = open_dataset(location, None).persons()
    return limit if len(first_of_each(people, limit)) < len(people) else None


def dataset_of(reference: DatasetReference) -> Dataset:
    """The dataset of a spec. Raises DataError where it has changed since the plan was made."""
    dataset = open_cohort(reference.location, reference.limit, reference.cohort)
    if dataset.digest != reference.digest:
        raise DataError(f"the dataset {reference.location} changed while the suite was running: run it again.")
    return dataset
