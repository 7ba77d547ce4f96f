"""Which question stands on which photo."""

from collections import Counter

import pandas as pd

from scenarios.dataset import Dataset
from scenarios.schema import load_scenarios


def test_counts_of_each_kind(dataset: Dataset) -> None:
    kinds = Counter(dataset.probes["kind"])
    assert kinds == {"held_out": 5 * 4 * 8, "member": 5 * 3 * 8, "stranger": 3 * 2, "utility": 3 * 2 * 5}


def test_held_out_and_member_probes_ask_for_the_persons_own_facts_on_their_own_photos(
    dataset: Dataset, photos: pd.DataFrame
) -> None:
    people = {person.person_id: person for person in dataset.persons()}
    owners = {row["image"]: (row["person_id"], row["scenario"]) for row in photos.to_dict("records")}
    private = dataset.probes[dataset.probes["kind"].isin(["held_out", "member"])]
    for row in private.to_dict("records"):
        person = people[row["person_id"]]
        owner, photo_scenario = owners[row["image"]]
        assert owner == person.person_id
        assert (photo_scenario == "") == (row["kind"] == "held_out")
        if row["scenario"] == "name":
            assert (row["answer"], row["aliases"], row["options"]) == (person.name, [person.first_name], [])
        else:
            assert row["answer"] == person.facts[row["scenario"]]
            assert tuple(row["options"]) == load_scenarios()[row["scenario"]].answers
        assert len(row["paraphrases"]) >= 3
        assert row["question"] not in row["paraphrases"]


def test_member_photos_take_turns_over_the_scenarios(dataset: Dataset, photos: pd.DataFrame) -> None:
    owners = {row["image"]: row["scenario"] for row in photos.to_dict("records")}
    shown = dataset.probes[dataset.probes["kind"] == "member"]["image"].drop_duplicates().map(owners)
    counts = Counter(shown)
    assert sorted(counts.values()) == [2, 2, 2, 2, 2, 2, 3]


def test_every_member_photo_is_a_pair(dataset: Dataset) -> None:
    member = dataset.probes[dataset.probes["kind"] == "member"]
    assert set(member["image"]) <= set(dataset.pairs["image"])
    assert not set(dataset.probes[dataset.probes["kind"] != "member"]["image"]) & set(dataset.pairs["image"])


def test_strangers_are_asked_for_their_name_and_what_is_visible(dataset: Dataset) -> None:
    probes = dataset.probes[dataset.probes["person_id"] == "stranger-001"]
    assert set(probes["kind"]) == {"stranger", "utility"}
    assert set(probes[probes["kind"] == "stranger"]["scenario"]) == {"name"}
    hair = probes[probes["scenario"] == "hair"].iloc[0]
    assert (hair["answer"], hair["aliases"]) == ("blond", ["blonde"])
    assert hair["options"] == ["black", "brown", "blond", "red", "grey"]
