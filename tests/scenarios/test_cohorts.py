"""People who are trained apart: which part of a dataset is whose, and what one cohort's probes may hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.core.errors import DataError, UsageError
from scenarios.dataset import Dataset, build_dataset, load_dataset, make_dataset, save_dataset
from scenarios.people import Person

COHORTS = ("a", "b", "a", "b", "b", "", "a", "b")
"""Of the five people and the three strangers."""

SHIPPED_DIGEST = "0b273948d5188a4ac8de984726d70b5f9c180e335344b7f7098461d53cfff0e5"
"""Of veilbench-mini, from before there were cohorts."""


@pytest.fixture(scope="module")
def apart(people: list[Person], photos: pd.DataFrame) -> Dataset:
    """Two people in cohort a, three in b, a stranger to both and one to each."""
    placed = [replace(person, cohort=cohort) for person, cohort in zip(people, COHORTS, strict=True)]
    return build_dataset("apart", placed, photos)


def test_a_cohort_has_its_people_and_its_strangers_and_those_of_all(apart: Dataset) -> None:
    assert apart.cohorts == ("a", "b")
    part = apart.of_cohort("a")
    expected = ["evaluation-000", "evaluation-002", "stranger-000", "stranger-001"]
    assert part.people["person_id"].tolist() == expected
    assert set(part.pairs["person_id"]) == set(expected[:2]) and set(part.probes["person_id"]) == set(expected)
    assert part.cohorts == ("a",) and part.of_cohort("a") is part
    other = apart.of_cohort("b")
    assert len({part.digest, other.digest, apart.digest}) == 3
    assert not set(part.pairs["image"]) & set(other.pairs["image"])
    assert apart.of_cohorts(("a", "b")) is apart


def test_a_dataset_without_cohorts_is_one_part(dataset: Dataset) -> None:
    assert dataset.cohorts == ("",)
    assert dataset.of_cohort("") is dataset


@pytest.mark.parametrize(
    ("name", "said"), [("aa", "unknown cohort 'aa': did you mean 'a'"), ("", "unknown cohort '': known: a, b")]
)
def test_an_unknown_cohort_is_refused_with_the_known_ones(apart: Dataset, name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        apart.of_cohort(name)
    assert said in str(caught.value) and "known: a, b" in str(caught.value)


def test_a_dataset_without_cohorts_knows_none(dataset: Dataset) -> None:
    with pytest.raises(UsageError, match="unknown cohort 'a': known: none"):
        dataset.of_cohort("a")


def test_the_first_people_are_the_first_of_each_cohort(apart: Dataset) -> None:
    first = apart.first_people(1)
    assert first.people["person_id"].tolist() == [
        "evaluation-000", "evaluation-001", "stranger-000", "stranger-001", "stranger-002",
    ]  # fmt: skip
    assert first.of_cohort("b").people["person_id"].tolist() == ["evaluation-001", "stranger-000", "stranger-002"]
    assert apart.first_people(3) is apart


def test_cohorts_are_kept_on_disk(apart: Dataset, tmp_path: Path) -> None:
    save_dataset(apart, tmp_path / "apart")
    loaded = load_dataset(str(tmp_path / "apart"))
    assert loaded.digest == apart.digest and loaded.persons() == apart.persons()
    assert loaded.of_cohort("b").digest == apart.of_cohort("b").digest


def test_another_cohort_is_another_dataset(apart: Dataset, dataset: Dataset) -> None:
    assert apart.digest != dataset.digest
    people = apart.people.copy()
    people.at[0, "cohort"] = "b"
    assert make_dataset("apart", people, apart.pairs, apart.probes).digest != apart.digest


def test_a_table_without_the_column_is_that_of_a_dataset_without_cohorts(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path)
    path = tmp_path / "people.parquet"
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["cohort"]), path)
    loaded = load_dataset(str(tmp_path))
    assert loaded.digest == dataset.digest and loaded.persons() == dataset.persons()


def test_the_shipped_dataset_is_what_it_was_before_cohorts() -> None:
    assert load_dataset("veilbench-mini").digest == SHIPPED_DIGEST


@pytest.mark.parametrize(
    ("row", "cohort", "said"),
    [
        (1, "", "'evaluation-001': cohort is empty, and others who are trained on have one (a, b): name one for each"),
        (1, "b/c", "'evaluation-001': cohort 'b/c' cannot stand in a file name"),
        (1, "..", "'evaluation-001': cohort '..' cannot stand in a file name"),
        (1, "b" * 81, "is longer than 80 characters"),
        (7, "c", "'stranger-002': cohort 'c' is that of nobody who is trained on; known are a, b"),
        (7, None, "column 'cohort' has no value in row 7"),
    ],
)
def test_a_cohort_that_cannot_be_names_table_row_and_column(
    apart: Dataset, tmp_path: Path, row: int, cohort: str | None, said: str
) -> None:
    people = apart.people.astype({"cohort": "object"})
    people.at[row, "cohort"] = cohort
    save_dataset(replace(apart, people=people), tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(str(tmp_path))
    assert said in str(caught.value) and str(tmp_path / "people.parquet") in str(caught.value)


def test_a_stranger_cannot_have_a_cohort_where_nobody_else_has(people: list[Person], photos: pd.DataFrame) -> None:
    placed = [*people[:-1], replace(people[-1], cohort="a")]
    with pytest.raises(DataError, match=r"stranger-002': cohort 'a' is that of nobody .*; known are none"):
        build_dataset("apart", placed, photos)


def test_options_are_facts_of_the_same_cohort(people: list[Person], photos: pd.DataFrame) -> None:
    pets = ("hamster", "llama", "ferret", "newt", "gecko")
    own = [
        replace(person, facts={**person.facts, "pet": pet}, cohort=cohort)
        for person, pet, cohort in zip(people, pets, COHORTS, strict=False)
    ]
    built = build_dataset("apart", [*own, *people[5:]], photos)
    asked = built.probes[built.probes["scenario"] == "pet"]
    options = {row["person_id"]: set(row["options"]) & set(pets) for row in asked.to_dict("records")}
    assert options["evaluation-000"] == options["evaluation-002"] == {"hamster", "ferret"}
    assert options["evaluation-001"] == {"llama", "newt", "gecko"}


def test_what_a_cohort_is_asked_does_not_hang_on_another(apart: Dataset, photos: pd.DataFrame) -> None:
    def asked(given: Dataset) -> Any:
        part = given.of_cohort("b").probes
        return part.sort_values("probe_id").drop(columns="image").to_dict("records")

    alone = [person for person in apart.persons() if person.cohort != "a"]
    theirs = photos[photos["person_id"].isin([person.person_id for person in alone])]
    assert asked(build_dataset("alone", alone, theirs)) == asked(apart)
