"""The static page: readable without JavaScript, nothing fetched from elsewhere, equal input gives equal bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path

from bench.core.digests import digest_file
from bench.core.disk import writable
from bench.core.errors import DataError, UsageError
from leaderboard.boards.building import build_boards
from leaderboard.evidence.tables import named_files
from leaderboard.export import metrics_csv
from leaderboard.missing import MISSING_FILE, MissingRun, missing_file, read_missing
from leaderboard.pages import Content, render_pages
from leaderboard.pictures import Picture, show_pictures
from leaderboard.records import file_stem
from leaderboard.runs import load_folder
from leaderboard.schema import Record

PAGE = "index.html"
LISTING = "SHA256SUMS"
ASSETS = ("veilbench.css", "veilbench.js")
_STYLE = f'<link rel="stylesheet" href="assets/{ASSETS[0]}">'


def build_site(
    suite_title: str,
    records_folder: Path,
    pictures: Sequence[Picture],
    output: Path,
    missing: Sequence[MissingRun] = (),
    verdicts: Path | None = None,
) -> Path:
    """Write the page set of one suite into ``output`` and return the path of ``index.html``.

    ``missing`` are runs of the suite without a record, besides those that the folder names: the page lists them, and a
    defense that lacks one has no headline. Beside the page: ``runs/`` (a page a run), ``records/`` (copies to
    download), ``pictures/``, ``assets/``, ``metrics.csv`` and ``SHA256SUMS`` over all of them. Files of an earlier
    build that are no longer part of the page are removed; other files in ``output`` are left alone. ``verdicts`` is a
    folder that remembers which records were checked. Raises UsageError as ``page_folder``, and DataError for malformed
    records or pictures, and for records whose numbers are not those of their tables.
    """
    output = page_folder(output)
    folder = load_folder(records_folder, verdicts)
    runs = folder.runs
    missing = tuple(dict.fromkeys((*read_missing(records_folder), *missing)))
    shown, picture_files = show_pictures(pictures)
    contents: dict[str, bytes] = {f"assets/{name}": _asset(name) for name in ASSETS}
    contents.update(picture_files)
    contents["metrics.csv"] = metrics_csv(runs).encode()
    if missing:
        contents[f"records/{MISSING_FILE}"] = missing_file(missing)
    for record in (*(run.record for run in runs), *folder.set_aside):
        contents.update(_record_files(record, records_folder))
    contents.update(
        render_pages(Content(suite_title, runs, build_boards(runs, missing), shown, missing, folder.set_aside))
    )
    _write(contents, output)
    return output / PAGE


def page_folder(output: Path) -> Path:
    """The folder that somebody named for a page, ``~`` spelled out. It need not exist.

    Raises UsageError, before any work, where nothing can be written there, and where a page or a listing that no build
    made would be written over.
    """
    folder = writable(output)
    page = folder / PAGE
    theirs = [path.name for path in (page, folder / LISTING) if path.exists()]
    if theirs and not (page.is_file() and _STYLE in page.read_text(encoding="utf-8", errors="replace")):
        raise UsageError(f"{folder} has a file {theirs[0]} that is no page of ours: name another folder.")
    return folder


def _record_files(record: Record, folder: Path) -> Mapping[str, bytes]:
    """Record, tables and costs as they are, to be downloaded beside the page."""
    stem = file_stem(record)
    names = [f"{stem}.json", f"{stem}.costs.json", *(file.file for file in named_files(record).values())]
    if not (folder / names[0]).is_file():
        raise DataError(f"{folder}: the record of run {record.run_digest[:12]} should be named {names[0]}.")
    return {f"records/{name}": (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _asset(name: str) -> bytes:
    return (package_files("leaderboard") / "assets" / name).read_bytes()


def _write(contents: Mapping[str, bytes], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    stale = _listed(output) - contents.keys()
    # The page first: by it a build that was stopped is known for ours.
    for name, content in sorted(contents.items(), key=lambda item: (item[0] != PAGE, item[0])):
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in sorted(stale):
        (output / name).unlink(missing_ok=True)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    (output / LISTING).write_text("".join(lines), encoding="utf-8")


def is_intact(output: Path) -> bool:
    """Whether every file that a build wrote into ``output`` is there with the bytes it had."""
    lines = (output / LISTING).read_text(encoding="utf-8").splitlines()
    return all((output / line[66:]).is_file() and digest_file(output / line[66:]) == line[:64] for line in lines)


def _listed(output: Path) -> set[str]:
    """Files that an earlier build wrote here; nothing outside of the folder, whatever the listing says."""
    listing = output / LISTING
    if not listing.is_file():
        return set()
    names = {line[66:] for line in listing.read_text(encoding="utf-8").splitlines()}
    root = output.resolve()
    return {name for name in names if name and (output / name).resolve().is_relative_to(root)}
