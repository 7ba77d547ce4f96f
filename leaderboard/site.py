"""The static page: readable without JavaScript, nothing fetched from elsewhere, equal input gives equal bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from bench.core.errors import DataError
from evaluators.base import choice_scored, open_scored
from leaderboard import words
from leaderboard.boards import Board, build_boards, norm_text, run_lines
from leaderboard.export import metrics_csv
from leaderboard.figures import SHADES, STRIP_WIDTH, figure, seconds_text, strip_place
from leaderboard.overview import build_overviews, shared_facts
from leaderboard.pictures import AMPLIFICATION, Picture, ShownPicture, show_pictures
from leaderboard.runs import Run, load_runs
from leaderboard.schema import plain
from leaderboard.settings import Setting, model_titles

__all__ = ["Picture", "build_site"]

LISTING = "SHA256SUMS"
ASSETS = ("veilbench.css", "veilbench.js")


def build_site(suite_title: str, records_folder: Path, pictures: Sequence[Picture], output: Path) -> Path:
    """Write the page set of one suite into ``output`` and return the path of ``index.html``.

    Beside the page: ``runs/`` (a page a run), ``records/`` (copies to download), ``pictures/``, ``assets/``,
    ``metrics.csv`` and ``SHA256SUMS`` over all of them. Files of an earlier build that are no longer part of the
    page are removed; other files in ``output`` are left alone. Raises DataError for malformed records or pictures.
    """
    runs = load_runs(records_folder)
    shown, picture_files = show_pictures(pictures)
    boards = build_boards(runs)
    contents: dict[str, bytes] = {f"assets/{name}": _asset(name) for name in ASSETS}
    contents.update(picture_files)
    contents["metrics.csv"] = metrics_csv(runs).encode()
    for run in runs:
        contents.update(_record_files(run, records_folder))
    contents.update(_pages(suite_title, runs, boards, shown))
    _write(contents, output)
    return output / "index.html"


def _pages(
    suite_title: str, runs: Sequence[Run], boards: Sequence[Board], pictures: Sequence[ShownPicture]
) -> dict[str, bytes]:
    environment = _environment()
    overviews = build_overviews(boards)
    shared = {"suite_title": suite_title, "suite": runs[0].record.suite, "words": words}
    index = environment.get_template("index.html.j2").render(
        **shared,
        boards=boards,
        overviews=overviews,
        shared_facts=shared_facts(boards) if overviews else (),
        lines=run_lines(boards),
        pictures=pictures,
        disclosures=_disclosures(runs),
        amplification=AMPLIFICATION,
    )
    pages = {"index.html": index.encode()}
    by_digest = {run.record.run_digest: run for run in runs}
    template = environment.get_template("run.html.j2")
    for run in runs:
        page = template.render(
            **shared, run=run, by_digest=by_digest, sections=_sections(run), several_targets=bool(overviews)
        )
        pages[f"runs/{run.stem}.html"] = page.encode()
    return pages


def _disclosures(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """Every sentence once, with the targets whose runs say it where those of other targets do not."""
    titles = model_titles([Setting.of(run.record) for run in runs])
    said: dict[str, dict[str, None]] = {}
    for run, title in zip(runs, titles, strict=True):
        for line in run.record.disclosures:
            said.setdefault(line, {})[title] = None
    return [(line, [] if len(found) == len(set(titles)) else sorted(found)) for line, found in said.items()]


def _sections(run: Run) -> list[dict[str, Any]]:
    """The answers of a run by kind of question, in the page's order; unknown kinds last."""
    order = {kind: place for place, kind in enumerate(words.KINDS)}
    sections = []
    for (kind, view), rows in run.rows.groupby(["kind", "view"], sort=True):
        title = words.KINDS.get((str(kind), str(view)), f"{kind}, {view}")
        sections.append({"key": (str(kind), str(view)), "title": title, "rows": _answers(rows)})
    return sorted(sections, key=lambda section: (order.get(section["key"], len(order)), section["key"]))


def _answers(rows: pd.DataFrame) -> list[dict[str, Any]]:
    answers = []
    ordered = rows.sort_values(["person_id", "scenario", "request_id"], kind="stable")
    ordered = ordered.assign(choice_scored=choice_scored(ordered), open_scored=open_scored(ordered))
    for row in ordered.to_dict("records"):
        options = [] if row["options"] is None else list(row["options"])
        choice = int(row["choice"])
        answers.append(
            {
                **{str(key): value for key, value in row.items()},
                "options": options,
                "choice_text": options[choice] if 0 <= choice < len(options) else "",
                "choice_correct": bool(row["choice_correct"]),
                "open_correct": bool(row["open_correct"]),
            }
        )
    return answers


def _environment() -> jinja2.Environment:
    # autoescape=True and not select_autoescape: names and answers come from models and from other people's files.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("leaderboard", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        figure=lambda metric: figure([metric]),
        norm_text=norm_text,
        seconds=seconds_text,
        strip_width=STRIP_WIDTH,
        shades=range(SHADES),
        strip_zero=strip_place(0),
        strip_one=strip_place(1),
    )
    environment.filters["pretty"] = lambda value: json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False)
    return environment


def _record_files(run: Run, folder: Path) -> Mapping[str, bytes]:
    """Record, answers and costs as they are, to be downloaded beside the page."""
    rows = run.record.rows
    names = [f"{run.stem}.json", rows.file if rows else "", f"{run.stem}.costs.json"]
    if not (folder / names[0]).is_file():
        raise DataError(f"{folder}: the record of run {run.record.run_digest[:12]} should be named {names[0]}.")
    return {f"records/{name}": (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _asset(name: str) -> bytes:
    return (package_files("leaderboard") / "assets" / name).read_bytes()


def _write(contents: Mapping[str, bytes], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    stale = _listed(output) - contents.keys()
    for name, content in sorted(contents.items()):
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in sorted(stale):
        (output / name).unlink(missing_ok=True)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    (output / LISTING).write_text("".join(lines), encoding="utf-8")


def _listed(output: Path) -> set[str]:
    """Files that an earlier build wrote here; nothing outside of the folder, whatever the listing says."""
    listing = output / LISTING
    if not listing.is_file():
        return set()
    names = {line[66:] for line in listing.read_text(encoding="utf-8").splitlines()}
    root = output.resolve()
    return {name for name in names if name and (output / name).resolve().is_relative_to(root)}
