"""Runs without a result, and the reason that is given."""

from collections.abc import Sequence
from dataclasses import replace

from sample_plan import PHOTOS, QUICK, sample_ingredients

from bench.core.digests import digest_bytes
from bench.execute.base import StageFailure
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.publish.missing import missing_runs

FINETUNE = "finetune none naive tiny-llava seed 0"


def planned() -> Plan:
    """``quick``: three defenses, two attacks, one target."""
    return build_plan(QUICK, sample_ingredients())


def failing(plan: Plan, name: str, reason: str = "no luck") -> list[StageFailure]:
    """What an executor returns where this stage fails: the stage, and all that rests on it."""
    rest = [other for other in plan.stages if other != name and name in plan.behind(other)]
    return [StageFailure(name, reason), *(StageFailure(other, f"rests on '{name}'", name) for other in rest)]


def told(failures: Sequence[StageFailure]) -> dict[tuple[str, str], str]:
    """Label and attack -> reason."""
    return {(one.label, one.attack): one.reason for one in missing_runs(planned(), failures).values()}


def test_without_a_failure_nothing_is_missing() -> None:
    assert told([]) == {}


def test_a_defense_that_fails_costs_its_own_runs() -> None:
    assert told(failing(planned(), "protect dp2vl")) == {
        ("dp2vl", "naive"): "no luck",
        ("dp2vl", "augment"): "no luck",
    }


def test_runs_that_rest_on_a_failed_control_are_missing_because_of_it() -> None:
    because = "its undefended control is missing: no luck"
    assert told(failing(planned(), FINETUNE)) == {
        ("none", "naive"): "no luck",
        ("noise", "naive"): because,
        ("dp2vl", "naive"): because,
    }


def test_a_control_that_was_scored_but_not_recorded_costs_what_is_read_against_it() -> None:
    found = told(failing(planned(), "record base tiny-llava"))
    assert found.pop(("none", "base")) == "no luck"
    assert set(found.values()) == {"its base control is missing: no luck"}
    assert len(found) == 6


def test_a_failure_in_one_cohort_costs_that_cohort_and_is_told_with_its_name() -> None:
    parts = tuple(replace(PHOTOS, cohort=name, digest=digest_bytes(name.encode())) for name in ("a", "b"))
    plan = build_plan(QUICK, sample_ingredients(cohorts=parts))
    gone = missing_runs(plan, failing(plan, "protect dp2vl cohort b")).values()
    assert [(one.label, one.attack, one.cohort) for one in gone] == [("dp2vl", "naive", "b"), ("dp2vl", "augment", "b")]
    assert {one.sentence for one in gone} == {"the run of training seed 0 on cohort b is missing: no luck"}
