"""``veilbench store``: look at, check and clear the artifact store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands import completion
from bench.commands.completion import BACKENDS
from bench.commands.options import DEFAULT_STORE, LimitOption, SeedOption, SetOption, StoreOption, open_store
from bench.core.errors import UsageError, VeilBenchError

if TYPE_CHECKING:
    from bench.core.store import ArtifactStore

app = typer.Typer(help="Look at, check and clear the artifact store.", no_args_is_help=True)


@app.command("ls", epilog="Example:  veilbench store ls")
def list_(store: StoreOption = DEFAULT_STORE) -> None:
    """List complete artifacts: stage, key, size in bytes, seconds that it took."""
    place = _there(store)
    for entry in place.entries():
        seconds = place.costs(entry.stage, entry.key).get("seconds")
        took = "" if seconds is None else f"{seconds:.1f} s"
        typer.echo(f"{entry.stage:20} {entry.key[:12]} {entry.size:>12} {took:>10}")


@app.command(epilog="Example:  veilbench store verify")
def verify(store: StoreOption = DEFAULT_STORE) -> None:
    """Read every file of the store and say what is damaged; exit code 1 where something is."""
    faults = _there(store).verify()
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise VeilBenchError(f"{len(faults)} faults; `veilbench store gc` removes damaged artifacts.")
    typer.echo("Nothing is damaged.")


@app.command(epilog="Example:  veilbench store gc quick")
def gc(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]...", help="Keep only what these suites need.", autocompletion=completion.suites
        ),
    ] = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Remove damaged and half-written artifacts; with SUITEs, also all that these do not need as the code stands now.

    --limit, --seed and --set must be those of the runs to keep: others need other artifacts.
    """
    from bench.commands.run.running import plan_suite
    from bench.plan.suite_files import load_suite

    if not suites and (limit is not None or seed is not None or changes):
        raise UsageError("--limit, --seed and --set say which runs of a suite to keep: name the suite, too.")
    place = _there(store)
    keep: set[str] = set()
    for name in suites or ():
        for backend in BACKENDS:
            keep |= plan_suite(load_suite(name, changes or ()).with_seed(seed), limit, backend).keys()
    typer.echo(f"{place.collect(keep if suites else None) / 1e6:.1f} MB freed.")
    if not suites:
        typer.echo("To remove more, name what to keep: `veilbench store gc quick` keeps only what quick needs.")


def _there(folder: Path) -> "ArtifactStore":
    """The artifact store in a folder. Raises UsageError where there is none."""
    store = open_store(folder)
    store.check_there()
    return store
