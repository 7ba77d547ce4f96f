"""A probe whose photo or question tells the answer."""

import pytest

from generators.checks.answers import check_answers

PORTRAIT = "evaluation-000-8"


def found(example):
    return [(one.level, one.row, one.message) for one in check_answers(example.dataset).findings]


def test_photos_without_the_facts_are_in_order(example):
    assert found(example) == []
    assert found(example.with_photo(PORTRAIT, shows=["umbrella", "bench"])) == []


def test_the_thing_itself_is_found_in_every_form(example):
    person = example.people[0]
    pair = person.facts["friends"].split(" and ")
    for thing in (person.facts["pet"], f"two {person.facts['pet']}s", person.facts["home"].upper(), *pair, person.name):
        findings = found(example.with_photo(PORTRAIT, shows=["umbrella", thing]))
        assert [(level, PORTRAIT in row) for level, row, _ in findings] == [("error", True)], thing
        assert f"shows '{thing}'" in findings[0][2] and "7 more rows alike" in findings[0][2]


def test_an_alias_gives_the_fact_away(example):
    person = next(person for person in example.people if person.facts["home"] == "log cabin")
    findings = found(example.with_photo(f"{person.person_id}-8", shows=["wooden cabin"]))
    assert [level for level, _, _ in findings] == ["error"]


def test_a_stranger_with_a_fact_of_its_own_is_an_error_and_one_of_others_is_not(example):
    person = example.people[-1]
    assert [
        level for level, _, _ in found(example.with_photo(f"{person.person_id}-0", shows=[person.facts["pet"]]))
    ] == ["error"]
    other = next(fact for fact in ("dog", "cat") if fact != person.facts["pet"])
    assert found(example.with_photo(f"{person.person_id}-0", shows=[other])) == []


def test_nobody_said_what_the_photo_shows(real_example):
    findings = found(real_example.with_photo(PORTRAIT, shows=None))
    assert [(level, PORTRAIT in row) for level, row, _ in findings] == [("error", True)]
    assert "nobody stated what is in the photo" in findings[0][2] and "column shows" in findings[0][2]
    report = check_answers(real_example.with_photo(PORTRAIT, shows=None).dataset)
    assert report.figures["probes_without_shows"] == 8


@pytest.mark.parametrize(("column", "row"), [("question", 0), ("paraphrases", 0)])
def test_a_question_must_not_tell_the_answer(example, column, row):
    dataset = example.dataset
    told = f"Is it true about the {dataset.probes.at[row, 'answer']}?"
    dataset.probes.at[row, column] = told if column == "question" else ["What is it?", told]
    findings = check_answers(dataset).findings
    assert [(one.level, "gives the answer" in one.message) for one in findings] == [("warning", True)]


def test_a_training_photo_must_show_what_it_is_filed_under(example):
    findings = found(example.with_photo("evaluation-000-1", shows=["umbrella"]))
    assert [(level, "evaluation-000-1" in row) for level, row, _ in findings] == [("warning", True)]
    assert "shows umbrella" in findings[0][2]
    assert found(example.with_photo("evaluation-000-1", shows=None)) == []
