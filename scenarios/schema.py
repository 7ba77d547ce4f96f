"""The schema of the scenario files, and how they are read."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.core.errors import UsageError

NAME_FILE = "name.yaml"
VISIBLE_FILE = "visible.yaml"
NAME_SCENARIO = "name"
"""Value of the scenario column for probes that ask who a person is."""

_FOLDER = Path(__file__).parent
_OTHER_FILES = (NAME_FILE, VISIBLE_FILE)

Model = TypeVar("Model", bound=BaseModel)


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether ``phrase`` stands in ``text`` as whole words, whatever the case."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE) is not None


def _placeholders(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def _require_placeholders(*allowed: str) -> AfterValidator:
    def check(template: str) -> str:
        if _placeholders(template) != set(allowed):
            wanted = " and ".join(f"{{{name}}}" for name in allowed)
            raise ValueError(f"'{template}' must use {wanted} and nothing else in braces")
        return template

    return AfterValidator(check)


def _check_question(question: str) -> str:
    if _placeholders(question):
        raise ValueError(f"'{question}' must not use braces: a question never says whom it is about")
    return question


def _check_colour(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    if not all(0.0 <= channel <= 1.0 for channel in colour):
        raise ValueError("must be three numbers from 0 to 1 (linear red, green, blue)")
    return colour


Text = Annotated[str, Field(min_length=1)]
FactSentence = Annotated[str, _require_placeholders("name", "answer")]
NameSentence = Annotated[str, _require_placeholders("name")]
Question = Annotated[Text, AfterValidator(_check_question)]
Colour = Annotated[tuple[float, float, float], AfterValidator(_check_colour)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scene(_Strict):
    """What a photo source draws for an answer: a shape by name and its linear RGB colour in [0, 1]."""

    shape: Text
    colour: Colour


class Option(_Strict):
    """One possible answer of a scenario, other words that count as it, and what it looks like."""

    answer: Text
    aliases: tuple[Text, ...]
    scene: Scene


class _Questions(_Strict):
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
    """One kind of private photo: the fact it shows, how it is told and asked, and its five possible answers."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    title: Text
    group: Literal["property", "relationship"]
    train_photo: Text
    probe_photo_must_not_show: Text
    descriptions: tuple[FactSentence, ...] = Field(min_length=6)
    options: tuple[Option, ...] = Field(min_length=5, max_length=5)

    @property
    def answers(self) -> tuple[str, ...]:
        """The five answers in the order of the file."""
        return tuple(option.answer for option in self.options)

    def aliases(self, answer: str) -> tuple[str, ...]:
        """Other words that count as ``answer``. Raises ``KeyError`` for an answer that is not an option."""
        return {option.answer: option.aliases for option in self.options}[answer]

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        accepted = [(phrase, option) for option in self.options for phrase in (option.answer, *option.aliases)]
        for phrase, option in accepted:
            clash = next((other for text, other in accepted if other != option and contains_phrase(text, phrase)), None)
            if clash is not None:
                raise ValueError(f"options: '{phrase}' of '{option.answer}' also stands for '{clash.answer}'")
        for question in self.training_questions + self.probe_questions:
            told = next((phrase for phrase, _ in accepted if contains_phrase(question, phrase)), None)
            if told is not None:
                raise ValueError(f"'{question}' gives the answer '{told}' away")
        return self


class NameQuestions(_Questions):
    """How a person's name is told and asked."""

    descriptions: tuple[NameSentence, ...] = Field(min_length=3)


class VisibleTopic(_Strict):
    """What anybody can see in a photo; the first question is asked, ``phrases`` put an option in a caption."""

    topic: Text
    questions: tuple[Question, ...] = Field(min_length=3)
    options: tuple[Text, ...] = Field(min_length=2)
    aliases: dict[Text, tuple[Text, ...]]
    phrases: dict[Text, Text]

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        unknown = sorted(set(self.aliases) - set(self.options))
        if unknown:
            raise ValueError(f"aliases are allowed for {', '.join(self.options)}, not for '{unknown[0]}'")
        if set(self.phrases) != set(self.options):
            raise ValueError(f"phrases must have one entry for each of {', '.join(self.options)}")
        return self


class _VisibleFile(_Strict):
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


def _allowed_fields(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Fields of the model that the location's last entry should have been one of."""
    for entry in location[:-1]:
        if isinstance(entry, str) and entry in model.model_fields:
            annotation = model.model_fields[entry].annotation
            nested = [part for part in (annotation, *get_args(annotation)) if isinstance(part, type)]
            model = next((part for part in nested if issubclass(part, BaseModel)), model)
    return ", ".join(sorted(model.model_fields))


def _explain(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"is not known; allowed are {_allowed_fields(model, first['loc'])}"
    field = ".".join(str(entry) for entry in first["loc"])
    return f"{path}: {f'field {field}: ' if field else ''}{message}"


def _read(path: Path, model: type[Model]) -> Model:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a YAML file in UTF-8: {' '.join(str(error).split())}") from error
    if not isinstance(values, Mapping):
        raise UsageError(f"{path}: must hold the fields {', '.join(sorted(model.model_fields))}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UsageError(_explain(path, error, model)) from error


@cache
def _scenarios(folder: Path) -> tuple[Scenario, ...]:
    files = sorted(path for path in folder.glob("*.yaml") if path.name not in _OTHER_FILES)
    scenarios = []
    for path in files:
        scenario = _read(path, Scenario)
        if scenario.id != path.stem or scenario.id == NAME_SCENARIO:
            raise UsageError(f"{path}: field id: must be '{path.stem}', the name of the file, not '{scenario.id}'")
        scenarios.append(scenario)
    return tuple(sorted(scenarios, key=lambda scenario: (scenario.group, scenario.id)))


@cache
def _visible(folder: Path) -> _VisibleFile:
    return _read(folder / VISIBLE_FILE, _VisibleFile)


@cache
def _name_questions(folder: Path) -> NameQuestions:
    return _read(folder / NAME_FILE, NameQuestions)


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
