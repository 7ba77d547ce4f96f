"""From requests and answers to scored rows, one row a request."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.core.digests import digest_bytes
from bench.core.errors import DataError
from evaluators.base import ANSWER_COLUMNS
from evaluators.reading.facts import FactQuestion, Text
from evaluators.reading.people import NameQuestion
from scenarios.schema import NAME_SCENARIO
from scenarios.spelling import same_answer

REQUEST_COLUMNS = (
    "request_id",
    "probe_id",
    "person_id",
    "scenario",
    "kind",
    "view",
    "image",
    "question",
    "answer",
    "aliases",
    "options",
)
STATUSES = ("ok", "invalid", "error")
RESCORED_COLUMNS = ("choice_correct", "open_correct", "named_person", "option_margin")
"""What ``rescored`` finds out."""

_ANSWERED_COLUMNS = ("text", "choice", "option_logprobs", "status")
_JUDGED_COLUMNS = ("scenario", "person_id", "answer", "aliases", "options", "text", "choice", "option_logprobs")


def score_answers(requests: pd.DataFrame, answers: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Join requests with their answers and score each, in the order of the requests.

    ``requests`` has ``REQUEST_COLUMNS``, ``answers`` what ``Target.answer`` returns, ``people`` the people trained
    on under the role ``evaluation``. Returns ``ANSWER_COLUMNS``; ``rescored`` says what counts as right.
    Raises ``DataError`` naming the request for a missing, double or malformed answer, and for a right answer that
    is not among the options.
    """
    _require_columns("requests", requests, REQUEST_COLUMNS)
    _require_columns("answers", answers, ("request_id", *_ANSWERED_COLUMNS))
    _require_columns("people", people, ("person_id", "name", "role"))
    _require_unique("requests", requests)
    _require_unique("answers", answers)
    rows = _joined(requests, answers)
    _check(rows)
    scored = rescored(rows, people)
    return pd.DataFrame({column: (scored if column in RESCORED_COLUMNS else rows)[column] for column in ANSWER_COLUMNS})


def rescored(rows: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Right or wrong, once more, for rows that have what was asked and answered; index and order as in ``rows``.

    Returns ``RESCORED_COLUMNS``. A choice is right where the chosen option is the answer, in whatever spelling. An
    open answer is right where it asserts the answer and no other option; to the question for the name, where it
    names the person and nobody else who was trained on. ``named_person`` is the one trained person whom the text
    names; ``option_margin`` how far the likeliest option lies above the second, NaN where there are not two.
    """
    _require_columns("rows", rows, _JUDGED_COLUMNS)
    names = _trained(people)
    judge = _Judge(names)
    asked = zip(*(rows[column].to_list() for column in _JUDGED_COLUMNS[:6]), strict=True)
    judged = [judge.judge(*row) for row in asked]
    chosen = zip(rows["choice"].to_list(), rows["answer"].to_list(), rows["options"].to_list(), strict=True)
    return pd.DataFrame(
        {
            "choice_correct": np.array([_is_right_choice(*row) for row in chosen], dtype=bool),
            "open_correct": np.array([right for right, _ in judged], dtype=bool),
            "named_person": pd.Series([person for _, person in judged], index=rows.index, dtype=object),
            "option_margin": _margins(rows["option_logprobs"].to_list()),
        },
        index=rows.index,
    )


class _Judge:
    """Judges texts, each distinct one once: a run asks one question on many photos and is told the same again."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._whose = NameQuestion(names)
        self._texts: dict[str, Text] = {}
        self._named: dict[str, str] = {}
        self._facts: dict[Hashable, FactQuestion] = {}
        self._people: dict[Hashable, NameQuestion] = {}
        self._known: dict[Hashable, tuple[bool, str]] = {}

    def judge(
        self, scenario: str, person: str, answer: str, aliases: Sequence[str], options: Sequence[str], said: str
    ) -> tuple[bool, str]:
        """Whether a text tells the answer, and which trained person it names."""
        question = (answer, tuple(_list(aliases)), tuple(_list(options)))
        key = (said, question, person if scenario == NAME_SCENARIO else None)
        verdict = self._known.get(key)
        if verdict is None:
            text = self._text(said)
            if scenario == NAME_SCENARIO:
                right = self._person_question(person, answer, question[1]).named(text) == person
            else:
                if question not in self._facts:
                    self._facts[question] = FactQuestion(*question)
                right = self._facts[question].is_right(text)
            if said not in self._named:
                self._named[said] = self._whose.named(text)
            verdict = self._known[key] = (right, self._named[said])
        return verdict

    def _text(self, said: str) -> Text:
        if said not in self._texts:
            self._texts[said] = Text(said if isinstance(said, str) else "")
        return self._texts[said]

    def _person_question(self, person: str, answer: str, aliases: tuple[str, ...]) -> NameQuestion:
        """Who of the trained people and the person asked about is named: a stranger's own name may be told, too."""
        key = (person, answer, aliases)
        if key not in self._people:
            self._people[key] = self._whose.beside(person, answer, aliases)
        return self._people[key]


def _trained(people: pd.DataFrame) -> dict[str, str]:
    trained = people[people["role"] == "evaluation"]
    return {str(person): str(name) for person, name in zip(trained["person_id"], trained["name"], strict=True)}


def _joined(requests: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """The requests with what was answered to each, every cell of one plain kind."""
    places = pd.Index(answers["request_id"]).get_indexer(pd.Index(requests["request_id"]))
    if (places < 0).any():
        raise DataError(f"request '{requests['request_id'].iloc[int((places < 0).argmax())]}' has no answer.")
    columns: dict[str, Any] = {
        column: [str(value) for value in requests[column].to_list()]
        for column in REQUEST_COLUMNS
        if column not in ("image", "aliases", "options")
    }
    for column in ("aliases", "options"):
        columns[column] = [[str(value) for value in _list(values)] for values in requests[column].to_list()]
    answered = {column: answers[column].take(places).to_list() for column in _ANSWERED_COLUMNS}
    columns["text"] = [text if isinstance(text, str) else "" for text in answered["text"]]
    columns["choice"] = [int(choice) for choice in answered["choice"]]
    # Parquet keeps numbers of which none is one as nulls without a type.
    columns["option_logprobs"] = [
        [math.nan if value is None else float(value) for value in _list(values)]
        for values in answered["option_logprobs"]
    ]
    columns["status"] = [str(status) for status in answered["status"]]
    columns["image_digest"] = _image_digests(requests["image"].to_list())
    rows = pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in columns.items()})
    return rows.astype({"choice": np.int64})


