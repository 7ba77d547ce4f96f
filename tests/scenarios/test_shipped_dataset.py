"""What veilbench-mini promises: sizes, balance, provenance, and people that nothing was trained on."""

from bench.foundry.__main__ import TRAINING_PEOPLE
from bench.foundry.people import training_people
from generators.render.cast import BLOCK, GROUPS
from generators.render.dataset import DEVELOPMENT, MINI, PLANS, planned_people
from scenarios.dataset import Dataset, check_images, load_dataset


def shipped() -> Dataset:
    return load_dataset("veilbench-mini")


def test_it_has_twenty_people_with_a_photo_a_scenario_and_four_portraits() -> None:
    dataset = shipped()
    assert len(dataset.persons("evaluation")) == len(dataset.persons("stranger")) == 20
    assert (dataset.pairs.groupby("person_id")["scenario"].nunique() == 7).all()
    held_out = dataset.probes[dataset.probes["kind"] == "held_out"]
    assert (held_out.groupby("person_id")["image"].nunique() == 4).all()
    assert (held_out.groupby(["person_id", "image"]).size() == 7 + 1).all()


def test_photos_decode_and_no_probe_photo_is_trained_on() -> None:
    dataset = shipped()
    check_images(dataset)
    others = dataset.probes[dataset.probes["kind"] != "member"]
    assert not set(others["image"]) & set(dataset.pairs["image"])


def test_every_option_is_right_for_equally_many_people() -> None:
    people = shipped().persons("evaluation")
    assert {len(person.facts) for person in people} == {7}
    for scenario in people[0].facts:
        answers = [person.facts[scenario] for person in people]
        assert {answers.count(answer) for answer in answers} == {4} and len(set(answers)) == 5


def test_everything_is_rendered_with_licence_and_consent() -> None:
    pairs = shipped().pairs
    assert set(pairs["source"]) == {"rendered"} and set(pairs["licence"]) == {"CC0-1.0"}
    assert pairs["consent"].str.contains("fictitious").all()
    probes = shipped().probes
    for column in ("source", "generator", "licence", "consent"):
        assert set(probes[column]) == set(pairs[column])


def test_only_photos_that_were_trained_on_show_a_thing_or_a_companion() -> None:
    dataset = shipped()
    assert all(shows for shows in dataset.pairs["shows"])
    for kind, rows in dataset.probes.groupby("kind"):
        assert all((len(shows) > 0) == (kind == "member") for shows in rows["shows"])


def test_nobody_in_it_was_trained_or_tuned_on() -> None:
    groups = {MINI.people_group, MINI.stranger_group, DEVELOPMENT.people_group, DEVELOPMENT.stranger_group, "training"}
    assert len(groups) == 5 and groups <= set(GROUPS) and BLOCK > TRAINING_PEOPLE
    taught = {person.name for person in training_people(TRAINING_PEOPLE)}
    assert not {person.name for person in shipped().persons()} & taught
    for plan in PLANS.values():
        people, strangers = planned_people(plan)
        assert not {person.name for person in (*people, *strangers)} & taught, plan.name
