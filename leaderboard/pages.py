"""The pages as text: the index, and one page a run. Everything is escaped, whoever wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import words
from leaderboard.answers import AnswerWriter, answer_sections
from leaderboard.boards.board import Board, listed_runs
from leaderboard.boards.overview import build_overviews, shared_facts
from leaderboard.missing import MissingRun
from leaderboard.pictures import AMPLIFICATION, ShownPicture
from leaderboard.runs import RecordedRun
from leaderboard.schema import Record
from leaderboard.settings import Setting, model_titles
from leaderboard.templating import environment


@dataclass(frozen=True)
class Content:
    """What the pages of one suite tell."""

    title: str
    runs: Sequence[RecordedRun]
    boards: Sequence[Board]
    pictures: Sequence[ShownPicture]
    missing: Sequence[MissingRun]
    set_aside: Sequence[Record] = ()


def render_pages(content: Content) -> dict[str, bytes]:
    """Name (relative to the site) -> bytes of ``index.html`` and of every run's page."""
    overviews = build_overviews(content.boards, content.missing)
    shared = {
        "suite_title": content.title,
        "suites": sorted({run.record.suite for run in content.runs}),
        "words": words,
    }
    index = (
        environment()
        .get_template("index.html.j2")
        .render(
            **shared,
            boards=content.boards,
            overviews=overviews,
            shared_facts=shared_facts(content.boards) if overviews else (),
            listed=listed_runs(content.boards),
            labelled=any(run.record.title != run.record.spec.defense for run in content.runs),
            missing=content.missing,
            set_aside=content.set_aside,
            n_runs=len(content.runs) + len(content.missing),
            pictures=content.pictures,
            disclosures=_disclosures(content.runs),
            amplification=AMPLIFICATION,
        )
    )
    shared |= {"several_targets": bool(overviews)}
    return {"index.html": index.encode(), **_run_pages(content.runs, shared)}


def _run_pages(runs: Sequence[RecordedRun], shared: dict[str, Any]) -> dict[str, bytes]:
    template = environment().get_template("run.html.j2")
    writer = AnswerWriter(environment().get_template("answers.html.j2"))
    by_digest = {run.record.run_digest: run for run in runs}
    pages = {}
    for run in runs:
        page = template.render(
            **shared, run=run, by_digest=by_digest, sections=answer_sections(run.rows), answer_lines=writer.lines
        )
        pages[f"runs/{run.stem}.html"] = page.encode()
    return pages


def _disclosures(runs: Sequence[RecordedRun]) -> list[tuple[str, list[str]]]:
    """Every sentence once, with the targets whose runs say it where those of other targets do not."""
    titles = model_titles([Setting.of(run.record) for run in runs])
    said: dict[str, dict[str, None]] = {}
    for run, title in zip(runs, titles, strict=True):
        for line in run.record.disclosures:
            said.setdefault(line, {})[title] = None
    return [(line, [] if len(found) == len(set(titles)) else sorted(found)) for line, found in said.items()]
