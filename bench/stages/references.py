"""What specs of stages name instead of holding it: datasets, targets, plugins and earlier artifacts, by digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bench.targets.base import TargetSpec

_PLAIN = frozenset({str, int, float, bool, type(None)})


def undecisive(default: Any) -> Any:
    """A field of a spec that decides no result, and so stands in no key."""
    return field(default=default, metadata={"decides": False})


@dataclass(frozen=True)
class DatasetReference:
    """Where a dataset is found, which of its people count, and the digest of what that gives.

    ``limit`` keeps the first people of each cohort, ``cohort`` those of one. ``n_photos`` that are trained on and
    ``n_probes`` only serve estimates.
    """

    location: str
    limit: int | None
    digest: str
    n_photos: int = 0
    n_probes: int = 0
    cohort: str = ""

    def identity(self) -> Any:
        """The content decides, not the place."""
        return self.digest


@dataclass(frozen=True)
class PinnedTarget:
    """A target, the digest of its checkpoint's files, the module of its family, and how many bytes its weights are."""

    spec: TargetSpec
    digest: str
    module: str = ""
    weight_bytes: int = 0

    def identity(self) -> Any:
        """The checkpoint's content decides, not its name or folder; the module's code has a digest of its own."""
        rest = {one.name: getattr(self.spec, one.name) for one in fields(self.spec) if one.name != "checkpoint"}
        return {**rest, "digest": self.digest}


@dataclass(frozen=True)
class PinnedPlugin:
    """A registered plugin by its name, and the module that it is in."""

    name: str
    module: str

    def identity(self) -> Any:
        """The name; the module's code has a digest of its own."""
        return self.name


@dataclass(frozen=True)
class ArtifactReference:
    """An artifact by its stage of the store and its key, which is known before it exists."""

    kind: str
    key: str


def identity(value: Any) -> Any:
    """The part of a spec that decides a stage's result, as plain JSON values."""
    if type(value) in _PLAIN:  # most of what a plan identifies, and the checks below are slow
        return value
    if hasattr(value, "identity"):
        return value.identity()
    if is_dataclass(value) and not isinstance(value, type):
        decisive = [one.name for one in fields(value) if one.metadata.get("decides", True)]
        return {name: identity(getattr(value, name)) for name in decisive}
    if isinstance(value, Mapping):
        return {str(key): identity(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [identity(item) for item in value]
    return value


def artifacts_named_in(value: Any) -> Iterator[ArtifactReference]:
    """Every earlier artifact that a spec reads, from its fields and those of the dataclasses in it."""
    if type(value) in _PLAIN:
        return
    if isinstance(value, ArtifactReference):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from artifacts_named_in(getattr(value, one.name))
