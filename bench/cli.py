"""The command ``veilbench``. Thin: each command asks, calls, prints. Heavy imports wait until a command runs."""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bench.commands.data import commands as data
from bench.commands.target import commands as target
from bench.core.errors import VeilBenchError

if TYPE_CHECKING:
    from bench.core.store import ArtifactStore
    from bench.plan.plan import Plan

app = typer.Typer(
    help="Measure how well photos are protected from vision-language models that learn private facts from them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
store_app = typer.Typer(help="Look at, check and clear the artifact store.", no_args_is_help=True)
site_app = typer.Typer(help="Build the page from records.", no_args_is_help=True)
defense_app = typer.Typer(help="For authors of a defense.", no_args_is_help=True)
app.add_typer(data.app, name="data")
app.add_typer(defense_app, name="defense")
app.add_typer(store_app, name="store")
app.add_typer(site_app, name="site")
app.add_typer(target.app, name="target")

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Artifact store; default $VEILBENCH_STORE or ./.veilbench."),
]
SuiteArgument = Annotated[str, typer.Argument(metavar="[SUITE]", help="Name of a shipped suite, or a .yaml file.")]
LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N people and strangers.")]
SeedOption = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="One training seed in place of the suite's own ones.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]

BACKENDS = ("transformers", "vllm")


