"""How an engine's answer to one completion is read: what it says, and nothing that it does not say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from bench.core.errors import VeilBenchError
from bench.core.network.secrets import quoted

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class CompletionResult:
    """``tokens`` generated, an end token included · ``prompt`` ids of the prompt · ``next`` natural log-probabilities
    of what might come first, by id · ``scores`` those of the prompt's last tokens, as far as they were asked for.

    A score that the engine leaves out is NaN.
    """

    tokens: Tokens
    prompt: Tokens
    next: Mapping[int, float]
    scores: tuple[float, ...]


_Token = Annotated[int, Field(ge=0, lt=2**31, strict=True)]


class _Scored(BaseModel):
    logprob: float | None = None


class _Named(_Scored):
    token: str


class _Place(BaseModel):
    top_logprobs: list[_Named] = []


class _Logprobs(BaseModel):
    content: list[_Place] | None = None
    top_logprobs: list[dict[str, float | None] | None] | None = None


class _Prompt(BaseModel):
    prompt_token_ids: list[_Token] | None = None
    prompt_logprobs: list[dict[str, _Scored | None] | None] | None = None


class _Choice(_Prompt):
    token_ids: list[_Token]
    logprobs: _Logprobs | None = None


class _Answer(_Prompt):
    choices: Annotated[list[_Choice], Field(min_length=1, max_length=1)]


def read_result(scored: Tokens, payload: Any) -> CompletionResult:
    """Read the engine's JSON; ``scored`` are the last tokens of the prompt, whose log-probabilities were asked for.

    Raises VeilBenchError where it lacks a field, or reads the option as other tokens.
    """
    try:
        answer = _Answer.model_validate(payload)
        choice = answer.choices[0]
        return CompletionResult(
            tokens=tuple(choice.token_ids),
            prompt=tuple(answer.prompt_token_ids or choice.prompt_token_ids or ()),
            next=_next_logprobs(choice.logprobs),
            scores=_scores(scored, answer.prompt_logprobs or choice.prompt_logprobs or []),
        )
    except ValueError as error:
        said = f", but '{quoted(payload)[:100]}'" if isinstance(payload, str) else ""
        raise VeilBenchError(
            f"the engine's answer cannot be read ({_reason(error)}{said}); it must be vLLM 0.32 or one that answers in "
            "the same form."
        ) from None


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return quoted(str(error))
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return quoted(f"{place}: {first['msg']}" if place else "no JSON object")


def _next_logprobs(logprobs: _Logprobs | None) -> dict[int, float]:
    if logprobs is None:
        return {}
    if logprobs.content is not None:
        listed = {entry.token: entry.logprob for place in logprobs.content[:1] for entry in place.top_logprobs}
    else:
        listed = (logprobs.top_logprobs or [None])[0] or {}
    return {int(name.removeprefix("token_id:")): _known(value) for name, value in listed.items()}


def _scores(scored: Tokens, listed: list[dict[str, _Scored | None] | None]) -> tuple[float, ...]:
    if not listed:
        return (math.nan,) * len(scored)
    tail = listed[-len(scored) :] if scored else []
    if len(tail) < len(scored) or any(
        entry and str(token) not in entry for token, entry in zip(scored, tail, strict=True)
    ):
        raise VeilBenchError(
            "the engine reads an option as other tokens than transformers does: it must be started with VeilBench's "
            "verbatim chat template, and on the very same checkpoint."
        )
    entries = [(entry or {}).get(str(token)) for token, entry in zip(scored, tail, strict=True)]
    return tuple(_known(entry.logprob if entry else None) for entry in entries)


def _known(logprob: float | None) -> float:
    return math.nan if logprob is None else logprob
