"""Texts of a dataset that a shipped target cannot be told or cannot say, for ``data check``."""

from collections.abc import Sequence

from bench.targets.base import TargetSpec
from bench.targets.checkpoints import family_of, shipped_checkpoints
from bench.targets.texts import Told, control_spellings, no_text, prompt_text, told_in, too_long, unsayable
from generators.checks.finding import CheckReport, Finding, and_more
from scenarios.dataset import Dataset

CHECK = "texts"


def check_texts(dataset: Dataset) -> CheckReport:
    """Too long texts (errors), answers that a tokenizer changes (warnings), spellings of control tokens (notes)."""
    told = told_in(dataset)
    findings = [Finding("error", CHECK, row, f"{problem}.") for row, problem in no_text(told)]
    if findings:
        return CheckReport(tuple(findings))
    for checkpoint in shipped_checkpoints():
        spec = TargetSpec(checkpoint, family_of(checkpoint))
        findings += [Finding("error", CHECK, row, f"{problem}.") for row, problem in too_long(spec, told)]
        findings += _changed(spec, dataset)
        findings += _spelled(spec, told)
    return CheckReport(tuple(findings))


def _changed(spec: TargetSpec, dataset: Dataset) -> list[Finding]:
    """Shipped tokenizers give back whatever is written in ASCII, so that only other answers are looked at."""
    answers = dataset.probes[["probe_id", "answer", "aliases"]].to_dict("records")
    rows = {answer: row["probe_id"] for row in answers[::-1] for answer in (row["answer"], *row["aliases"])}
    doubtful = [answer for answer in rows if not answer.isascii()]
    if not doubtful:
        return []
    return [
        Finding(
            "warning",
            CHECK,
            f"probe '{rows[answer]}'",
            f"the tokenizer of {spec.checkpoint} gives '{answer}' back as '{back}', so it can never be answered.",
        )
        for answer, back in unsayable(prompt_text(spec), doubtful)
    ]


def _spelled(spec: TargetSpec, told: Sequence[Told]) -> list[Finding]:
    rows: dict[str, list[str]] = {}
    for row, token in control_spellings(spec, told):
        rows.setdefault(token, []).append(row)
    return [
        Finding(
            "note",
            CHECK,
            found[0],
            f"holds '{token}', a control token of {spec.checkpoint}: text here, but not to every other tool"
            f"{and_more(found)}.",
        )
        for token, found in rows.items()
    ]