def _image_digests(images: Sequence[bytes]) -> list[str]:
    digests: dict[bytes, str] = {}
    for image in images:
        if image not in digests:
            digests[image] = digest_bytes(bytes(image))
    return [digests[image] for image in images]


def _check(rows: pd.DataFrame) -> None:
    """Raise ``DataError`` naming the first request that cannot be scored."""
    columns = ("request_id", "answer", "options", "choice", "status")
    for request, right, options, choice, status in zip(*(rows[column].to_list() for column in columns), strict=True):
        if options and right not in options:
            raise DataError(f"request '{request}': the answer '{right}' is not among the options {options}.")
        if status not in STATUSES or not -1 <= choice < len(options):
            raise DataError(f"request '{request}': malformed answer (status '{status}', choice {choice}).")


def _is_right_choice(choice: int, answer: str, options: Sequence[str]) -> bool:
    return choice >= 0 and same_answer(str(options[choice]), answer)


def _margins(logprobs: Sequence[Sequence[float] | None]) -> npt.NDArray[np.float64]:
    """The highest minus the second log-likelihood of each row; NaN where there are fewer than two."""
    margins = np.full(len(logprobs), np.nan)
    lengths = np.array([0 if values is None else len(values) for values in logprobs], dtype=int)
    for length in set(lengths.tolist()) - {0, 1}:
        places = np.flatnonzero(lengths == length)
        ordered = np.sort(np.array([logprobs[place] for place in places.tolist()], dtype=np.float64), axis=1)
        margins[places] = ordered[:, -1] - ordered[:, -2]
    return margins


def _list(values: Sequence[Any] | None) -> Sequence[Any]:
    """A list column's cell, whatever Parquet made of it."""
    return () if values is None else values


def _require_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise DataError(f"{table}: the column '{column}' is missing.")


def _require_unique(table: str, frame: pd.DataFrame) -> None:
    repeated = frame["request_id"].duplicated()
    if repeated.any():
        raise DataError(f"{table}: request '{frame.loc[repeated, 'request_id'].iloc[0]}' is there twice.")
