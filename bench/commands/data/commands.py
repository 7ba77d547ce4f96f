"""``veilbench data``: build, check, describe, look at and publish a dataset."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bench.commands import completion
from bench.core.errors import UsageError, VeilBenchError
from bench.core.registry import OptionText

app = typer.Typer(help="Build, check, describe, look at and publish datasets.", no_args_is_help=True)

DatasetArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="Folder of a dataset, or the name of a shipped one.",
        autocompletion=completion.datasets,
    ),
]
RealOption = Annotated[
    bool, typer.Option("--with-real-photos", help="Show real people in pictures, too; otherwise they are withheld.")
]
WorkersOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes; default one a core.")]
LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N people and strangers.")]


@app.command(epilog="Example:  veilbench data build my-photos -o licence=CC-BY-4.0 --out my-dataset")
def build(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A rendered dataset (veilbench-mini, veilbench-development, full), a folder of photos, or"
            " OWNER/NAME@REVISION on the hub; with --generator diffusion, the dataset whose people it shows.",
        ),
    ],
    generator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Photo source: render, folder, hub or diffusion; default the one that knows NAME.",
            autocompletion=completion.generators,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="Option of the photo source; repeatable."),
    ] = None,
    limit: LimitOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="New or empty folder for the tables; default ./NAME, for your photos ./NAME-dataset.",
        ),
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Make a dataset from one of four photo sources and save its three tables. A stopped build goes on."""
    from bench.commands.data.building import DatasetOrder, build_dataset, default_folder
    from bench.core.disk import writable
    from bench.core.progress import ProgressDisplay
    from bench.execute.local import default_workers

    order = DatasetOrder(name, generator, _options(option or []), limit)
    folder = writable(out or default_folder(order))
    with ProgressDisplay() as display:
        dataset = build_dataset(order, folder, workers or default_workers("cpu"), display.task("photos"))
    typer.echo(f"{folder}: {len(dataset.people)} people, {len(dataset.pairs)} pairs, {len(dataset.probes)} probes")
    typer.echo(f"Digest: {dataset.digest}")


@app.command(epilog="Example:  veilbench data check my-dataset --against veilbench-mini")
def check(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="Folder of a dataset, name of a shipped one, or OWNER/NAME@REVISION."),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="DATASET", help="Another dataset that must share no person with this one; repeatable."),
    ] = None,
    recogniser: Annotated[
        str, typer.Option(metavar="CHECKPOINT", help="Whose encoder compares faces; 'none' leaves these checks out.")
    ] = "tiny-llava",
) -> None:
    """Look for what makes a dataset wrong, harmful or easy to guess. One line a finding; exit code 1 on errors."""
    from bench.commands.data.checking import check_dataset, lines
    from bench.core.progress import ProgressDisplay

    with ProgressDisplay() as display:
        checkpoint = None if recogniser == "none" else recogniser
        report = check_dataset(dataset, against or [], checkpoint, display.task("photos"))
    for line in lines(report):
        typer.echo(line)
    errors = sum(finding.level == "error" for finding in report.findings)
    if errors:
        raise VeilBenchError(f"{dataset}: {errors} {'error' if errors == 1 else 'errors'}, see above.")


@app.command(epilog="Example:  veilbench data card my-dataset --title 'Portraits of our volunteers'")
def card(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Where the card goes; default the dataset's folder, ./NAME-card for a shipped one.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the card; default the dataset's name.")] = None,
    description: Annotated[str | None, typer.Option(help="One or two sentences on what the dataset is.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the whole; default what the photos state.")] = None,
    with_real_photos: RealOption = False,
) -> None:
    """Describe a dataset: README.md with the hub's header, contact-sheet.jpg and croissant.json beside the tables."""
    from generators.publishing.card import write_card
    from scenarios.dataset import dataset_folder, load_dataset

    tables = dataset_folder(dataset)
    # What comes with the package is not written to.
    written = write_card(
        load_dataset(dataset),
        out or (tables if tables == Path(dataset) else Path(f"{dataset}-card")),
        title=title,
        description=description,
        licence=licence,
        repo=None,
        with_photos=with_real_photos,
        tables=tables,
    )
    typer.echo(f"Card: {written}")


@app.command(epilog="Example:  veilbench data push my-name/my-dataset --dataset my-dataset")
def push(
    repo: Annotated[str, typer.Argument(metavar="REPO", help="OWNER/NAME on the hub.")],
    dataset: Annotated[str, typer.Option(metavar="DATASET", help="Folder of a dataset, or the name of a shipped one.")],
    public: Annotated[bool, typer.Option("--public", help="Anybody may see it; private otherwise.")] = False,
    publish_real: Annotated[
        bool, typer.Option("--publish-real", help="You have the consent of everyone shown to make their photos public.")
    ] = False,
    title: Annotated[str | None, typer.Option(help="Heading of the card; default the dataset's name.")] = None,
    description: Annotated[str | None, typer.Option(help="One or two sentences on what the dataset is.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the whole; default what the photos state.")] = None,
    revision: Annotated[str, typer.Option(help="Branch that gets the commit.")] = "main",
    with_real_photos: RealOption = False,
) -> None:
    """Publish tables and a new card on the hub, as one commit; a stopped push goes on.

    Needs `hf auth login` or HF_TOKEN. The card is written from the options given here; a README.md in the folder is
    not sent.
    """
    from bench.commands.data.publishing import Wanted, publish_dataset
    from bench.core.progress import ProgressDisplay

    wanted = Wanted(repo, public, publish_real, title, description, licence, revision, with_real_photos)
    with ProgressDisplay() as display:
        result = publish_dataset(dataset, wanted, display.task("files"))
    typer.echo(f"{result.url} at {result.commit}")


@app.command(epilog="Example:  veilbench data view veilbench-mini --out gallery")
def view(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the page; default ./NAME-gallery.")
    ] = None,
    with_real_photos: RealOption = False,
) -> None:
    """Make a page to look through photos, descriptions and probes. It opens from disk, without a server."""
    from bench.core.progress import ProgressDisplay
    from generators.gallery.view import build_gallery
    from scenarios.dataset import load_dataset

    loaded = load_dataset(dataset)
    folder = out or Path(f"{loaded.name}-gallery")
    with ProgressDisplay() as display:
        page = build_gallery(loaded, folder, with_photos=with_real_photos, report=display.task("photos"))
    typer.echo(f"Gallery: {page}")


def _options(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE pairs as they were typed; what a value is, the option's type says."""
    options: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--option {text!r} must be KEY=VALUE.")
        options[key.replace("-", "_")] = OptionText(value)
    return options
