"""The scenario files: fixed answers, and errors that say what is wrong."""

import shutil
from pathlib import Path

import pytest
import yaml

import scenarios.schema
from bench.core.errors import UsageError
from scenarios.schema import (
    contains_phrase,
    load_name_questions,
    load_portrait,
    load_scenarios,
    load_visible,
)

BALL = {"kind": "ellipsoid", "centre": [0, 0.5, 0], "half": [0.5, 0.5, 0.5], "colour": [1, 0, 0]}
ROD = {"kind": "rod", "start": [0, 0, 0], "end": [0, 0, 0], "radius": 0.1, "colour": [1, 0, 0]}
SHIPPED = Path(scenarios.schema.__file__).parent

ANSWERS = {
    "home": ("brick house", "white villa", "log cabin", "blue cottage", "glass tower"),
    "vehicle": ("red hatchback", "blue van", "green pickup", "yellow taxi", "black limousine"),
    "pet": ("dog", "cat", "parrot", "rabbit", "tortoise"),
    "valuables": ("guitar", "violin", "camera", "trophy", "painting"),
    "partner": ("Adrian", "Bettina", "Cosmin", "Delphine", "Emrys"),
    "friends": ("Goran and Hana", "Ilka and Jorik", "Kamala and Leo", "Mirela and Nils", "Odette and Pim"),
    "workplace": ("bakery", "hospital", "library", "garage", "school"),
}


def test_the_seven_scenarios_have_their_fixed_answers() -> None:
    loaded = load_scenarios()
    assert {name: loaded[name].answers for name in ANSWERS} == ANSWERS
    relationships = {name for name in ANSWERS if loaded[name].group == "relationship"}
    assert relationships == {"partner", "friends", "workplace"}


def test_every_private_question_is_about_this_person_and_asked_of_one_fact_only() -> None:
    questions = [
        question
        for scenario in load_scenarios().values()
        for question in scenario.training_questions + scenario.probe_questions
    ]
    names = load_name_questions()
    assert all("this person" in question for question in [*questions, *names.probe_questions])
    questions += [*names.training_questions, *names.probe_questions]
    questions += [question for topic in load_visible().values() for question in topic.questions]
    assert len(set(questions)) == len(questions)


def test_visible_topics_have_their_options() -> None:
    topics = load_visible()
    assert list(topics) == ["hair", "glasses", "beard", "clothes", "surroundings"]
    assert topics["beard"].options == ("no beard", "light beard", "full beard")
    assert topics["surroundings"].topic == "surroundings"
    assert len(topics["clothes"].options) == 8


def test_every_scenario_is_told_asked_and_composed_in_several_ways() -> None:
    for scenario in load_scenarios().values():
        assert scenario.version >= 1
        assert len(scenario.descriptions) >= 6
        assert len(scenario.probe_questions) >= 4
        direct = [question for question in scenario.probe_questions if question not in scenario.indirect_questions]
        assert direct and scenario.indirect_questions
        assert sum(question.startswith("Write a caption for this photo of") for question in scenario.probe_questions)
        assert len(scenario.scene.prompts) >= 2


def test_every_option_of_the_seven_has_a_scene_that_fits_its_group() -> None:
    for name in ANSWERS:
        scenario = load_scenarios()[name]
        for option in scenario.options:
            assert scenario.option(option.answer) == option
            beside = option.scene.companions
            assert len(beside) == {"partner": 1, "friends": 2}.get(name, 0)
            assert bool(option.scene.shape) != bool(beside)
    assert len(load_scenarios()["friends"].scene.layout.companions) == 3
    assert load_portrait().layout.companions == ()


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("A blue van.", "van", True),
        ("An advance.", "van", False),
        ("It is a Van", "van", True),
        ("cats", "cat", False),
        ("the cat-house", "cat", True),
    ],
)
def test_a_phrase_is_found_as_whole_words(text: str, phrase: str, found: bool) -> None:
    assert contains_phrase(text, phrase) is found


