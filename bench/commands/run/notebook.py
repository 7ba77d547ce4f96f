"""``veilbench.run``: a suite's results as tables, for notebooks and scripts."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands.completion import BACKENDS
from bench.commands.options import DEFAULT_STORE, open_store
from bench.commands.run.running import Outcome, RunOrder, run_suite
from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from bench.execute.engines import chosen_backend
from bench.plan.suite import Suite
from bench.plan.suite_files import load_suite
from bench.publish.results import as_json
from leaderboard.schema import Record

if TYPE_CHECKING:
    import pandas as pd

TEXTS = frozenset({"access", "surrogates", "attackers", "attack", "rank", "refusal", "unranked"})
SPEC_COLUMNS = ("label", "defense", "attack", "target", "cohort", "ratio", "seed")


@dataclass(frozen=True)
class SuiteResult:
    """What a suite gave. It shows itself as a table in a notebook; everything behind it is a frame or a record."""

    outcome: Outcome

    @property
    def page(self) -> Path:
        """The leaderboard's index.html."""
        return self.outcome.publication.page

    @property
    def records(self) -> list[Record]:
        """Every run's record, controls included."""
        return [one.record for one in self.outcome.publication.runs]

    @property
    def failures(self) -> dict[str, str]:
        """Stage -> why it failed, of a run that went on in spite of it."""
        return {one.stage: one.reason for one in self.outcome.failures}

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row a run, controls first: what was run, leakage, zero and excess with intervals, utility, …

        Shares are fractions in [0, 1]; NaN is a number that was not measured or was refused.
        """
        import pandas as pd

        return pd.DataFrame([_flat(one) for one in (*self._result["controls"], *self._result["runs"])])

    @cached_property
    def headlines(self) -> "pd.DataFrame":
        """One row a defense and target: what its strongest attacker gets, and which part of the leak remains.

        Columns as in ``bench.publish.headlines``, intervals as two.
        """
        import pandas as pd

        return pd.DataFrame([_flat(one) for one in self._result["headlines"]])

    @cached_property
    def _result(self) -> dict[str, Any]:
        return as_json(self.outcome.plan, self.outcome.publication, self.outcome.computed)

    @cached_property
    def answers(self) -> "pd.DataFrame":
        """One row an answer of all runs: which run, whose photo, the question, what is right, what was said.

        Columns of ``leaderboard.records.ROW_COLUMNS`` behind those that name the run.
        """
        import pandas as pd

        from leaderboard.records import load_rows

        frames = []
        for one in self.outcome.publication.runs:
            rows = load_rows(one.record, one.path.parent)
            for place, column in enumerate(SPEC_COLUMNS):
                rows.insert(place, column, getattr(one.run, column))
            frames.append(rows)
        return pd.concat(frames, ignore_index=True)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from html import escape

        wanted = [*SPEC_COLUMNS, "leakage", "leakage_low", "leakage_high", "zero", "utility", "ssim"]
        shown = _html(self.table[wanted])
        if len(self.headlines):
            told = ["target", "label", "leakage", "attack", "headline", "headline_low", "headline_high", "upper_bound"]
            shown = _html(self.headlines[told]) + shown
        lost = "".join(f"<li>{escape(stage)}: {escape(why)}</li>" for stage, why in self.failures.items())
        title = escape(self.outcome.plan.suite.title)
        missing = f"<p>Failed:</p><ul>{lost}</ul>" if lost else ""
        return f"<h3>{title}</h3>{shown}{missing}<p>Page: {escape(str(self.page))}</p>"


def run(
    suite: str | Suite = "quick",
    *,
    limit: int | None = None,
    seed: int | None = None,
    changes: Sequence[str] = (),
    backend: str = "transformers",
    vllm: str = "",
    endpoint: str = "",
    store: str | Path | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    keep_going: bool = False,
) -> SuiteResult:
    """Run a suite as ``veilbench run`` does, and give its results; what was computed before is reused.

    ``suite`` is the name of a shipped one, a file, or what ``load_suite`` gave; ``changes`` are those of ``--set``,
    for example ``["budget.eps=4"]``. Progress goes to standard error. In a script, call it under
    ``if __name__ == "__main__"``: worker processes import the script. Raises UsageError for wrong use, DataError for
    bad data, and VeilBenchError where a stage fails and ``keep_going`` is False.
    """
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    if not isinstance(suite, str) and changes:
        raise UsageError("changes go with a suite's name or file: give load_suite the changes, or run its name.")
    chosen = load_suite(suite, changes) if isinstance(suite, str) else suite
    place = Path(store or os.environ.get("VEILBENCH_STORE") or DEFAULT_STORE)
    order = RunOrder(
        chosen.with_seed(seed),
        open_store(place),
        Path(out) if out is not None else None,
        limit,
        chosen_backend(backend, vllm, endpoint),
        workers,
        keep_going,
    )
    return SuiteResult(run_suite(order))


def _html(table: "pd.DataFrame") -> str:
    return str(table.to_html(index=False, float_format="{:.2f}".format, na_rep="–", border=0))


def _flat(described: dict[str, object]) -> dict[str, object]:
    """A described run or headline as one row: intervals as two columns, leakage of each scenario as one."""
    row: dict[str, object] = {}
    for key, value in described.items():
        if key.endswith("_ci95"):
            low, high = value if isinstance(value, list) else (math.nan, math.nan)
            row |= {f"{key.removesuffix('_ci95')}_low": low, f"{key.removesuffix('_ci95')}_high": high}
        elif isinstance(value, dict):
            row |= {f"{key.removesuffix('_by_scenario')}_{part}": share for part, share in value.items()}
        elif isinstance(value, list):
            row[key] = ", ".join(map(str, value))
        else:
            # None would make a column of numbers one of objects.
            row[key] = math.nan if value is None and key not in TEXTS else value
    return row
