"""What a finished suite says, as one JSON object for machines."""

from collections.abc import Set
from dataclasses import asdict
from typing import Any

from bench.plan.plan import Plan, PlannedRun
from bench.publish.headlines import described_headlines
from bench.publish.records import Publication, PublishedRun
from leaderboard.schema import Record

Described = dict[str, Any]
"""A run as the JSON object has it."""

METRIC_KEYS = {
    "zero": "zero",
    "open_answer": "leakage_open",
    "exposed": "exposed",
    "exposed_by_chance": "exposed_by_chance",
    "worst_tenth": "worst_tenth",
    "worst_tenth_by_chance": "worst_tenth_by_chance",
    "member_protected": "member_protected",
    "member_clean": "member_clean",
    "stranger_rate": "stranger_rate",
    "utility": "utility",
    "name_open": "name_open",
    "ssim": "ssim",
    "psnr": "psnr",
}
"""Key of the JSON object -> metric of the record."""


def as_json(plan: Plan, publication: Publication, computed: Set[str]) -> dict[str, Any]:
    """The object that ``veilbench run --json`` prints. ``computed`` names the stages that this command computed.

    ``runs`` holds the fine-tuned models, the undefended control (``none``) included; ``controls`` the base models.
    Shares are fractions in [0, 1]; null is a number that was not measured or was refused. ``access`` says whether the
    defense optimised against the attacked model itself ("white box") or only against others ("transfer"). ``cohort`` is
    empty where all people were trained together. ``headlines`` are what the runs together say of each defense on each
    target: no run says that alone. ``missing`` lists runs without a result, each with the reason.
    """
    described = [(one.run, _describe(one, plan, computed)) for one in publication.runs]
    return {
        "suite": plan.suite.name,
        "page": str(publication.page),
        "records": [str(one.path) for one in publication.runs],
        "headlines": described_headlines(publication.boards),
        "runs": [one for run, one in described if not run.is_base],
        "controls": [one for run, one in described if run.is_base],
        "missing": [asdict(one) for one in publication.missing],
    }


def is_cached(run: PlannedRun, plan: Plan, computed: Set[str]) -> bool:
    """Whether nothing that the run rests on was computed by this command, its controls included."""
    return not plan.behind(run.stages["record"]) & computed


def _describe(one: PublishedRun, plan: Plan, computed: Set[str]) -> dict[str, Any]:
    record = one.record
    by_scenario = {m.scenario: m.value for m in record.metrics if m.name == "leakage" and m.scenario is not None}
    return {
        "defense": one.run.defense,
        "label": one.run.label,
        "target": one.run.target,
        "target_digest": record.spec.target_digest,
        "target_family": record.spec.target_family,
        "backend": record.spec.backend,
        "surrogates": [surrogate.checkpoint for surrogate in record.spec.surrogates],
        "access": record.spec.access,
        "attack": one.run.attack,
        "cohort": one.run.cohort,
        "ratio": one.run.ratio,
        "seed": one.run.seed,
        "leakage": _value(record, "leakage"),
        "leakage_ci95": _interval(record, "leakage"),
        "excess": _value(record, "excess"),
        "excess_ci95": _interval(record, "excess"),
        **{key: _value(record, metric) for key, metric in METRIC_KEYS.items()},
        "leakage_by_scenario": by_scenario,
        "seconds_per_photo": one.costs.get("seconds_per_photo"),
        "cached": is_cached(one.run, plan, computed),
        "run_digest": one.run.digest,
        "record": str(one.path),
    }


def _value(record: Record, name: str) -> float | None:
    metric = record.metric(name)
    return None if metric is None else metric.value


def _interval(record: Record, name: str) -> list[float] | None:
    metric = record.metric(name)
    return None if metric is None or metric.low is None or metric.high is None else [metric.low, metric.high]
