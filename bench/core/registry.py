"""Plugins by name: built in by a decorator, from other distributions by Python entry points, imported on first use."""

import difflib
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar, get_type_hints

from bench.core.errors import DuplicateNameError, UsageError, VeilBenchError

T = TypeVar("T")
Made = TypeVar("Made")
PLUGIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
NAME_RULE = "names are lower-case letters, digits, - and _, and begin with a letter or digit"
MOST_SUGGESTIONS = 3


class OptionText(str):
    """The value of an option as it was typed: text where the option takes text, else read as what it takes."""


class Registry(Generic[T]):
    """All plugins of one kind, for example defenses.

    ``kind`` is the word used in messages, ``entry_points`` the group in which other distributions announce theirs,
    and ``modules`` the built-in modules that register themselves when imported. Nothing is imported before the
    first question.
    """

    def __init__(self, kind: str, entry_points: str, modules: Sequence[str]) -> None:
        self.kind = kind
        self._group = entry_points
        self._modules = tuple(modules)
        self._plugins: dict[str, T] = {}
        self._origins: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._distribution: str | None = None
        self._is_loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers a class or function under ``name``.

        Raises ``ValueError`` for a name that could not stand in a file name, and (when applied)
        ``DuplicateNameError`` for one that is taken.
        """
        if not PLUGIN_NAME.fullmatch(name):
            raise ValueError(f"the {self.kind}'s name {name!r} cannot be used: {NAME_RULE}")

        def decorate(plugin: T) -> T:
            self._add(name, plugin, self._origin_of(plugin))
            return plugin

        return decorate

    def names(self) -> list[str]:
        """Return all names in alphabetical order. Raises ``DuplicateNameError`` where two plugins share one."""
        self._load()
        return sorted(self._plugins)

    def built_in(self) -> list[str]:
        """Return the names of those that come with the project, in alphabetical order."""
        self._load()
        return sorted(name for name, plugin in self._plugins.items() if self._is_built_in(plugin))

    def get(self, name: str) -> T:
        """Return the plugin of that name.

        Raises ``UsageError`` with the nearest names for an unknown one, and ``VeilBenchError`` for a plugin of
        another distribution that could not be imported or has a malformed name.
        """
        self._load()
        if name in self._plugins:
            return self._plugins[name]
        if name in self._broken:
            raise VeilBenchError(f"{self.kind} {name!r} cannot be used: {self._broken[name]}")
        raise unknown_name(self.kind, name, self._plugins)

    def origin(self, name: str) -> str:
        """Return where a plugin comes from: ``bench.defenses.noise (built in)``, or its distribution and version.

        Raises as ``get``.
        """
        self.get(name)
        return self._origins[name]

    def broken(self) -> dict[str, str]:
        """Return the names of other distributions' plugins that cannot be used, each with the reason in a sentence."""
        self._load()
        return dict(self._broken)

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True  # set first: a module may ask for names while it is being imported
        try:
            for module in self._modules:
                importlib.import_module(module)
            for entry_point in entry_points(group=self._group):
                self._load_entry_point(entry_point)
        except BaseException:
            self._is_loaded = False
            raise

    def _load_entry_point(self, entry_point: EntryPoint) -> None:
        """Register what an entry point names: a plugin, or a module whose import registers its plugins."""
        with self._loading_from(entry_point) as origin:
            try:
                plugin = entry_point.load()
            except DuplicateNameError:
                raise
            except Exception as error:  # another distribution's fault must not stop the plugins that work
                self._broken[entry_point.name] = f"{origin} failed to load: {type(error).__name__}: {error}"
                return
            if isinstance(plugin, ModuleType):
                return
            if not PLUGIN_NAME.fullmatch(entry_point.name):
                self._broken[entry_point.name] = f"{origin} gives it a name that cannot be used: {NAME_RULE}."
            elif self._plugins.get(entry_point.name) is plugin:  # it also used the decorator
                self._origins[entry_point.name] = origin
            else:
                self._add(entry_point.name, plugin, origin)

    @contextmanager
    def _loading_from(self, entry_point: EntryPoint) -> Iterator[str]:
        distribution = entry_point.dist
        place = f"{distribution.name} {distribution.version}" if distribution else "an unnamed distribution"
        self._distribution = f"{place} ({entry_point.value})"
        try:
            yield self._distribution
        finally:
            self._distribution = None

    def _add(self, name: str, plugin: T, origin: str) -> None:
        if name in self._plugins:
            raise DuplicateNameError(
                f"two {self.kind}s are named {name!r}: one from {self._origins[name]}, one from {origin}; "
                "uninstall or rename one of them."
            )
        self._plugins[name] = plugin
        self._origins[name] = origin

    def _origin_of(self, plugin: T) -> str:
        module = getattr(plugin, "__module__", "an unnamed module")
        return f"{module} (built in)" if self._is_built_in(plugin) else self._distribution or module

    def _is_built_in(self, plugin: T) -> bool:
        return getattr(plugin, "__module__", None) in self._modules


