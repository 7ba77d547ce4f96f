"""What is wrong with a suite, in one sentence that names the file, the field and what is allowed."""

from collections.abc import Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bench.core.registry import nearest
from bench.plan.suite import Suite
from bench.targets.recipes import RecipeEntry


def describe_first_error(place: str, error: ValidationError) -> str:
    """One sentence: ``place`` (the file), the field, what is wrong with it and what is allowed."""
    # A misspelt field also shows as a missing one; the misspelling is what helps.
    first, *others = sorted(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    field = ".".join(str(part) for part in first["loc"]) or "suite"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = _fields_at(first["loc"][:-1])
        guesses = nearest(str(first["loc"][-1]), known)
        hint = f" (did you mean {' or '.join(guesses)}?)" if guesses else ""
        message = f"not a known field{hint}; allowed here: {', '.join(known)}"
    elif first["type"] == "missing":
        message = "this field is missing"
    elif not first["loc"]:
        message = f"{message[:1].lower()}{message[1:]}"
    else:
        message = f"{message[:1].lower()}{message[1:]}, and it is {first['input']!r}"
    more = f" ({len(others)} more)" if others else ""
    return f"{place}: field {field}: {message}{more}."


def _fields_at(location: Sequence[int | str]) -> list[str]:
    """What may stand at a place of the suite; a recipe may have a name, a suite another to extend."""
    model = _model_at(location)
    more = {RecipeEntry: ["name"], Suite: ["extends"]}.get(model, [])
    return [*more, *model.model_fields]


def _model_at(location: Sequence[int | str]) -> type[BaseModel]:
    """The model whose fields are allowed at a place of the suite, for example ``("targets", 0)``."""
    model: type[BaseModel] = Suite
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_within(model.model_fields[part].annotation) or model
    return model


def _model_within(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, list, Union, UnionType):
        return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
    return None
