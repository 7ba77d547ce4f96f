"""Which runs have no result, and why."""

from collections.abc import Sequence

from bench.execute.base import StageFailure
from bench.plan.plan import Plan, PlannedRun
from leaderboard.missing import MissingRun


def missing_runs(plan: Plan, failures: Sequence[StageFailure]) -> dict[str, MissingRun]:
    """Run digest -> the run and the reason, for each that rests on a failed stage or on a control that does.

    A control's own stages come first in the plan, so that a run whose control is missing is told because of it.
    """
    reasons = {failure.stage: failure for failure in failures}
    missing: dict[str, MissingRun] = {}
    for run in plan.runs:
        reason = _own_reason(run, reasons) or _controls_reason(run, missing)
        if reason:
            missing[run.digest] = MissingRun(run.label, run.attack, run.target, run.ratio, run.seed, reason, run.cohort)
    return missing


def _own_reason(run: PlannedRun, reasons: dict[str, StageFailure]) -> str:
    """What failed of the run's own stages, in the failed stage's own words."""
    for what in ("score", "record"):
        failure = reasons.get(run.stages[what])
        if failure is not None:
            cause = reasons.get(failure.rests_on, failure)
            own = failure.rests_on == "" or failure.rests_on in run.stages.values()
            whose = "" if own else f"it rests on '{failure.rests_on}': "
            return f"{whose}{cause.reason}"
    return ""


def _controls_reason(run: PlannedRun, missing: dict[str, MissingRun]) -> str:
    for digest in run.controls:
        if digest in missing:
            control = "base" if missing[digest].attack == "base" else "undefended"
            return f"its {control} control is missing: {missing[digest].reason}"
    return ""
