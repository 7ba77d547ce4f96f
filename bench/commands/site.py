"""``veilbench site``: the page from records."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Build the page from records.", no_args_is_help=True)


@app.command(epilog="Example:  veilbench site build .veilbench/site/quick/records --out page")
def build(
    records: Annotated[Path, typer.Argument(metavar="RECORDS", help="Folder of record files.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the page goes.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "VeilBench leaderboard",
) -> None:
    """Build the page from a folder of records."""
    from leaderboard.site import build_site

    typer.echo(f"Page: {build_site(title, records, (), out)}")
