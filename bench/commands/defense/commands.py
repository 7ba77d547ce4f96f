"""``veilbench defense``: for authors of a defense."""

from typing import Annotated

import typer

from bench.commands import completion
from bench.core.errors import VeilBenchError

app = typer.Typer(help="For authors of a defense.", no_args_is_help=True)


@app.command(epilog="Example:  veilbench defense check dp2vl")
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A registered defense, tried with its default options.",
            autocompletion=completion.defenses,
        ),
    ],
) -> None:
    """Try a defense on two generated pictures: one line a rule of its contract; exit code 1 where one is broken."""
    from bench.commands.defense.checking import check_defense

    broken = 0
    for found in check_defense(name):
        broken += not found.passed
        typer.echo(f"{'ok' if found.passed else 'broken':8}{found.rule:14}{found.seen}")
    if broken:
        raise VeilBenchError(f"the defense '{name}' breaks {broken} of its rules: see above.")
