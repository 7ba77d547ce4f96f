"""What a check says: one finding a line, and figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Level = Literal["error", "warning", "note"]
T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """One thing that was found. ``row`` is such as ``pairs pet/evaluation-003-pet``, or "" for the whole dataset.

    ``error``: the dataset's numbers would be wrong, or it may not be shared. ``warning``: somebody has to look.
    ``note``: worth knowing, such as a check that was left out.
    """

    level: Level
    check: str
    row: str
    message: str


@dataclass(frozen=True)
class CheckReport:
    """The findings in the order of the checks, and figures by name; counts, shares in [0, 1] and similarities."""

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.level == "error" for finding in self.findings)


def merge(reports: Iterable[CheckReport]) -> CheckReport:
    """One report of several, in their order; of two figures with one name the later one stays."""
    listed = list(reports)
    figures = {name: value for report in listed for name, value in report.figures.items()}
    return CheckReport(tuple(finding for report in listed for finding in report.findings), figures)


def row_name(table: str, row: Mapping[str, object]) -> str:
    """How a finding names a row: ``people evaluation-003``, ``pairs pet/evaluation-003-pet``."""
    if table == "people":
        return f"people {row['person_id']}"
    return f"{table} {row['scenario']}/{row['pair_id' if table == 'pairs' else 'probe_id']}"


def grouped(items: Iterable[T], key: Callable[[T], object]) -> list[list[T]]:
    """Items with equal keys together, in the order in which each key comes first."""
    groups: dict[object, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def and_more(rows: Sequence[object]) -> str:
    """What to add to a finding that names the first of several rows: how many more there are, or nothing."""
    others = len(rows) - 1
    return f" (and {others} more {'row' if others == 1 else 'rows'} alike)" if others else ""
