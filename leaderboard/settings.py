"""What must be equal for two runs to be read side by side, and how a page names it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from leaderboard.schema import Record

SHORT_DIGEST = 8


@dataclass(frozen=True, order=True)
class Setting:
    """The same photos, target and protection ratio. The target is the same only with one backend and number type."""

    dataset: str
    dataset_digest: str
    target: str
    target_digest: str
    backend: str
    dtype: str
    ratio: float

    @classmethod
    def of(cls, record: Record) -> Self:
        """The setting of a record's run."""
        spec = record.spec
        return cls(
            dataset=spec.dataset,
            dataset_digest=spec.dataset_digest,
            target=spec.target,
            target_digest=spec.target_digest,
            backend=spec.backend,
            dtype=str(record.environment.get("dtype", "")),
            ratio=spec.ratio,
        )

    @property
    def photos(self) -> tuple[str, str, float]:
        """What is attacked, whatever the target: dataset and protection ratio."""
        return (self.dataset, self.dataset_digest, self.ratio)

    @property
    def model(self) -> tuple[str, str, str, str]:
        """What is asked, whatever the photos: the target and how it computes."""
        return (self.target, self.target_digest, self.backend, self.dtype)


def made_of(record: Record) -> str:
    """The defense with its options, budget, seed and surrogates, as text that is equal for equal ones."""
    spec = record.spec
    surrogates = [one.digest for one in spec.surrogates]
    budget = (spec.budget_norm, spec.budget_eps, spec.visible)
    made = (spec.defense, spec.defense_options, budget, spec.defense_seed, surrogates)
    return json.dumps(made, sort_keys=True)


def board_titles(settings: Sequence[Setting]) -> list[str]:
    """One title a setting: its target, and whatever else is not the same in all of them."""
    more = {
        "dataset": _named(settings, lambda one: one.dataset, lambda one: one.dataset_digest),
        "ratio": [f"protection ratio {one.ratio:g}" for one in settings],
    }
    shown = [titles for titles in more.values() if len(set(titles)) > 1]
    return [", ".join(parts) for parts in zip(model_titles(settings), *shown, strict=True)]


def model_titles(settings: Sequence[Setting]) -> list[str]:
    """One title a setting: the target's name, with backend and number type only where these tell two apart."""
    more = {"backend": [one.backend for one in settings], "dtype": [one.dtype for one in settings]}
    shown = [titles for titles in more.values() if len(set(titles)) > 1]
    names = _named(settings, lambda one: one.target, lambda one: one.target_digest)
    return [", ".join(part for part in parts if part) for parts in zip(names, *shown, strict=True)]


def _named(settings: Sequence[Setting], name: Callable[[Setting], str], digest: Callable[[Setting], str]) -> list[str]:
    """Names; with a piece of the digest where two things share one name."""
    digests: dict[str, set[str]] = {}
    for one in settings:
        digests.setdefault(name(one), set()).add(digest(one))
    return [
        name(one) if len(digests[name(one)]) == 1 else f"{name(one)} {digest(one)[:SHORT_DIGEST]}" for one in settings
    ]