@app.command(epilog="Example:  veilbench run quick --limit 4 --json")
def run(
    suite: SuiteArgument = "quick",
    limit: LimitOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every stage; compute nothing.")] = False,
    backend: Annotated[
        str, typer.Option(help="What answers questions: transformers, in process, or vllm, as a server.")
    ] = "transformers",
    vllm: Annotated[
        str, typer.Option(metavar="COMMAND", help="The command that starts vLLM; default $VEILBENCH_VLLM or vllm.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="A vLLM server that runs already, in place of one started here.")
    ] = "",
    seed: SeedOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where records and page go; default STORE/site/SUITE[-limit-N][-seed-N][-vllm].",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Worker processes; default one a core, one with a GPU.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a suite: protect, fine-tune, ask, score, and build the page. What was computed before is reused."""
    from bench.core.registry import unknown_name
    from bench.execute.engines import chosen_backend
    from bench.plan.suites import load_suite

    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)
    answering = chosen_backend(backend, vllm, endpoint)
    chosen = load_suite(suite).with_seed(seed)
    place = _store(store)
    if dry_run:
        from bench.commands.run.running import plan_suite

        _print_plan(plan_suite(chosen, limit, backend), place, workers, as_json)
        return
    from bench.publish.results import as_json as described
    from bench.publish.results import summary_table
    from bench.commands.run.running import default_output, run_suite

    destination = out or default_output(place, chosen, limit, seed, backend)
    outcome = run_suite(chosen, limit, place, destination, workers, answering)
    result = described(outcome.plan, outcome.publication, outcome.computed)
    if as_json:
        _print_json(result)
        return
    _print_table(summary_table(chosen.title, [*result["controls"], *result["runs"]]))
    typer.echo(f"Page: {result['page']}")


@app.command("list", epilog="Example:  veilbench list defenses")
def list_(
    kind: Annotated[
        str, typer.Argument(help="defenses, targets, generators, evaluators, attacks, recipes, suites or scenarios.")
    ],
) -> None:
    """List what can be named in a suite, and where each comes from."""
    from bench.commands.listing import listing

    rows = listing(kind)
    width = max((len(name) for name, _ in rows), default=0)
    for name, about in rows:
        typer.echo(f"{name:{width}}  {about}".rstrip())


@app.command(epilog="Example:  veilbench doctor")
def doctor(store: StoreOption = None) -> None:
    """Say what is installed, what is missing, and what each missing part would enable."""
    from rich.markup import escape
    from rich.table import Table

    from bench.commands.doctor import examine, is_usable

    findings = examine(_store(store).root)
    table = Table()
    for heading in ("part", "needed", "state", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(
            finding.part,
            "core" if finding.core else "optional",
            finding.state,
            escape(finding.found),
            escape(finding.advice),
        )
    _print_table(table)
    if not is_usable(findings):
        raise VeilBenchError("a core part is missing: see the table above.")


@store_app.command("ls", epilog="Example:  veilbench store ls")
def store_ls(store: StoreOption = None) -> None:
    """List complete artifacts: stage, key, size in bytes, seconds that it took."""
    place = _store(store)
    for entry in place.entries():
        seconds = place.costs(entry.stage, entry.key).get("seconds")
        took = "" if seconds is None else f"{seconds:.1f} s"
        typer.echo(f"{entry.stage:20} {entry.key[:12]} {entry.size:>12} {took:>10}")


@store_app.command("verify", epilog="Example:  veilbench store verify")
def store_verify(store: StoreOption = None) -> None:
    """Read every file of the store and say what is damaged; exit code 1 where something is."""
    findings = _store(store).verify()
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise VeilBenchError(f"{len(findings)} faults; `veilbench store gc` removes damaged artifacts.")
    typer.echo("Nothing is damaged.")


@store_app.command("gc", epilog="Example:  veilbench store gc quick")
def store_gc(
    suites: Annotated[
        list[str] | None, typer.Argument(metavar="[SUITE]...", help="Keep only what these suites need.")
    ] = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    store: StoreOption = None,
) -> None:
    """Remove damaged and half-written artifacts; with SUITEs, also all that these do not need as the code stands now.

    --limit and --seed must be those of the runs to keep: another limit or seed needs other artifacts.
    """
    from bench.core.errors import UsageError
    from bench.commands.run.running import plan_suite
    from bench.plan.suites import load_suite

    if not suites and (limit is not None or seed is not None):
        raise UsageError("--limit and --seed say which runs of a suite to keep: name the suite, too.")
    keep: set[str] = set()
    for name in suites or ():
        for backend in BACKENDS:
            keep |= plan_suite(load_suite(name).with_seed(seed), limit, backend).keys()
    typer.echo(f"{_store(store).collect(keep if suites else None) / 1e6:.1f} MB freed.")
    if not suites:
        typer.echo("To remove more, name what to keep: `veilbench store gc quick` keeps only what quick needs.")


@site_app.command("build", epilog="Example:  veilbench site build .veilbench/site/quick/records --out page")
def site_build(
    records: Annotated[Path, typer.Argument(metavar="RECORDS", help="Folder of record files.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the page goes.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "VeilBench leaderboard",
) -> None:
    """Build the page from a folder of records."""
    from leaderboard.site import build_site

    typer.echo(f"Page: {build_site(title, records, (), out)}")


@defense_app.command("check", epilog="Example:  veilbench defense check dp2vl")
def defense_check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A registered defense, tried with its default options.")],
) -> None:
    """Try a defense on two generated pictures: one line a rule of its contract; exit code 1 where one is broken."""
    from bench.commands.defense.checking import check_defense

    broken = 0
    for check in check_defense(name):
        broken += not check.passed
        typer.echo(f"{'ok' if check.passed else 'broken':8}{check.rule:14}{check.seen}")
    if broken:
        raise VeilBenchError(f"the defense '{name}' breaks {broken} of its rules: see above.")


def main() -> NoReturn:
    """Run the command; errors are one sentence on standard error and an exit code (2 wrong use, 1 failed run)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.exit(_exit_code())


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM. No KeyboardInterrupt: typer would end the program on its own terms."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped(number)


def _exit_code() -> int:
    try:
        result = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except VeilBenchError as error:
        return _fail(str(error), error.exit_code)
    except _Stopped as stopped:
        print("Interrupted: what is finished is kept, and the same command goes on from there.", file=sys.stderr)
        return stopped.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter's own last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{error.strerror or error}: {error.filename or 'no file named'}", 1)
    except Exception as error:
        # typer's own complaints about arguments know how to show themselves; anything else is our fault.
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            return int(error.exit_code)
        raise


def _fail(sentence: str, code: int) -> int:
    print(f"Error: {sentence}", file=sys.stderr)
    return code


def _store(folder: Path | None) -> "ArtifactStore":
    from bench.core.store import ArtifactStore

    return ArtifactStore(folder or Path(os.environ.get("VEILBENCH_STORE") or ".veilbench"))


def _print_plan(plan: "Plan", store: "ArtifactStore", workers: int | None, as_json: bool) -> None:
    from bench.commands.listing import plan_rows, plan_table

    rows = plan_rows(plan, store)
    if as_json:
        _print_json({"suite": plan.suite.name, "stages": rows})
    else:
        _print_table(plan_table(plan, rows, store, workers))


def _print_table(table: Any) -> None:
    from rich.console import Console

    # A pipe has no width of its own; cut columns would make the output useless there.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


if __name__ == "__main__":
    main()
