"""Why a stage is not in the store: the fields in which it differs from the nearest artifact there."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench.core.digests import short, to_plain
from bench.core.manifest import read_manifest
from bench.core.registry import unknown_name
from bench.core.store import ArtifactStore
from bench.plan.plan import Plan
from bench.stages.base import Stage
from bench.stages.code import kept_sources

CODE = "code"
DATASET = ("spec.dataset", "spec.questions.dataset")
ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """A field of a stage's inputs that is not what it was for the nearest artifact; ``about`` says what that means."""

    field: str
    planned: Any
    stored: Any
    about: str = ""


@dataclass(frozen=True)
class Explanation:
    """A stage, its state, and how it differs from the artifact ``nearest`` (a key) of its kind in the store, if any."""

    stage: str
    kind: str
    key: str
    state: str
    nearest: str | None = None
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same as one JSON object."""
        return asdict(self)


def explain_stage(plan: Plan, name: str, store: ArtifactStore) -> Explanation:
    """Why a stage of the plan is a miss.

    Raises UsageError with the nearest names for a stage that is not in it, and where there is no store.
    """
    if name not in plan.stages:
        raise unknown_name("stage", name, plan.stages)
    store.check_there()
    stage = plan.stages[name]
    found = Explanation(name, stage.kind, stage.key, plan.states(store)[name])
    if found.state == "hit":
        return found
    inputs = dict(_leaves(to_plain(stage.inputs)))
    nearest: tuple[int, str, dict[str, Any]] | None = None
    for entry in store.entries():
        manifest = read_manifest(entry.path) if entry.stage == stage.kind else None
        if manifest is not None:
            stored = dict(_leaves(to_plain(manifest.inputs)))
            distance = len(_differing(inputs, stored))
            nearest = min(
                nearest or (distance, entry.key, stored), (distance, entry.key, stored), key=lambda one: one[:2]
            )
    if nearest is None:
        return found
    _, key, stored = nearest
    differences = tuple(
        difference
        for field in _differing(inputs, stored)
        for difference in _told(field, inputs.get(field, ABSENT), stored.get(field, ABSENT), stage, plan, store)
    )
    return Explanation(name, stage.kind, stage.key, found.state, key, differences)


def explanation_lines(explanation: Explanation) -> list[str]:
    """The explanation for people, one line a difference."""
    one = explanation
    head = f"{one.stage}: {short(one.key)}"
    if one.state == "hit":
        return [f"{head} is in the store: there is nothing to compute."]
    state = "is not in the store" if one.state == "miss" else "is not in the store, and nothing that will run needs it"
    if one.nearest is None:
        return [
            f"{head} {state}, and neither is any other artifact of the kind '{one.kind}': it was never computed there."
        ]
    lines = [f"{head} {state}. The nearest artifact there is {one.kind} {short(one.nearest)}; it differs in:"]
    for difference in one.differences:
        lines.append(f"  {difference.field}: {_brief(difference.stored)} there, {_brief(difference.planned)} now")
        lines += [f"      {difference.about}"] if difference.about else []
    return lines


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted place, value) of everything in nested mappings and lists that is neither."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}.{index}")
    else:
        yield place, value


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(field for field in one.keys() | other.keys() if one.get(field, ABSENT) != other.get(field, ABSENT))


def _told(
    field: str, planned: Any, stored: Any, stage: Stage, plan: Plan, store: ArtifactStore
) -> Iterator[Difference]:
    if field == CODE:
        yield Difference(field, planned, stored, _code(planned, stored, plan, store))
        return
    earlier = [name for name in stage.depends_on if plan.stages[name].key == planned]
    about = f"rests on '{earlier[0]}': --explain that stage" if earlier else ""
    if field in DATASET:
        about = "other people, photos or probes: another dataset, cohort or limit"
    yield Difference(field, planned, stored, about)


def _code(planned: str, stored: str, plan: Plan, store: ArtifactStore) -> str:
    """Which modules changed, where what stood behind the stored digest was kept."""
    now, then = plan.code_sources.get(planned), kept_sources(store, stored)
    if now is None or then is None:
        return "a module that the stage runs changed; which one is not known any more"
    changed = _differing(now, then)
    return f"changed: {', '.join(changed[:8])}{f' and {len(changed) - 8} more' if len(changed) > 8 else ''}"


def _brief(value: Any) -> str:
    text = str(value)
    return short(text) if len(text) == 64 and text.isalnum() else text if len(text) <= 60 else f"{text[:57]}..."
