"""``veilbench site``: the page from records."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import DEFAULT_STORE, StoreOption, open_store, refuse_among_artifacts

app = typer.Typer(help="Build the page from records.", no_args_is_help=True)


@app.command(epilog="Example:  veilbench site build .veilbench/site/quick/records --out page")
def build(
    records: Annotated[Path, typer.Argument(metavar="RECORDS", help="Folder of record files.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the page goes.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "VeilBench leaderboard",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Build the page from a folder of records, each checked against its own answers first.

    What the store knows to be checked already is not checked again.
    """
    from leaderboard.evidence.verdicts import verdicts_folder
    from leaderboard.site import build_site, page_folder

    place = open_store(store)
    refuse_among_artifacts(page_folder(out), place)
    typer.echo(f"Page: {build_site(title, records, (), out, verdicts=verdicts_folder(place))}")
