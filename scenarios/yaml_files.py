"""How the YAML files of this folder are read, and how an error in one is told."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from bench.core.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)
Text = Annotated[str, Field(min_length=1)]


def placeholders(template: str) -> set[str]:
    """The names in braces. Raises ``ValueError`` for braces that do not match."""
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def require_placeholders(*needed: str, optional: tuple[str, ...] = ()) -> AfterValidator:
    """Accept a template that uses all of ``needed``, perhaps some of ``optional``, and nothing else in braces."""

    def check(template: str) -> str:
        used = placeholders(template)
        if not set(needed) <= used <= {*needed, *optional}:
            wanted = " and ".join(f"{{{name}}}" for name in needed)
            perhaps = "".join(f", perhaps {{{name}}}" for name in optional)
            raise ValueError(f"'{template}' must use {wanted}{perhaps} and nothing else in braces")
        return template

    return AfterValidator(check)


def read_model(path: Path, model: type[Model]) -> Model:
    """The file as ``model``. Raises ``UsageError`` naming the file, the first wrong field and what is allowed."""
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


def _explain(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"is not known; allowed are {_allowed_fields(model, first['loc'])}"
    field = ".".join(str(entry) for entry in first["loc"])
    return f"{path}: {f'field {field}: ' if field else ''}{message}"


def _allowed_fields(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Fields of the model that the location's last entry should have been one of."""
    inside = [model]
    for entry in location[:-1]:
        if isinstance(entry, str) and entry in inside[0].model_fields:
            inside = list(_models_in(inside[0].model_fields[entry].annotation)) or inside
        elif isinstance(entry, str):
            # A union of models is told apart by the name of its kind.
            inside = [one for one in inside if entry in _kinds(one)] or inside
    return ", ".join(sorted(inside[0].model_fields))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
