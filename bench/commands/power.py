"""``veilbench power``: what difference a study could detect, before anything is trained."""

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from bench.core.statistics.power import Design, Detectable, VarianceComponents

app = typer.Typer()

SHIPPED = "families_components.json"
"""Components of the suite families, as this command wrote them with ``--json``."""

Count = Annotated[int, typer.Option(min=1)]


@app.command(epilog="Example:  veilbench power --people 100 --cohorts 5 --seeds 3 --attacks 12")
def power(
    people: Annotated[int, typer.Option(min=2, help="People in all, whose photos are trained on.")],
    cohorts: Annotated[int, typer.Option(min=1, help="Groups that they are trained in, apart from each other.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Training seeds of each cohort.")] = 1,
    attacks: Annotated[int, typer.Option(min=1, help="Attackers that every defense meets.")] = 1,
    like: Annotated[
        Path | None,
        typer.Option(metavar="RECORDS", help="Folder of records that say how much people and runs differ."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which difference between two defenses a study detects with 80 %, from how much people and runs differ.

    Without --like, from the records of the suite families. The difference is that of the highest leakage above zero.
    """
    from bench.core.statistics.power import Design, detectable_difference

    if cohorts > people:
        raise UsageError(f"{people} people cannot make {cohorts} cohorts.")
    components, source = _shipped() if like is None else _estimated(like)
    design = Design(people, cohorts, seeds, attacks)
    found = detectable_difference(design, components)
    if as_json:
        told = {"design": asdict(design), **asdict(found), "components": asdict(components), "from": source}
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(_sentences(design, components, source, found))


def _estimated(folder: Path) -> tuple["VarianceComponents", dict[str, Any]]:
    from leaderboard.boards.building import build_boards
    from leaderboard.boards.components import estimate_components
    from leaderboard.runs import load_runs

    runs = load_runs(folder)
    boards = build_boards(runs)
    source = {
        "suites": sorted({run.record.suite for run in runs}),
        "targets": sorted({run.record.spec.target for run in runs}),
        "people": max(board.n_persons for board in boards),
        "cohorts": max(len(board.cohorts) for board in boards),
        "seeds": max(len(board.seeds) for board in boards),
        "records": sorted(run.record.run_digest for run in runs),
    }
    return estimate_components(boards), source


def _shipped() -> tuple["VarianceComponents", dict[str, Any]]:
    from bench.core.statistics.power import VarianceComponents

    told = json.loads((files("leaderboard") / SHIPPED).read_text(encoding="utf-8"))
    try:
        return VarianceComponents(**told["components"]), dict(told["from"])
    except (KeyError, TypeError) as error:
        raise DataError(f"{SHIPPED}: not what `veilbench power --json` writes: {error}") from error


def _sentences(design: "Design", components: "VarianceComponents", source: dict[str, Any], found: "Detectable") -> str:
    lines = [
        f"Variances of the difference of two defenses, from {len(source['records'])} records of "
        f"{', '.join(source['suites'])} ({', '.join(source['targets'])}; {source['people']} people, "
        f"{source['cohorts']} cohort{'s' * (source['cohorts'] != 1)}, {source['seeds']} "
        f"seed{'s' * (source['seeds'] != 1)}):",
        f"  between people             {components.people:.4f}  (answers' own noise included)",
        f"  between cohorts            {_known(components.cohorts, 'cohort')}",
        f"  between training runs      {_known(components.runs, 'training seed')}",
        f"  correlation over attacks   {components.attack_correlation:.2f}",
        f"  correlation over defenses  {components.line_correlation:.2f}",
        "",
        f"{design.people} people in {design.cohorts} cohort{'s' * (design.cohorts != 1)}, {design.seeds} "
        f"seed{'s' * (design.seeds != 1)}, {design.attacks} attack{'s' * (design.attacks != 1)}: a difference of "
        f"{found.difference:.3f} in the highest leakage is detected with 80 % (one comparison, level .05).",
        f"Its standard error is {found.error:.3f}; a maximum over {design.attacks} equal attacks comes out "
        f"{found.above:.3f} too high.",
    ]
    lines += _warnings(design, components)
    return "\n".join(lines)


def _known(variance: float | None, of: str) -> str:
    return f"{variance:.4f}" if variance is not None else f"unknown: these records have one {of} only; taken as 0"


def _warnings(design: "Design", components: "VarianceComponents") -> list[str]:
    said = []
    if not design.unit_is_cohort:
        said.append(
            "Below 5 cohorts the test is over people: it does not cover how other cohorts or training runs differ."
        )
    elif components.cohorts is None or components.runs is None:
        said.append("What could not be estimated counts as 0, so the true detectable difference is larger.")
    return said
