"""From requests and answers to scored rows, one row a request."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench.core.digests import digest_bytes
from bench.core.errors import DataError
from evaluators.base import ANSWER_COLUMNS
from evaluators.matching import named, open_answer_correct
from scenarios.schema import NAME_SCENARIO

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


def score_answers(requests: pd.DataFrame, answers: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Join requests with their answers and score each, in the order of the requests.

    ``requests`` has ``REQUEST_COLUMNS``, ``answers`` what ``Target.answer`` returns, ``people`` the people trained
    on under the role ``evaluation``. Returns ``ANSWER_COLUMNS``. A question for the name is right only if nobody
    else who was trained on is named too; ``named_person`` is set only where exactly one trained person is named.
    Raises ``DataError`` naming the request for a missing, double or malformed answer, and for a right answer that
    is not among the options.
    """
    _require_columns("requests", requests, REQUEST_COLUMNS)
    _require_columns("answers", answers, ("request_id", "text", "choice", "option_logprobs", "status"))
    _require_columns("people", people, ("person_id", "name", "role"))
    _require_unique("requests", requests)
    _require_unique("answers", answers)
    trained = people[people["role"] == "evaluation"]
    names = {str(person): str(name) for person, name in zip(trained["person_id"], trained["name"], strict=True)}
    by_request = {record["request_id"]: record for record in answers.to_dict("records")}
    digests: dict[bytes, str] = {}
    rows = []
    for request in requests.to_dict("records"):
        if request["request_id"] not in by_request:
            raise DataError(f"request '{request['request_id']}' has no answer.")
        image = bytes(request["image"])
        if image not in digests:
            digests[image] = digest_bytes(image)
        scored = _score(request, by_request[request["request_id"]], names)
        rows.append(scored | {"image_digest": digests[image]})
    return pd.DataFrame(rows, columns=list(ANSWER_COLUMNS))


def _score(request: Mapping[Any, Any], answer: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """One scored row, without the image digest."""
    request_id, right = str(request["request_id"]), str(request["answer"])
    options, aliases = _strings(request["options"]), _strings(request["aliases"])
    if options and right not in options:
        raise DataError(f"request '{request_id}': the answer '{right}' is not among the options {options}.")
    choice, status = int(answer["choice"]), str(answer["status"])
    if status not in STATUSES or not -1 <= choice < len(options):
        raise DataError(f"request '{request_id}': malformed answer (status '{status}', choice {choice}).")
    text = answer["text"] if isinstance(answer["text"], str) else ""
    person = _named_person(text, names)
    correct = open_answer_correct(text, right, aliases, options)
    if request["scenario"] == NAME_SCENARIO and request["person_id"] in names:
        correct = correct and person == request["person_id"]
    logprobs = answer["option_logprobs"]
    return {
        **{column: str(request[column]) for column in REQUEST_COLUMNS if column in ANSWER_COLUMNS},
        "options": options,
        "text": text,
        "choice": choice,
        "option_logprobs": [] if logprobs is None else [float(value) for value in logprobs],
        "status": status,
        "choice_correct": bool(choice >= 0 and options[choice] == right),
        "open_correct": bool(correct),
        "named_person": person,
    }


def _named_person(text: str, names: Mapping[str, str]) -> str:
    """The one trained person whose full or first name is in the text, or an empty string for none or several."""
    candidates = [[name, *name.split()[:1]] for name in names.values()]
    found = named(text, candidates)
    return list(names)[found[0]] if len(found) == 1 else ""


def _strings(values: Sequence[str] | None) -> list[str]:
    """A list column's cell as plain strings, whatever Parquet made of it."""
    return [] if values is None else [str(value) for value in values]


def _require_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise DataError(f"{table}: the column '{column}' is missing.")


def _require_unique(table: str, frame: pd.DataFrame) -> None:
    repeated = frame["request_id"].duplicated()
    if repeated.any():
        raise DataError(f"{table}: request '{frame.loc[repeated, 'request_id'].iloc[0]}' is there twice.")
