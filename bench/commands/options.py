"""What several commands have in common: options, the store that they name, and how they print."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands import completion

if TYPE_CHECKING:
    from bench.core.store import ArtifactStore

DEFAULT_STORE = Path(".veilbench")

StoreOption = Annotated[
    Path,
    typer.Option("--store", envvar="VEILBENCH_STORE", metavar="DIR", help="Artifact store."),
]
SuiteArgument = Annotated[
    str,
    typer.Argument(
        metavar="[SUITE]", help="Name of a shipped suite, or a .yaml file.", autocompletion=completion.suites
    ),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only the first N people and strangers, of each cohort.")
]
SeedOption = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="One training seed in place of the suite's own ones.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field of the suite, for example budget.eps=4 or seeds=[0,1,2]; repeatable.",
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        envvar="VEILBENCH_BACKEND",
        help="What answers questions: transformers, in process, or vllm, as a server.",
        autocompletion=completion.backends,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1, envvar="VEILBENCH_WORKERS", metavar="N", help="Worker processes; default one a core, one with a GPU."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]


def open_store(folder: Path) -> "ArtifactStore":
    """The artifact store in a folder, which need not exist yet."""
    from bench.core.disk import at_home
    from bench.core.store import ArtifactStore

    return ArtifactStore(at_home(folder))


def refuse_among_artifacts(folder: Path, store: "ArtifactStore") -> None:
    """Raise UsageError for a page's folder where the store's own files are: `store gc` would clear it."""
    from bench.core.errors import UsageError

    place, root = folder.resolve(), store.root.resolve()
    if place.is_relative_to(root) and not place.is_relative_to(root / "site"):
        raise UsageError(f"{folder} lies among the files of the artifact store {store.root}: name another folder.")


def print_table(table: Any) -> None:
    """Print what rich draws, as wide as the terminal is."""
    from rich.console import Console

    # A pipe has no width of its own; cut columns would make the output useless there.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)


def print_json(value: Any) -> None:
    """Print one JSON object, in ASCII, which every encoding has; NaN and infinities are refused."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))
