"""Digest of exactly the code that a stage runs: its modules and everything of ours that they import.

Coarser digests would repeat hours of fine-tuning because a page template changed; hand-kept lists would miss a file.
"""

import ast
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.core.digests import digest_file, digest_json
from bench.core.files import write_whole
from bench.core.store import ArtifactStore

OURS = ("bench", "scenarios", "generators", "evaluators", "leaderboard")

INTERFACE = "veilbench"
"""The package that plugins import from. A name out of it counts as the module that it really is in."""

PLACES = "PLACES"
"""Name of the interface's dict from each public name to its module."""


def code_digest(modules: Sequence[str]) -> str:
    """Digest of the source of ``modules``, of what they import from us, and of the YAML files beside them.

    Nothing is imported but packages, so a module that needs an accelerator library costs nothing here. A plugin's
    module counts with everything that it imports from its own distribution's top-level package.
    """
    return CodeDigests()(modules)


class CodeDigests:
    """``code_digest`` for many stages: each file is read once, so a change while this object lives is not seen."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, ...], str] = {}
        self._files: dict[str, Path | None] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._sources: dict[str, dict[str, str]] = {}
        self._places: Mapping[str, str] | None = None
        self.sources: dict[str, Mapping[str, str]] = {}
        """Each digest that was given -> the modules and YAML files behind it with the digests of their bytes."""

    def __call__(self, modules: Sequence[str]) -> str:
        """The digest of these modules with all that they import of ours."""
        wanted = tuple(sorted(set(modules)))
        if wanted not in self._digests:
            packages = frozenset((*OURS, *(module.partition(".")[0] for module in wanted)))
            found: dict[str, str] = {}
            for module in self.closure(wanted, packages):
                found.update(self._source(module))
            digest = digest_json(found)
            self._digests[wanted], self.sources[digest] = digest, found
        return self._digests[wanted]

    def closure(self, modules: Iterable[str], packages: frozenset[str]) -> list[str]:
        """The modules and all that they import out of ``packages``, in functions too."""
        found: set[str] = set()
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            if not module or module in found:
                continue
            found.add(module)
            waiting.append(module.rpartition(".")[0])  # importing a module runs the packages above it
            waiting += [name for name in self._imported_by(module) if name.partition(".")[0] in packages]
        return sorted(found)

    def _source(self, module: str) -> dict[str, str]:
        """The module's file and the YAML files beside it, each with its digest; empty where it is no module."""
        if module not in self._sources:
            path = self._file(module)
            beside = [] if path is None else sorted(path.parent.glob("*.yaml"))
            own = {} if path is None else {module: digest_file(path)}
            self._sources[module] = own | {f"{module}/{data.name}": digest_file(data) for data in beside}
        return self._sources[module]

    def _imported_by(self, module: str) -> tuple[str, ...]:
        if module not in self._imports:
            path = self._file(module)
            names: list[str] = []
            if path is not None:
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                names = list(self._resolved(_imports(ast.parse(path.read_bytes()), package)))
            self._imports[module] = tuple(names)
        return self._imports[module]

    def _resolved(self, names: Iterable[str]) -> Iterator[str]:
        """Names out of the public interface as the modules that they are in; all others as they are."""
        for name in names:
            top, _, public = name.partition(".")
            if top != INTERFACE:
                yield name
            elif public:
                if self._places is None:
                    self._places = interface_places()
                # A name that the interface does not have fails where it is imported, not here.
                yield from filter(None, [self._places.get(public)])

    def _file(self, module: str) -> Path | None:
        if module not in self._files:
            self._files[module] = _file_of(module)
        return self._files[module]


def interface_places() -> dict[str, str]:
    """Public name -> module, as the interface's source states it; empty where it is not installed."""
    path = _file_of(INTERFACE)
    for node in [] if path is None else ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.AnnAssign) and node.value is not None and getattr(node.target, "id", "") == PLACES:
            return dict(ast.literal_eval(node.value))
    return {}


def _imports(tree: ast.Module, package: str) -> tuple[str, ...]:
    """Names of modules imported anywhere in a source, also inside functions; ``from a import b`` counts a and a.b.

    ``import veilbench`` counts with each attribute that is looked up on it.
    """
    names: list[str] = []
    aliases: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name == INTERFACE}
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                start = ".".join([*above, start] if start else above)
            names += [start, *(f"{start}.{alias.name}" for alias in node.names)]
    looked_up = (node for node in ast.walk(tree) if aliases and isinstance(node, ast.Attribute))
    names += [f"{INTERFACE}.{node.attr}" for node in looked_up if getattr(node.value, "id", None) in aliases]
    return tuple(names)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement of a source, in functions too. Expressions, most of a tree, hold no import."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, None)
            waiting += inner if isinstance(inner, list) else []


def _file_of(module: str) -> Path | None:
    """The module's file; None for what is no module of ours, such as a name inside one.

    ``importlib.util.find_spec`` on a dotted name would run the modules above it; looking along the path does not.
    """
    top, *below = module.split(".")
    found = importlib.util.find_spec(top)
    if found is None:
        return None
    if not below and found.origin and found.origin.endswith(".py"):
        return Path(found.origin)
    for location in found.submodule_search_locations or ():
        place = Path(location).joinpath(*below)
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if below and candidate.is_file():
                return candidate
    return None


def keep_sources(store: ArtifactStore, sources: Mapping[str, Mapping[str, str]]) -> None:
    """Keep what stands behind code digests, so that a later plan can tell which module changed."""
    for digest, found in sources.items():
        path = _kept(store, digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(found, sort_keys=True, indent=0).encode())


def kept_sources(store: ArtifactStore, digest: str) -> dict[str, str] | None:
    """The modules behind a code digest with the digests of their bytes, where they were kept."""
    try:
        found = json.loads(_kept(store, digest).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _kept(store: ArtifactStore, digest: str) -> Path:
    return store.root / "code" / f"{digest}.json"
