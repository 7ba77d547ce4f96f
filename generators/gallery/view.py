"""The gallery: a folder with one page that shows a dataset to people, from disk and without a server."""

import json
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import jinja2

from bench.core.disk import writable
from bench.core.errors import UsageError
from bench.core.files import held, whole_folder
from bench.core.progress import ReportProgress, quiet
from generators.gallery.data import gallery_data, photo_file
from generators.publishing.photos import DatasetPhoto, thumbnail
from scenarios.dataset import Dataset

THUMBNAIL_SIDE = 224
PAGE = "index.html"
_ASSETS = ("gallery.css", "gallery.js")
_MARK = '<meta name="generator" content="veilbench data view">'
_OWN_ENTRIES = frozenset({PAGE, "assets", "photos"})


def build_gallery(dataset: Dataset, output: Path, *, with_photos: bool, report: ReportProgress | None = None) -> Path:
    """Write the gallery of a dataset into the folder ``output`` and return the path of its page.

    ``output`` must be new, empty or an earlier gallery, which is replaced when the new one is complete. Photos of real
    people are written only ``with_photos``; otherwise their places say that they are withheld. Raises ``UsageError``
    for a folder with anything else in it or that cannot be written to, and ``DataError`` naming the photo that cannot
    be decoded.
    """
    output = writable(output)
    _refuse_foreign(output)
    data, photos = gallery_data(dataset, with_photos)
    with whole_folder(output) as partial:
        (partial / "assets").mkdir(parents=True)
        _write_thumbnails(photos, partial, report or quiet())
        for name in _ASSETS:
            (partial / "assets" / name).write_bytes(
                (package_files("generators.gallery") / "assets" / name).read_bytes()
            )
        (partial / "assets" / "data.js").write_text(_script(data), encoding="utf-8")
        (partial / PAGE).write_text(_page(dataset, data), encoding="utf-8")
    return output / PAGE


def _refuse_foreign(output: Path) -> None:
    """What the gallery replaces must be a gallery: nobody's files are deleted."""
    names = held(output)
    page = output / PAGE
    ours = page.is_file() and _MARK in page.read_text(encoding="utf-8", errors="replace")
    if names and not (ours and names <= _OWN_ENTRIES):
        raise UsageError(f"{output} holds files that are no gallery; name a new or empty folder.")


def _write_thumbnails(photos: list[DatasetPhoto], folder: Path, report: ReportProgress) -> None:
    (folder / "photos").mkdir()
    for done, photo in enumerate(photos, 1):
        thumbnail(photo, THUMBNAIL_SIDE).save(folder / photo_file(photo), "JPEG", quality=84)
        report(done, len(photos), photo.row_id)


def _script(data: dict[str, Any]) -> str:
    # A page opened from disk may load a script and must not fetch. ASCII, and no "<": nothing in it can end a script.
    return f"window.gallery = {json.dumps(data, separators=(',', ':')).replace('<', chr(92) + 'u003c')};\n"


def _page(dataset: Dataset, data: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("generators.gallery", "templates"),
        # autoescape=True and not select_autoescape: names and answers come from other people's files.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    photos = [photo for person in data["people"] for photo in person["photos"]]
    return environment.get_template("index.html.j2").render(
        name=dataset.name,
        digest=dataset.digest,
        people=len(dataset.persons("evaluation")),
        strangers=len(dataset.persons("stranger")),
        trained=sum(photo["trained"] for photo in photos),
        unseen=sum(not photo["trained"] for photo in photos),
        withheld=sum(photo["file"] is None for photo in photos),
        questions=len(dataset.probes),
        origins=data["origins"],
        scenarios=data["scenarios"],
        topics=data["topics"],
        kinds=data["kinds"],
        names=[person["name"] for person in data["people"]],
    )
