"""Whether somebody stated that a photo may be used, and in words that say something."""

from collections.abc import Iterator
from typing import Any

from generators.checks.finding import CheckReport, Finding, Level, and_more, grouped, row_name
from generators.checks.text import words
from scenarios.dataset import Dataset

CHECK = "consent"
Row = dict[Any, Any]
PLACEHOLDERS = frozenset(
    ["yes", "no", "y", "true", "ok", "okay", "sure", "given", "granted", "consent", "consented", "consent given", "x"]
    + ["todo", "to do", "tbd", "fixme", "test", "n a", "na", "nan", "none", "null", "unknown", "unclear", "other"]
    + ["licence", "license", "free", "public", "1"]
)
_ADVICE = {
    "consent": "state who agreed to what and where that is kept, or 'not needed: ' and why",
    "licence": "name it, such as CC0-1.0",
}


def check_consent(dataset: Dataset) -> CheckReport:
    """Photos without consent or licence (an error for real photos, else a warning), and words that state nothing.

    One finding for all rows of one person in one table with the same fault.
    """
    findings: list[Finding] = []
    for table in ("pairs", "probes"):
        rows = getattr(dataset, table).to_dict("records")
        for group in grouped(rows, lambda row: (row["person_id"], row["source"], row["consent"], row["licence"])):
            findings.extend(_findings(table, group))
    return CheckReport(tuple(findings))


def _findings(table: str, rows: list[Row]) -> Iterator[Finding]:
    first = rows[0]
    name, more = row_name(table, first), and_more(rows)
    for column, advice in _ADVICE.items():
        said = words(first[column])
        if not said:
            level: Level = "error" if first["source"] == "real" else "warning"
            message = f"{column} of a {first['source']} photo is empty: {advice}{more}."
            yield Finding(level, CHECK, name, message)
        elif " ".join(said) in PLACEHOLDERS:
            yield Finding("warning", CHECK, name, f"{column} '{first[column]}' states nothing: {advice}{more}.")
