"""The card of a dataset: what it holds, how it is spread, where it comes from, and what it may be used for."""

import re
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from bench.core.disk import writable
from bench.core.errors import UsageError
from generators.publishing.contact_sheet import contact_sheet
from generators.publishing.croissant import croissant
from generators.publishing.header import header
from generators.publishing.layout import TABLES, Layout, Publication, table_files
from generators.publishing.licences import licence_of
from generators.publishing.markdown import markdown_environment, size
from generators.publishing.photos import REAL
from generators.publishing.statements import FORBIDDEN, INTENDED, limits, sensitive
from generators.publishing.summary import Summary, summarise
from scenarios.dataset import Dataset

CARD, SHEET, CROISSANT = "README.md", "contact-sheet.jpg", "croissant.json"
CARD_FILES = (CARD, SHEET, CROISSANT)
"""What ``write_card`` writes beside the tables."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def write_card(
    dataset: Dataset,
    folder: Path,
    *,
    title: str | None,
    description: str | None,
    licence: str | None,
    repo: str | None,
    with_photos: bool,
    layout: Layout = "folder",
    tables: Path | None = None,
) -> Path:
    """Write ``README.md``, ``contact-sheet.jpg`` and ``croissant.json`` into ``folder``, beside the tables.

    ``title`` is the dataset's name and ``description`` (Markdown) a sentence of figures where None is given;
    ``licence`` is that of the photos where they share one. ``repo`` is the id on the hub, ``owner/name``. Photos of
    real people stand in the contact sheet only ``with_photos``. ``tables`` is the folder of the tables where the card
    is written elsewhere first; it names them as if they lay beside it. The files replace earlier ones, all or none.
    Returns the card's path. Raises ``UsageError`` for a malformed ``repo`` or a folder that cannot be written to, and
    ``DataError`` naming the table that is not there or the photo that cannot be decoded.
    """
    folder = writable(folder)
    if repo is not None and not _REPOSITORY.fullmatch(repo):
        raise UsageError(f"'{repo}' is no repository on the hub; name it as owner/name.")
    summary = summarise(dataset)
    publication = Publication(
        title=" ".join((title or dataset.name).split()),
        description=(description or "").strip() or _description(summary),
        licence=licence_of([licence] if licence else summary.licences),
        repo=repo,
        layout=layout,
        tables=tables or folder,
    )
    contents = {
        CROISSANT: croissant(dataset, summary, publication).encode(),
        CARD: _card(dataset, summary, publication, with_photos).encode(),
        SHEET: contact_sheet(dataset, with_photos),
    }
    _write(contents, folder)
    return folder / CARD


def _card(dataset: Dataset, summary: Summary, publication: Publication, with_photos: bool) -> str:
    template = markdown_environment().get_template("card.md.j2")
    body = template.render(
        name=dataset.name,
        digest=dataset.digest,
        publication=publication,
        # The publisher's own words may be Markdown; all others are shown letter by letter.
        description=Markup(publication.description),
        summary=summary,
        sheet=SHEET,
        croissant=CROISSANT,
        real=summary.sources.get(REAL, 0),
        made=set(summary.sources) - {REAL},
        withheld=REAL in summary.sources and not with_photos,
        tables=_tables(dataset, publication),
        photo_size=size(summary.photo_bytes),
        intended=INTENDED,
        forbidden=FORBIDDEN,
        limits=limits(summary),
        sensitive=sensitive(summary),
    )
    return f"{header(summary, publication)}\n{body}"


def _tables(dataset: Dataset, publication: Publication) -> list[dict[str, object]]:
    files = table_files(publication.tables, publication.layout)
    return [
        {
            "name": table.name,
            "split": table.split,
            "about": table.about,
            "rows": len(getattr(dataset, table.name)),
            "size": size(sum(path.stat().st_size for path in files[table.name])),
        }
        for table in TABLES
    ]


def _description(summary: Summary) -> str:
    people, strangers = summary.people["evaluation"], summary.people["stranger"]
    facts = sum(scenario.people > 0 for scenario in summary.scenarios)
    apart = f" in {len(summary.cohorts)} cohorts" if len(summary.cohorts) > 1 else ""
    return (
        f"Photos of {people} {'person' if people == 1 else 'people'}{apart} with private facts in {facts} scenarios,"
        f" and of {strangers} {'stranger' if strangers == 1 else 'strangers'}: {summary.pairs} photos with descriptions"
        f" to fine-tune a vision-language model on, and {summary.probes} questions that measure what it then gives"
        f" away. {' '.join(sensitive(summary))}"
    )


def _write(contents: Mapping[str, bytes], folder: Path) -> None:
    """All files or none: nothing is put in place before everything is written."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = {folder / name: folder / f"{name}.partial" for name in contents}
    try:
        for path, written in partial.items():
            written.write_bytes(contents[path.name])
        for path, written in partial.items():
            written.replace(path)
    finally:
        for written in partial.values():
            written.unlink(missing_ok=True)