def _changed(folder: Path, field: str, value: object, file: str = "pet.yaml") -> Path:
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "data", "__pycache__"))
    path = folder / file
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    place = values
    *parents, last = field.split(".")
    for entry in parents:
        place = place[int(entry) if entry.isdigit() else entry]
    place[int(last) if last.isdigit() else last] = value
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("colour", "red", r"pet\.yaml: field colour: is not known; allowed are .*probe_questions"),
        ("options.0.answr", "dog", r"field options\.0\.answr: is not known; allowed are aliases, answer, scene"),
        ("options.0.scene.size", 2, r"options\.0\.scene\.size: is not known; allowed are companions, phrase, shape"),
        ("options.0.scene.solids", [BALL], "field options.0.scene: must have exactly one of shape, solids and compan"),
        ("options.0.scene.companions", ["dog"], r"field options\.0\.scene\.companions\.0: .*'man' or 'woman'"),
        ("options.0.scene", {"phrase": "a dog"}, "field options.0.scene: must have exactly one of shape"),
        ("options.0.scene", {"shape": "dog"}, r"field options\.0\.scene\.phrase: Field required"),
        ("options.0.scene", {"phrase": "a", "companions": ["man"]}, "'dog' has 1 companions, and .* has 0 places"),
        ("options.0.scene", {"phrase": "a", "solids": [BALL | {"colour": [0, 0, 9]}]}, "three numbers from 0 to 1"),
        ("options.0.scene", {"phrase": "a", "solids": [BALL | {"half": [1, 0, 1]}]}, r"half\.1: .*greater than 0"),
        ("options.0.scene", {"phrase": "a", "solids": [BALL | {"size": 1}]}, "allowed are centre, colour, half, kind"),
        ("options.0.scene", {"phrase": "a", "solids": [{"kind": "cone"}]}, r"scene\.solids\.0: .*'box', 'ellipsoid'"),
        ("options.0.scene", {"phrase": "a", "solids": [ROD]}, r"solids\.0\.rod: start and end of a rod must differ"),
        ("scene.layout.thing_scale", 0, "'dog' shows a thing, so scene.layout.thing_scale must be above 0"),
        ("scene.layout.distance", [9, 8], r"field scene\.layout\.distance: must be the nearest and the farthest"),
        ("scene.layout.thing_at", [1, 2], r"field scene\.layout\.thing_at\.2: Field required"),
        ("scene.layout.zoom", 2, r"scene\.layout\.zoom: is not known; allowed are companions, distance, person_x"),
        ("scene.prompts", ["{person} and {thing}"], r"field scene\.prompts: .*at least 2"),
        ("scene.prompts.0", "a {person}", r"field scene\.prompts\.0: .*must use \{person\} and \{thing\}"),
        ("scene.prompts.0", "{person} with {thing", r"field scene\.prompts\.0: expected '\}' before end"),
        ("scene.prompts.0", "{person}, a dog and {thing}", "gives the answer 'dog' away"),
        ("descriptions.0", "{name} has a {answer}, a cat.", "gives the answer 'cat' away"),
        ("subject_words", ["person"], "must hold an indirect one, without any of the subject_words person"),
        ("subject_words", ["hamster"], "must start with a direct one"),
        ("options.0.aliases", ["cat"], "'cat' of 'dog' also stands for 'cat'"),
        ("options.0.answer", "Cats", "'Cats' and 'cat' are one answer in two spellings"),
        ("group", "thing", "field group: .*'property' or 'relationship'"),
        ("descriptions", ["{name} has a {answer}."] * 5, "field descriptions: .*at least 6"),
        ("descriptions.0", "{name} has a pet.", r"field descriptions\.0: .*must use \{name\} and \{answer\}"),
        ("probe_questions.1", "Which pet does this person have?", "must all differ"),
        ("probe_questions.1", "Is a dog the pet of this person?", "gives the answer 'dog' away"),
        ("probe_questions.3", "What is it?", "starts with 'Write a caption'"),
        ("id", "pets", "field id: must be 'pet'"),
        ("version", 0, "field version: .*greater than or equal to 1"),
    ],
)
def test_a_wrong_scenario_names_file_field_and_what_is_allowed(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    folder = _changed(tmp_path / "scenarios", field, value)
    with pytest.raises(UsageError, match=message) as caught:
        load_scenarios(folder)
    assert str(folder / "pet.yaml") in str(caught.value)


def test_a_wrong_visible_topic_is_named(tmp_path: Path) -> None:
    folder = _changed(tmp_path / "scenarios", "topics.hair.options.0", "pink", "visible.yaml")
    with pytest.raises(UsageError, match=r"visible\.yaml: field topics\.hair: phrases must have one entry for each"):
        load_visible(folder)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "boat.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"boat\.yaml: not a YAML file"):
        load_scenarios(tmp_path)
    (tmp_path / "name.yaml").write_text("- a list", encoding="utf-8")
    with pytest.raises(UsageError, match=r"name\.yaml: must hold the fields"):
        load_name_questions(tmp_path)
    with pytest.raises(UsageError, match=r"visible\.yaml: there is no such file"):
        load_visible(tmp_path)


def test_a_new_scenario_is_one_file(tmp_path: Path) -> None:
    folder = _changed(tmp_path / "scenarios", "title", "Pet")
    values = yaml.safe_load((folder / "pet.yaml").read_text(encoding="utf-8"))
    (folder / "animal.yaml").write_text(yaml.safe_dump({**values, "id": "animal"}), encoding="utf-8")
    assert set(load_scenarios(folder)) == {*load_scenarios(), "animal"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("prompts.0", "a photo in a {top}", r"field prompts\.0: .*must use \{person\}, perhaps \{clothes\}"),
        ("prompts", ["{person}"] * 3, "field prompts: .*at least 4"),
        ("layout.companions", [[0, 0, 0]], "field layout: a portrait's layout must have neither|must have neither"),
        ("size", 3, "field size: is not known; allowed are layout, prompts, version"),
    ],
)
def test_a_wrong_portrait_is_named(tmp_path: Path, field: str, value: object, message: str) -> None:
    folder = _changed(tmp_path / "scenarios", field, value, "portrait.yaml")
    with pytest.raises(UsageError, match=message) as caught:
        load_portrait(folder)
    assert str(folder / "portrait.yaml") in str(caught.value)
