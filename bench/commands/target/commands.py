"""``veilbench target``: try a checkpoint on this machine."""

import json
from typing import Annotated, Any

import typer

from bench.commands import completion
from bench.core.errors import VeilBenchError
from bench.core.registry import unknown_name

app = typer.Typer(help="Try vision-language models on this machine.", no_args_is_help=True)

CHOICES = {
    "dtype": ("float32", "bfloat16", "float16"),
    "backend": ("transformers", "vllm", "both"),
    "quantization": ("none", "4bit"),
}


@app.command(epilog="Example:  veilbench target check llava-hf/llava-1.5-7b-hf --download --dtype bfloat16")
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A shipped checkpoint, a folder, or OWNER/NAME on the hub.",
            autocompletion=completion.checkpoints,
        ),
    ],
    family: Annotated[
        str | None, typer.Option(metavar="FAMILY", help="How it is run; default by its config.json.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="float32, bfloat16 or float16. Backends agree to the word in float32 only.")
    ] = "float32",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch from the hub what is missing; nothing is fetched otherwise.")
    ] = False,
    backend: Annotated[
        str | None,
        typer.Option(help="What answers: transformers, vllm or both; default both where vLLM is found."),
    ] = None,
    vllm: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="How vLLM is started; default $VEILBENCH_VLLM or vllm."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="A vLLM server that runs already, in place of one of our own.")
    ] = None,
    quantization: Annotated[
        str, typer.Option(help="none or 4bit (nf4 by bitsandbytes; answered by transformers only).")
    ] = "none",
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of fine-tuning.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
    ] = False,
) -> None:
    """Load a checkpoint, fine-tune it for some steps, ask it one question; say what that takes and whether backends
    agree. Exit code 1 where they do not.
    """
    from bench.commands.target.checking import check_target
    from bench.commands.target.facts import BACKENDS, CheckOrder
    from bench.core.network.addresses import server_address
    from bench.core.progress import ProgressDisplay
    from bench.targets.vllm.client import EXAMPLE
    from bench.targets.vllm.command import command_words

    for option, given in (("dtype", dtype), ("backend", backend or "both"), ("quantization", quantization)):
        if given not in CHOICES[option]:
            raise unknown_name(option, given, CHOICES[option])
    backends = None if backend is None else BACKENDS if backend == "both" else (backend,)
    if endpoint is not None:
        endpoint = server_address(endpoint, "--endpoint", EXAMPLE)
    command = command_words(vllm or "", "--vllm")
    order = CheckOrder(name, family, dtype, download, backends, command, endpoint, quantization, steps)
    values: dict[str, Any] = {}
    wrong = []
    with ProgressDisplay() as display:
        for fact in check_target(order, display.task):
            values[fact.name] = fact.value
            wrong += [] if fact.passed else [fact.name]
            if not as_json:
                label = fact.name.removesuffix("_bytes").replace("_", " ")
                typer.echo(f"{'' if fact.passed else 'WRONG':6}{label:32}{fact.shown}")
    if as_json:
        typer.echo(json.dumps({**values, "wrong": wrong}, indent=2))
    if wrong:
        raise VeilBenchError(f"{name}: not as it should be: {', '.join(wrong).replace('_', ' ')}; see above.")
