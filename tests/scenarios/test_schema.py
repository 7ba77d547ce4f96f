"""The scenario files: fixed answers, and errors that say what is wrong."""

import shutil
from pathlib import Path

import pytest
import yaml

import scenarios.schema
from bench.core.errors import UsageError
from scenarios.schema import contains_phrase, load_name_questions, load_scenarios, load_visible

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
    assert {name: scenario.answers for name, scenario in loaded.items()} == ANSWERS
    relationships = {name for name, scenario in loaded.items() if scenario.group == "relationship"}
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
        ("options.0.scene.size", 2, r"field options\.0\.scene\.size: is not known; allowed are colour, shape"),
        ("options.0.scene.colour", [0, 0, 255], r"field options\.0\.scene\.colour: must be three numbers from 0 to 1"),
        ("options.0.aliases", ["cat"], "'cat' of 'dog' also stands for 'cat'"),
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
    assert set(load_scenarios(folder)) == {*ANSWERS, "animal"}
