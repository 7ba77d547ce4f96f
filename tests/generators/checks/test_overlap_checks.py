"""Nobody stands in two places, by name and by face, and photos show whom they are filed under."""

from dataclasses import replace

import pytest

from bench.core.progress import quiet
from generators.checks.names import check_names, check_names_against
from generators.checks.run import run_checks


def test_different_names_are_in_order(example):
    assert check_names(example.people).findings == ()


@pytest.mark.parametrize("change", [str.upper, lambda name: name.replace("e", "é").replace("a", "á"), "  {}".format])
def test_one_name_in_two_roles_is_an_error(example, change):
    people = [*example.people[:-1], replace(example.people[-1], name=change(example.people[0].name))]
    findings = check_names(people).findings
    assert [(one.level, one.row) for one in findings] == [("error", "people stranger-002")]
    assert "evaluation-000, who is of role evaluation" in findings[0].message


def test_one_name_in_one_role_and_one_first_name_are_warnings(example):
    first, second, *rest = example.people
    assert [one.level for one in check_names([first, replace(second, name=first.name), *rest]).findings] == ["warning"]
    like = replace(second, name=f"{first.first_name} Another")
    findings = check_names([first, like, *rest]).findings
    assert [(one.level, "first name" in one.message) for one in findings] == [("warning", True)]


def test_a_character_in_a_name_that_nobody_sees_is_told(example):
    first, *rest = example.people
    [finding] = check_names([replace(first, name=first.name[:2] + "\u200b" + first.name[2:]), *rest]).findings
    assert (finding.level, finding.row) == ("warning", f"people {first.person_id}")
    assert "U+200B ZERO WIDTH SPACE" in finding.message


def test_a_name_of_another_dataset_is_told(example):
    others = [replace(example.people[3], person_id="volunteer-7")]
    report = check_names_against(example.people, others, "volunteers")
    assert [(one.level, one.row) for one in report.findings] == [("warning", "people evaluation-003")]
    assert "volunteer-7 in volunteers" in report.findings[0].message
    assert check_names_against(example.people[:3], others, "volunteers").findings == ()


def check_faces(example, tools, looks_like):
    return run_checks(example.dataset, tools.recogniser(example.photos, looks_like), quiet())


def test_a_stranger_with_a_trained_face_is_told(example, tools, told):
    report = check_faces(example, tools, {"stranger-001": "evaluation-003"})
    assert told(report) == [("warning", "overlap", "people stranger-001")]
    message = next(one.message for one in report.findings if one.check == "overlap")
    assert "evaluation-003" in message
    assert report.figures["highest_similarity_of_strangers"] >= report.figures["same_person_threshold"]


def test_one_face_under_two_ids_is_told_of_both(example, tools, told):
    report = check_faces(example, tools, {"evaluation-004": "evaluation-001"})
    assert {row for _, _, row in told(report)} == {"people evaluation-001", "people evaluation-004"}
    assert {(level, check) for level, check, _ in told(report)} == {("warning", "identity")}


@pytest.mark.parametrize("photo_id", ["evaluation-000-2", "evaluation-000-8"])
def test_a_photo_filed_under_the_wrong_person_is_told(example, tools, told, photo_id):
    report = check_faces(example, tools, {photo_id: "evaluation-002"})
    [(level, check, row)] = told(report)
    assert (level, check) == ("warning", "identity") and photo_id in row
    message = next(one.message for one in report.findings if one.row == row)
    assert "looks like evaluation-002" in message and "not like evaluation-000" in message


def test_portraits_of_somebody_else_are_told(example, tools):
    swapped = {f"evaluation-000-{number}": "evaluation-002" for number in (7, 8, 9)}
    report = check_faces(example, tools, swapped)
    assert report.figures["rank1_probe_to_train"] == pytest.approx(12 / 15)
    assert any(
        one.row == "people evaluation-000" and "more like evaluation-002" in one.message for one in report.findings
    )


def test_a_recogniser_that_sees_nothing_judges_nobody(example, tools):
    nobody = {photo_id: photo_id for photo_id in example.photos["photo_id"]}
    report = check_faces(example, tools, nobody)
    findings = [one for one in report.findings if one.check in ("identity", "overlap")]
    assert [(one.level, one.row) for one in findings] == [("warning", "")]
    assert "no person is judged" in findings[0].message
    assert report.figures["auc"] < 0.8


def test_few_people_are_not_judged(example, tools):
    few = example.dataset.first_people(3)
    report = run_checks(few, tools.recogniser(example.photos), quiet())
    notes = [one for one in report.findings if one.check == "identity"]
    assert [(one.level, "5 are needed" in one.message) for one in notes] == [("note", True)]


def test_of_two_training_photos_one_of_somebody_else_is_told(example, tools, told):
    few = example.photos[example.photos["scenario"].isin(["", "home", "pet"])]
    embed = tools.recogniser(few, {"evaluation-000-0": "evaluation-002"})
    report = run_checks(replace(example, photos=few).dataset, embed, quiet())
    assert "pairs home/evaluation-000-0" in {row for _, check, row in told(report) if check == "identity"}


def test_only_differences_between_features_count(example, tools, told):
    embed = tools.recogniser(example.photos)
    plain = run_checks(example.dataset, embed, quiet())
    moved = run_checks(example.dataset, lambda images: 1000 + 5 * embed(images), quiet())
    assert told(moved) == []
    assert moved.figures == pytest.approx(plain.figures, abs=1e-6)
