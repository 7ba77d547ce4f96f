"""The schema of the scenario files, and how they are read."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bench.core.errors import UsageError
from bench.core.models import Strict
from scenarios.scenes import Layout, OptionScene, Portrait, SceneSpecification, Solid
from scenarios.spelling import repeated_spelling
from scenarios.yaml_files import Text, placeholders, read_model, require_placeholders

__all__ = [
    "NAME_SCENARIO",
    "Layout",
    "NameQuestions",
    "Option",
    "OptionScene",
    "Portrait",
    "Scenario",
    "SceneSpecification",
    "Solid",
    "VisibleTopic",
    "contains_phrase",
    "load_caption_questions",
    "load_name_questions",
    "load_portrait",
    "load_scenarios",
    "load_visible",
]

NAME_FILE = "name.yaml"
VISIBLE_FILE = "visible.yaml"
PORTRAIT_FILE = "portrait.yaml"
NAME_SCENARIO = "name"
"""Value of the scenario column for probes that ask who a person is."""

_FOLDER = Path(__file__).parent
_OTHER_FILES = (NAME_FILE, VISIBLE_FILE, PORTRAIT_FILE)


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether ``phrase`` stands in ``text`` as whole words, whatever the case."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE) is not None


def _refuse_two_spellings(options: Iterable[str]) -> None:
    twice = repeated_spelling(options)
    if twice is not None:
        raise ValueError(f"options: '{twice[0]}' and '{twice[1]}' are one answer in two spellings")


def _check_question(question: str) -> str:
    if placeholders(question):
        raise ValueError(f"'{question}' must not use braces: a question never says whom it is about")
    return question


FactSentence = Annotated[str, require_placeholders("name", "answer")]
NameSentence = Annotated[str, require_placeholders("name")]
Question = Annotated[Text, AfterValidator(_check_question)]


class Option(Strict):
    """One possible answer of a scenario, other words that count as it, and what it looks like."""

    answer: Text
    aliases: tuple[Text, ...]
    scene: OptionScene


class _Questions(Strict):
    """Questions of the attacker's training, and different ones of the querier; the first probe question is asked."""

    version: int = Field(ge=1)
    training_questions: tuple[Question, ...] = Field(min_length=3)
    probe_questions: tuple[Question, ...] = Field(min_length=4)
    counts: Text

    @model_validator(mode="after")
    def _check_disjoint(self) -> Self:
        questions = [question.casefold() for question in self.training_questions + self.probe_questions]
        repeated = sorted({question for question in questions if questions.count(question) > 1})
        if repeated:
            raise ValueError(f"training_questions and probe_questions must all differ, repeated: {repeated[0]!r}")
        if not any(question.startswith("Write a caption") for question in self.probe_questions):
            raise ValueError("probe_questions must hold one that starts with 'Write a caption'")
        return self


class Scenario(_Questions):
    """One kind of private photo: the fact it shows, how it is told, asked and composed, and its five answers.

    A question without any of ``subject_words`` is indirect: it asks for the fact without naming what it is.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    title: Text
    group: Literal["property", "relationship"]
    train_photo: Text
    probe_photo_must_not_show: Text
    descriptions: tuple[FactSentence, ...] = Field(min_length=6)
    subject_words: tuple[Text, ...] = Field(min_length=1)
    scene: SceneSpecification
    options: tuple[Option, ...] = Field(min_length=5, max_length=5)

    @property
    def answers(self) -> tuple[str, ...]:
        """The five answers in the order of the file."""
        return tuple(option.answer for option in self.options)

    @property
    def indirect_questions(self) -> tuple[str, ...]:
        """The probe questions that ask without any of the subject words."""
        return tuple(
            question
            for question in self.probe_questions
            if not any(contains_phrase(question, word) for word in self.subject_words)
        )

    def option(self, answer: str) -> Option:
        """The option of an answer. Raises ``KeyError`` for an answer that is not an option."""
        return {option.answer: option for option in self.options}[answer]

    def aliases(self, answer: str) -> tuple[str, ...]:
        """Other words that count as ``answer``. Raises ``KeyError`` for an answer that is not an option."""
        return self.option(answer).aliases

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        _refuse_two_spellings(self.answers)
        accepted = [(phrase, option) for option in self.options for phrase in (option.answer, *option.aliases)]
        for phrase, option in accepted:
            clash = next((other for text, other in accepted if other != option and contains_phrase(text, phrase)), None)
            if clash is not None:
                raise ValueError(f"options: '{phrase}' of '{option.answer}' also stands for '{clash.answer}'")
        told = (*self.training_questions, *self.probe_questions, *self.descriptions, *self.scene.prompts)
        for text in told:
            given = next((phrase for phrase, _ in accepted if contains_phrase(text, phrase)), None)
            if given is not None:
                raise ValueError(f"'{text}' gives the answer '{given}' away")
        return self

    @model_validator(mode="after")
    def _check_questions(self) -> Self:
        if not self.indirect_questions:
            words = ", ".join(self.subject_words)
            raise ValueError(f"probe_questions must hold an indirect one, without any of the subject_words {words}")
        if self.probe_questions[0] in self.indirect_questions:
            raise ValueError("probe_questions must start with a direct one, which uses one of the subject_words")
        return self

    @model_validator(mode="after")
    def _check_scenes(self) -> Self:
        for index, option in enumerate(self.options):
            try:
                self.scene.check_option(option.scene)
            except ValueError as error:
                raise ValueError(f"options.{index}.scene of '{option.answer}' {error}") from error
        return self


class NameQuestions(_Questions):
    """How a person's name is told and asked."""

    descriptions: tuple[NameSentence, ...] = Field(min_length=3)


