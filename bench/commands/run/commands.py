"""``veilbench run``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.completion import BACKENDS
from bench.commands.options import (
    DEFAULT_STORE,
    BackendOption,
    JsonOption,
    LimitOption,
    SeedOption,
    SetOption,
    StoreOption,
    SuiteArgument,
    WorkersOption,
    open_store,
    print_json,
    print_table,
)
from bench.core.errors import VeilBenchError

if TYPE_CHECKING:
    from bench.commands.run.running import Outcome, RunOrder

app = typer.Typer()


@app.command(epilog="Example:  veilbench run quick --limit 4 --set budget.eps=4 --json")
def run(
    suite: SuiteArgument = "quick",
    limit: LimitOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every stage; compute nothing.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE", help="Say why this stage is not in the store: what differs from the nearest one there."
        ),
    ] = None,
    backend: BackendOption = "transformers",
    vllm: Annotated[
        str, typer.Option(metavar="COMMAND", help="The command that starts vLLM; default $VEILBENCH_VLLM or vllm.")
    ] = "",
    endpoint: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="A vLLM server that runs already, in place of one started here; default $VEILBENCH_ENDPOINT.",
        ),
    ] = "",
    seed: SeedOption = None,
    changes: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where records and page go; default STORE/site/SUITE[-limit-N][-seed-N][-set-…][-vllm].",
        ),
    ] = None,
    workers: WorkersOption = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            envvar="VEILBENCH_KEEP_GOING",
            help="A failed stage costs what rests on it and nothing else; exit code 1 all the same.",
        ),
    ] = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Run a suite: protect, fine-tune, ask, score, and build the page. What was computed before is reused."""
    from bench.commands.run.running import RunOrder, run_suite
    from bench.core.registry import unknown_name
    from bench.execute.engines import chosen_backend
    from bench.plan.suite_files import load_suite

    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    if backend == "vllm" and not vllm:
        endpoint = endpoint or os.environ.get("VEILBENCH_ENDPOINT", "")
    answering = chosen_backend(backend, vllm, endpoint)
    chosen = load_suite(suite, changes or ()).with_seed(seed)
    order = RunOrder(chosen, open_store(store), out, limit, answering, workers, keep_going)
    if explain is not None:
        _explain(order, explain, as_json)
    elif dry_run:
        _print_plan(order, as_json)
    else:
        _print_outcome(run_suite(order), as_json)


def _explain(order: "RunOrder", stage: str, as_json: bool) -> None:
    from bench.commands.run.explaining import explain_stage, explanation_lines
    from bench.commands.run.running import plan_suite

    explanation = explain_stage(plan_suite(order.suite, order.limit, order.backend.name), stage, order.store)
    if as_json:
        print_json(explanation.as_json())
        return
    for line in explanation_lines(explanation):
        typer.echo(line)


def _print_plan(order: "RunOrder", as_json: bool) -> None:
    from bench.commands.run.plan_table import plan_rows, plan_table
    from bench.commands.run.running import plan_suite
    from bench.execute.engines import check_engines

    plan = plan_suite(order.suite, order.limit, order.backend.name)
    check_engines(plan.missing(plan.states(order.store)), order.backend)
    rows = plan_rows(plan, order.store)
    if as_json:
        print_json({"suite": plan.suite.name, "stages": rows})
    else:
        print_table(plan_table(plan, rows, order.store, order.workers))


def _print_outcome(outcome: "Outcome", as_json: bool) -> None:
    from bench.publish.results import as_json as described
    from bench.publish.tables import summary_table

    result = described(outcome.plan, outcome.publication, outcome.computed)
    own = [failure for failure in outcome.failures if not failure.rests_on]
    if as_json:
        print_json({**result, "failures": [{"stage": one.stage, "reason": one.reason} for one in own]})
    else:
        print_table(summary_table(result, outcome.plan.suite.title))
        for one in own:
            typer.echo(f"Failed: {one.stage}: {one.reason}")
        typer.echo(f"Page: {result['page']}")
    if own:
        count = len(outcome.publication.missing)
        missing = "1 run is missing" if count == 1 else f"{count} runs are missing"
        raise VeilBenchError(
            f"{len(own)} of {len(outcome.plan.stages)} stages failed and {missing} because of it; "
            "what is finished is kept, and the same command tries the rest again."
        )