def construct(registry: Registry[type[Made]], name: str, options: Mapping[str, Any]) -> Made:
    """Construct the registered class ``name`` with options by keyword.

    Values are converted to the types that the constructor declares, where they can be without loss (``2`` for a float,
    not ``2.5`` for an int); an ``OptionText`` where nothing is declared is read as YAML. Raises ``UsageError`` for an
    unknown name or option, with the nearest ones, for one that is missing, and for a value of the wrong type; whatever
    the constructor itself raises passes on.
    """
    chosen = registry.get(name)
    whose = f"{registry.kind} '{name}'"
    signature = inspect.signature(chosen)
    for option in options:
        if option not in signature.parameters:
            raise unknown_name(f"option of the {whose},", option, signature.parameters)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise UsageError(f"{whose}: {error}.") from error
    declared = _declared_types(chosen, signature)
    return chosen(**{option: _converted(whose, option, value, declared) for option, value in options.items()})


def _declared_types(plugin: type[Any], signature: inspect.Signature) -> dict[str, Any]:
    parameters = signature.parameters.values()
    stated = {one.name: one.annotation for one in parameters if one.annotation is not inspect.Parameter.empty}
    try:
        return stated | get_type_hints(plugin.__init__)
    except (NameError, TypeError, AttributeError):  # declared under a name that only a type checker has
        return {name: annotation for name, annotation in stated.items() if not isinstance(annotation, str)}


def _converted(whose: str, option: str, value: Any, declared: Mapping[str, Any]) -> Any:
    """The value as the type that the constructor declares; as it is where none is declared."""
    if option not in declared:
        return _guessed(value) if isinstance(value, OptionText) else value
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        adapter = TypeAdapter(declared[option], config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticSchemaGenerationError, PydanticUserError):
        return value
    try:
        return adapter.validate_python(str(value) if isinstance(value, OptionText) else value)
    except ValidationError as error:
        if isinstance(value, OptionText) and isinstance(_guessed(value), (list, dict)):
            return _converted(whose, option, _guessed(value), declared)
        message = error.errors(include_url=False)[0]["msg"]
        raise UsageError(
            f"{whose}: option {option}: {message[:1].lower()}{message[1:]}, and it is {value!r}."
        ) from error


def _guessed(text: OptionText) -> Any:
    """What YAML takes the text for; text where that is nothing else."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return str(text)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that is not among ``known``: it tells the nearest ones, then all."""
    ordered = sorted(known)
    suggestions = " or ".join(repr(suggestion) for suggestion in nearest(name, ordered))
    hint = f"did you mean {suggestions}? " if suggestions else ""
    return UsageError(f"unknown {kind} {name!r}: {hint}known: {', '.join(ordered) or 'none'}")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three of ``known`` that look like ``name``, the most alike first; case does not count."""
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), by_lower_case, n=MOST_SUGGESTIONS)
    return [by_lower_case[match] for match in matches]