class VisibleTopic(Strict):
    """What anybody can see in a photo; the first question is asked, ``phrases`` put an option in a caption."""

    topic: Text
    questions: tuple[Question, ...] = Field(min_length=3)
    options: tuple[Text, ...] = Field(min_length=2)
    aliases: dict[Text, tuple[Text, ...]]
    phrases: dict[Text, Text]

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        _refuse_two_spellings(self.options)
        unknown = sorted(set(self.aliases) - set(self.options))
        if unknown:
            raise ValueError(f"aliases are allowed for {', '.join(self.options)}, not for '{unknown[0]}'")
        if set(self.phrases) != set(self.options):
            raise ValueError(f"phrases must have one entry for each of {', '.join(self.options)}")
        return self


class _VisibleFile(Strict):
    version: int = Field(ge=1)
    caption_questions: tuple[Question, ...] = Field(min_length=3)
    topics: dict[str, VisibleTopic]

    @model_validator(mode="before")
    @classmethod
    def _name_topics(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("topics"), dict):
            return values
        topics = {
            name: {**topic, "topic": name} if isinstance(topic, dict) else topic
            for name, topic in values["topics"].items()
        }
        return {**values, "topics": topics}


@cache
def _scenarios(folder: Path) -> tuple[Scenario, ...]:
    files = sorted(path for path in folder.glob("*.yaml") if path.name not in _OTHER_FILES)
    scenarios = []
    for path in files:
        scenario = read_model(path, Scenario)
        if scenario.id != path.stem:
            raise UsageError(f"{path}: field id: must be '{path.stem}', the name of the file, not '{scenario.id}'")
        scenarios.append(scenario)
    return tuple(sorted(scenarios, key=lambda scenario: (scenario.group, scenario.id)))


@cache
def _visible(folder: Path) -> _VisibleFile:
    return read_model(folder / VISIBLE_FILE, _VisibleFile)


@cache
def _portrait(folder: Path) -> Portrait:
    return read_model(folder / PORTRAIT_FILE, Portrait)


@cache
def _name_questions(folder: Path) -> NameQuestions:
    return read_model(folder / NAME_FILE, NameQuestions)


def load_scenarios(folder: Path = _FOLDER) -> dict[str, Scenario]:
    """All scenarios by id, property before relationship, then by id. One YAML file in ``folder`` is one scenario.

    Raises ``UsageError`` naming file, field and what is allowed.
    """
    return {scenario.id: scenario for scenario in _scenarios(folder)}


def load_visible(folder: Path = _FOLDER) -> dict[str, VisibleTopic]:
    """What anybody can see in a photo, by topic. Raises ``UsageError`` naming file, field and what is allowed."""
    return dict(_visible(folder).topics)


def load_caption_questions(folder: Path = _FOLDER) -> tuple[str, ...]:
    """Questions that ask for a caption of what is visible. Raises ``UsageError`` like ``load_visible``."""
    return _visible(folder).caption_questions


def load_name_questions(folder: Path = _FOLDER) -> NameQuestions:
    """How names are told and asked. Raises ``UsageError`` naming file, field and what is allowed."""
    return _name_questions(folder)


def load_portrait(folder: Path = _FOLDER) -> Portrait:
    """How a photo of the person alone is composed. Raises ``UsageError`` naming file, field and what is allowed."""
    return _portrait(folder)
