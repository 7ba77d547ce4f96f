"""What belongs together: a run and its controls, and the runs of one cell, which differ in their seed alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.core.digests import digest_json, short
from leaderboard.schema import Record

DEFENSE_FIELDS = frozenset(
    {
        "defense",
        "defense_options",
        "defense_seed",
        "surrogates",
        "budget_norm",
        "budget_eps",
        "visible",
        "ratio",
    }
)
"""What of a specification says how the photos were defended: only in this may a run differ from its undefended one."""

BASE_FIELDS = ("dataset_digest", "limit", "cohort", "target_digest", "backend")
"""What a run has in common with the base control, which nobody attacked."""

ABOUT_RECIPE = frozenset({"source"})
"""What in a recipe decides nothing."""


def cell_key(record: Record) -> str:
    """The digest of all that makes a run, but for its training seed: equal for runs that differ in that alone."""
    spec = record.spec
    made = {
        "people": [spec.dataset_digest, spec.limit, spec.cohort],
        "target": [spec.target_digest, _dtype(record), spec.backend],
        "defense": [spec.defense, spec.defense_options, spec.defense_seed, spec.visible, spec.ratio],
        "budget": [spec.budget_norm, spec.budget_eps],
        "surrogates": [one.digest for one in spec.surrogates],
        "attack": declared_attack(record),
    }
    return digest_json(made)


def control_fault(record: Record, role: str, control: Record) -> str:
    """Why a record cannot be read against that control (``base`` or ``undefended``); empty where it can.

    The fault ends a sentence that names the control.
    """
    if not (control.is_base if role == "base" else control.is_undefended):
        return f"is no {role} control"
    own, other = _compared(record, role), _compared(control, role)
    for field in own:
        if own[field] != other[field]:
            return f"has another {field}: {_shown(other[field])} in place of {_shown(own[field])}"
    return ""


def doubled_runs(records: Mapping[str, Record]) -> tuple[str, str] | None:
    """The names of two records of one cell with one seed, if there are any; ``records`` are those that count."""
    known: dict[tuple[str, int], str] = {}
    for name, record in records.items():
        key = cell_key(record), record.spec.seed
        if key in known:
            return known[key], name
        known[key] = name
    return None


def declared_attack(record: Record) -> dict[str, Any]:
    """The attack as it was announced, as plain values: by its recipe, or by the space that it searched, where it chose.

    Runs under equal ones are runs under the same attacker.
    """
    spec = record.spec
    recipe = {name: value for name, value in spec.recipe.items() if name not in ABOUT_RECIPE}
    declared = {"search": spec.search} if spec.search else {"recipe": recipe}
    return {"attack": spec.attack, "adaptive": spec.adaptive, "synthesis": spec.synthesis, **declared}


def _compared(record: Record, role: str) -> dict[str, Any]:
    """Field -> what must be the same in a run and its control of that role."""
    spec = record.spec
    fields: Sequence[str] = BASE_FIELDS
    if role == "undefended":
        # What a tuned attacker chose depends on the defense, the space that it searched does not.
        apart = DEFENSE_FIELDS | ({"recipe"} if spec.search else set())
        fields = [name for name in type(spec).model_fields if name not in apart]
    compared = {f"spec.{name}": getattr(spec, name) for name in fields}
    compared["environment.dtype"] = _dtype(record)
    compared["people.digest"] = record.people.digest if record.people else ""
    return compared


def _dtype(record: Record) -> str:
    return str(record.environment.get("dtype", ""))


def _shown(value: object) -> str:
    text = str(value)
    return short(text) if len(text) == 64 else text or "none"
