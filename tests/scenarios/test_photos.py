"""The photo table: what does not fit is named with the photo and the field."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.core.errors import DataError
from scenarios.dataset import build_dataset
from scenarios.language import photo_description
from scenarios.pairs import build_pairs
from scenarios.people import Person
from scenarios.photos import PHOTO_COLUMNS, check_photos
from scenarios.probes import build_probes


def changed(photos: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    frame = photos.copy()
    for column, value in values.items():
        frame.at[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("person_id", "nobody", "photo 'evaluation-000-00': person_id 'nobody' is no person"),
        ("scenario", "boat", "photo 'evaluation-000-00': scenario 'boat' is not one of .*home, pet, valuables"),
        ("scenario", None, "photo 'evaluation-000-00': scenario must be a text, not"),
        (
            "photo_id",
            "evaluation-000-01",
            r"photo_id 'evaluation-000-01' stands there twice, in rows 0 and 1 \(counted",
        ),
        ("shows", "brick house", "photo 'evaluation-000-00': shows must be a list of texts, .* not 'brick house'"),
        ("shows", ["brick house", 3], "photo 'evaluation-000-00': shows must be a list of texts"),
        ("shows", [" "], "photo 'evaluation-000-00': shows must be a list of texts"),
        ("source", "drawn", "photo 'evaluation-000-00': source 'drawn' is not one of rendered, real, synthesized"),
        ("consent", None, "photo 'evaluation-000-00': consent must be a text"),
        ("description", None, "photo 'evaluation-000-00': description must be a text"),
        ("image", "a.png", "photo 'evaluation-000-00': image must be the encoded photo as bytes"),
        ("face_box", [4, 4, 2, 9], r"photo 'evaluation-000-00': face_box \[4, 4, 2, 9\]"),
        ("face_box", [1, 2, 3], r"photo 'evaluation-000-00': face_box \[1, 2, 3\]"),
        ("visible", {"shoes": "red"}, "photo 'evaluation-000-00': visible topic 'shoes' is not one of hair"),
        ("visible", {"hair": "pink"}, "photo 'evaluation-000-00': visible hair 'pink' is not one of black"),
        ("visible", "red hair", "photo 'evaluation-000-00': visible must be a mapping"),
    ],
)
def test_a_wrong_value_is_named(
    people: list[Person], photos: pd.DataFrame, column: str, value: object, message: str
) -> None:
    wrong = changed(photos, 0, **{column: value})
    for build in (build_pairs, build_probes):
        with pytest.raises(DataError, match=message):
            build(people, wrong)


@pytest.mark.parametrize("column", PHOTO_COLUMNS)
def test_a_missing_column_is_named(people: list[Person], photos: pd.DataFrame, column: str) -> None:
    with pytest.raises(DataError, match=f"photo table: column '{column}' is missing; needed are photo_id, person_id"):
        check_photos(people, photos.drop(columns=column))


def test_a_stranger_is_never_trained_on(people: list[Person], photos: pd.DataFrame) -> None:
    row = photos.index[photos["person_id"] == "stranger-000"][0]
    with pytest.raises(
        DataError, match="photo 'stranger-000-00': scenario 'pet': a stranger's photo is not trained on"
    ):
        check_photos(people, changed(photos, row, scenario="pet"))


def test_a_photo_of_a_scenario_without_a_fact_is_named(people: list[Person], photos: pd.DataFrame) -> None:
    facts = {name: fact for name, fact in people[0].facts.items() if name != "home"}
    without = [Person(people[0].person_id, people[0].name, facts, "evaluation"), *people[1:]]
    with pytest.raises(
        DataError, match=r"photo '.*': scenario 'home' is not among the facts of person 'evaluation-000'"
    ):
        check_photos(without, photos)


def test_a_photos_own_description_is_kept(people: list[Person], photos: pd.DataFrame) -> None:
    pairs = build_pairs(people, changed(photos, 1, description="My cat and I."))
    assert pairs["description"].tolist()[:2] == [photo_description(people[0], "home"), "My cat and I."]


def test_provenance_is_that_of_each_photo(people: list[Person], photos: pd.DataFrame) -> None:
    portrait = int(photos.index[photos["scenario"] == ""][0])
    mixed = changed(photos, 1, source="real", consent="signed on paper")
    mixed = changed(mixed, portrait, source="synthesized", licence="CC-BY-4.0", shows=None)
    dataset = build_dataset("mixed", people, mixed)
    assert dataset.pairs["source"].tolist()[:3] == ["rendered", "real", "rendered"]
    assert dataset.pairs["consent"][1] == "signed on paper"
    probes = dataset.probes[dataset.probes["image"] == photos.at[portrait, "image"]]
    assert set(probes["source"]) == {"synthesized"} and set(probes["licence"]) == {"CC-BY-4.0"}
    assert probes["shows"].tolist() == [None] * len(probes)


def test_shows_tells_the_thing_in_pairs_and_member_probes_and_nothing_in_the_others(
    people: list[Person], photos: pd.DataFrame
) -> None:
    dataset = build_dataset("tiny", people, photos)
    facts = {person.person_id: person.facts for person in people}
    for row in dataset.pairs.to_dict("records"):
        assert row["shows"] == [facts[row["person_id"]][row["scenario"]]]
    for kind, rows in dataset.probes.groupby("kind"):
        assert all(bool(shows) == (kind == "member") for shows in rows["shows"])


def test_arrays_and_missing_values_of_a_frame_are_understood(people: list[Person], photos: pd.DataFrame) -> None:
    kept = photos.copy()
    kept["shows"] = [np.array(shows, dtype=object) for shows in photos["shows"]]
    kept["face_box"] = [None if box is None else np.array(box) for box in photos["face_box"]]
    pd.testing.assert_frame_equal(build_pairs(people, kept), build_pairs(people, photos))
    kept.loc[0, "shows"] = float("nan")
    assert build_pairs(people, kept)["shows"][0] is None
