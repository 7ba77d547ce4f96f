"""The three tables must tell one story."""

from dataclasses import replace

from generators.checks.facts import check_facts
from scenarios.dataset import make_dataset


def found(dataset):
    return [(one.level, one.row, one.message) for one in check_facts(dataset).findings]


def without(dataset, table, keep):
    frames = {name: getattr(dataset, name) for name in ("people", "pairs", "probes")}
    frames[table] = frames[table][keep(frames[table])].reset_index(drop=True)
    return make_dataset("part", **frames)


def test_tables_that_agree_are_in_order(example):
    assert found(example.dataset) == []


def test_a_description_without_name_or_fact_is_told(example):
    for description, missing in (
        (f"{example.people[0].name} smiles.", "does not tell the fact"),
        (f"Somebody, and a {example.people[0].facts['home']}.", "does not name"),
    ):
        findings = found(example.with_photo("evaluation-000-1", scenario="home", description=description).dataset)
        assert [(level, row) for level, row, _ in findings] == [("warning", "pairs home/evaluation-000-1")]
        assert missing in findings[0][2]


def test_a_first_name_and_an_alias_are_enough(example):
    person = next(person for person in example.people if person.facts["home"] == "log cabin")
    number = example.photos[(example.photos["person_id"] == person.person_id) & (example.photos["scenario"] == "home")][
        "photo_id"
    ].iloc[0]
    assert found(example.with_photo(number, description=f"{person.first_name}, at the CABIN!").dataset) == []


def test_an_answer_that_is_not_the_persons_is_an_error(example):
    dataset = example.dataset
    right = dataset.probes.at[0, "answer"]
    wrong = next(option for option in dataset.probes.at[0, "options"] if option != right)
    dataset.probes.at[0, "answer"] = wrong
    findings = found(dataset)
    assert [level for level, _, _ in findings] == ["error"]
    assert f"'{wrong}' is not '{right}'" in findings[0][2]


def test_a_probe_of_a_fact_that_nobody_stated_is_an_error(example):
    people = [replace(p, facts={k: v for k, v in p.facts.items() if k != "pet"}) for p in example.people[:1]]
    frames = replace(example, people=people + example.people[1:]).with_photos(lambda row: {})
    kept = frames.photos[~((frames.photos["person_id"] == "evaluation-000") & (frames.photos["scenario"] == "pet"))]
    fine = replace(frames, photos=kept).dataset
    assert found(fine) == []
    mixed = make_dataset("mixed", fine.people, example.dataset.pairs, example.dataset.probes)
    findings = found(mixed)
    assert {level for level, _, _ in findings} == {"error"}
    assert any(row.startswith("pairs pet/evaluation-000") for _, row, _ in findings)
    assert any(row.startswith("probes pet/held_out-evaluation-000") for _, row, _ in findings)
    assert all("pet is not among the facts of evaluation-000" in message for _, _, message in findings)


def test_a_probe_of_the_wrong_kind_is_an_error(example):
    dataset = example.dataset
    row = dataset.probes.index[dataset.probes["kind"] == "stranger"][0]
    dataset.probes.at[row, "kind"] = "held_out"
    assert [level for level, _, _ in found(dataset)] == ["error"]


def test_people_without_pairs_or_probes_are_told(example):
    whole = example.dataset
    unasked = without(whole, "probes", lambda probes: probes["person_id"] != "evaluation-001")
    assert [(level, row) for level, row, _ in found(unasked)] == [("error", "people evaluation-001")]
    untrained = without(whole, "pairs", lambda pairs: pairs["person_id"] != "evaluation-001")
    assert [(level, row) for level, row, _ in found(untrained)] == [("error", "people evaluation-001")]
    ignored = without(whole, "probes", lambda probes: probes["person_id"] != "stranger-002")
    assert [(level, row) for level, row, _ in found(ignored)] == [("warning", "people stranger-002")]


def test_no_stranger_is_told(example):
    people = [person for person in example.people if person.role == "evaluation"]
    photos = example.photos[example.photos["person_id"].isin([person.person_id for person in people])]
    findings = found(replace(example, people=people, photos=photos).dataset)
    assert [(level, "no stranger" in message) for level, _, message in findings] == [("warning", True)]
