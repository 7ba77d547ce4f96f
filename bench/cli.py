"""The command ``veilbench``: the command groups put together, and how the program ends. Heavy imports wait."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from bench.commands import doctor, listing, power, site, store
from bench.commands.data import commands as data
from bench.commands.defense import commands as defense
from bench.commands.run import commands as run
from bench.commands.target import commands as target
from bench.core.errors import VeilBenchError
from bench.core.streams import make_streams_lenient

app = typer.Typer(
    help="Measure how well photos are protected from vision-language models that learn private facts from them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (run.app, listing.app, power.app, doctor.app):
    app.add_typer(commands)
for name, group in (
    ("data", data.app),
    ("defense", defense.app),
    ("target", target.app),
    ("store", store.app),
    ("site", site.app),
):
    app.add_typer(group, name=name)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"veilbench {version('veilbench')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Measure how well photos are protected from vision-language models that learn private facts from them."""
    hub = os.environ.get("HF_ENDPOINT")
    if hub:
        from bench.core.network.addresses import server_address

        # Libraries that we import read it, and end with a traceback, or print it, where it is no plain address.
        server_address(hub, "HF_ENDPOINT", "https://huggingface.co")


def main() -> NoReturn:
    """Run the command; errors are one sentence on standard error and an exit code (2 wrong use, 1 failed run)."""
    make_streams_lenient()
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


if __name__ == "__main__":
    main()
