"""The page: complete, escaped, without a fetch, and the same bytes for the same input."""

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from leaderboard_example import facts, png, portrait
from site_pages import Page, pages, rows_of, table_of

from bench.core.errors import DataError
from leaderboard.pictures import Picture
from leaderboard.records import write_record
from leaderboard.schema import Controls, Invocation, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"
HOSTILE = '<script>alert("x")</script>'


def test_every_defense_control_and_number_is_in_the_table(site: Path, records: dict[Key, Record]) -> None:
    headline = Page((site / "index.html").read_text()).tables[0]
    for name in ("dp2vl", "blur", "noise", "Base", "Undefended"):
        assert len(rows_of(headline, name)) == 1
    (row,) = rows_of(headline, "dp2vl")
    for name, attack in (("normalised", "naive"), ("normalised", "augment"), ("leakage", "augment"), ("psnr", "naive")):
        metric = records["dp2vl", attack].metric(name)
        assert metric is not None and metric.value is not None
        shown = f"{metric.value:.{1 if name == 'psnr' else 2}f}".replace("-", "\N{MINUS SIGN}")
        assert any(shown in cell and "[" in cell for cell in row), (name, shown, row)
    assert "1.4" in row[-1]


def test_every_link_leads_somewhere_inside(site: Path) -> None:
    seen = 0
    found = dict(pages(site))
    for path, page in found.items():
        for link in page.links:
            assert not re.match(r"[a-z]+:|//", link), f"{path.name} fetches {link}"
            file, _, anchor = link.partition("#")
            goal = (path.parent / file).resolve() if file else path
            assert goal.is_file(), f"{path.name}: {link}"
            assert not anchor or anchor in found[goal].ids, f"{path.name}: {link}"
            seen += 1
    assert seen > 100
    for name in ("veilbench.css", "veilbench.js"):
        assert "http" not in (site / "assets" / name).read_text()


def test_from_a_row_to_the_raw_files(site: Path, records_folder: Path) -> None:
    index = Page((site / "index.html").read_text())
    run_pages = {link for link in index.links if link.startswith("runs/")}
    assert len(run_pages) == 9
    for link in run_pages:
        stem = Path(link).stem
        run = Page((site / link).read_text())
        for ending in (".json", ".rows.parquet"):
            assert f"../records/{stem}{ending}" in run.links
            assert (site / f"records/{stem}{ending}").read_bytes() == (records_folder / f"{stem}{ending}").read_bytes()


def test_every_answer_stands_on_its_run_page(site: Path, answers: dict[Key, pd.DataFrame]) -> None:
    (path,) = site.glob("runs/*-dp2vl-naive.html")
    page = Page(path.read_text())
    assert sum(len(table) - 1 for table in page.tables[1:]) == len(answers["dp2vl", "naive"])


def test_the_markup_is_sound_and_accessible(site: Path) -> None:
    for path, page in pages(site):
        assert not page.unbalanced, path
        assert len(page.ids) == len(set(page.ids)), path
        assert page.heads_without_scope == 0 and page.images_without_text == 0, path
        text = path.read_text()
        assert '<html lang="en">' in text and text.count("<h1") == 1


def test_disclosures_and_chance_are_said_on_the_page(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert "not figures of LLaVA-1.5-7B" in text
    assert "guessing would reach 0.20" in text


def test_equal_input_gives_equal_bytes(write: Write, pictures: list[Picture], tmp_path: Path) -> None:
    build_site(TITLE, write(), pictures, tmp_path / "one")
    build_site(TITLE, write(), pictures, tmp_path / "other")
    one = {path.relative_to(tmp_path / "one"): path for path in (tmp_path / "one").rglob("*") if path.is_file()}
    other = {path.relative_to(tmp_path / "other"): path for path in (tmp_path / "other").rglob("*") if path.is_file()}
    assert one.keys() == other.keys() and len(one) > 40
    assert all(path.read_bytes() == other[name].read_bytes() for name, path in one.items())


def test_checksums_cover_every_file(site: Path) -> None:
    lines = [line.split("  ", 1) for line in (site / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} | {"SHA256SUMS"} == {
        str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()
    }
    assert all(hashlib.sha256((site / name).read_bytes()).hexdigest() == checksum for checksum, name in lines)


def test_a_rebuild_removes_its_own_old_pages_only(
    write: Write, pictures: list[Picture], records: dict[Key, Record], tmp_path: Path
) -> None:
    folder = write()
    site = build_site(TITLE, folder, pictures, tmp_path / "site").parent
    (site / "runs" / "notes.html").write_text("mine")
    (tmp_path / "outside.txt").write_text("mine too")
    with (site / "SHA256SUMS").open("a") as listing:
        listing.write(f"{'0' * 64}  ../outside.txt\n")
    for path in folder.glob("*-blur-naive.*"):
        path.unlink()
    build_site(TITLE, folder, pictures, site)
    assert not list(site.glob("runs/*-blur-naive.html")) and list(site.glob("runs/*-blur-augment.html"))
    assert (site / "runs" / "notes.html").read_text() == "mine"
    assert (tmp_path / "outside.txt").exists()


def test_hostile_text_stays_text(
    write: Write, answers: dict[Key, pd.DataFrame], records: dict[Key, Record], tmp_path: Path
) -> None:
    record = records["dp2vl", "naive"]
    spec = record.spec.model_copy(update={"defense": HOSTILE, "target": HOSTILE, "defense_options": {HOSTILE: HOSTILE}})
    folder = write()
    for path in folder.glob("*-dp2vl-naive.*"):
        path.unlink()
    rows = answers["dp2vl", "naive"].assign(text=HOSTILE, question=HOSTILE, person_id=HOSTILE, named_person=HOSTILE)
    changed = record.model_copy(update={"spec": spec, "suite": HOSTILE, "disclosures": [HOSTILE]})
    write_record(changed, rows, {}, folder)
    pictures = [Picture(HOSTILE, png(portrait()), png(portrait()))]
    site = build_site(HOSTILE, folder, pictures, tmp_path / "site").parent
    for path in site.rglob("*.html"):
        assert "<script>" not in path.read_text(), path
    assert (site / "index.html").read_text().count("&lt;script&gt;") > 5


def test_a_runs_page_says_how_to_repeat_it(write: Write, records: dict[Key, Record], tmp_path: Path) -> None:
    record = records["dp2vl", "naive"]
    limited = record.model_copy(
        update={
            "invocation": Invocation(suite="my suite.yaml", seed=1),
            "spec": record.spec.model_copy(update={"limit": 3, "seed": 1}),
        }
    )
    site = build_site(TITLE, write({("dp2vl", "naive"): limited}), [], tmp_path / "site").parent
    (path,) = site.glob("runs/*-dp2vl-naive.html")
    assert "<code>veilbench run &#39;my suite.yaml&#39; --limit 3 --seed 1</code>" in path.read_text()
    assert "<code>my suite.yaml</code> is the file of the suite <code>quick</code>" in path.read_text()
    (other,) = site.glob("runs/*-dp2vl-augment.html")
    assert "<code>veilbench run quick</code>" in other.read_text()
    assert "is the file of the suite" not in other.read_text()


def test_a_metric_that_nobody_measured_is_a_dash_not_a_zero(
    write: Write, records: dict[Key, Record], tmp_path: Path
) -> None:
    gone = ("ssim", "psnr", "utility", "name_open")
    record = records["noise", "naive"]
    kept = [metric for metric in record.metrics if metric.name not in gone]
    folder = write({("noise", "naive"): record.model_copy(update={"metrics": kept})})
    site = build_site(TITLE, folder, [], tmp_path / "site")
    (row,) = rows_of(Page(site.read_text()).tables[0], "noise")
    assert "not measured" in row[7] and "not measured" in row[8]


def test_a_record_without_its_control_is_an_error(write: Write) -> None:
    folder = write()
    for path in folder.glob("*-none-augment.*"):
        path.unlink()
    with pytest.raises(DataError, match=r"-augment\.json: field controls\.undefended"):
        build_site(TITLE, folder, [], folder.parent / "site")
    assert not (folder.parent / "site").exists()


def test_the_csv_has_every_metric(site: Path, records: dict[Key, Record]) -> None:
    with (site / "metrics.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == sum(len(record.metrics) for record in records.values())
    (line,) = [
        one
        for one in lines
        if (one["defense"], one["attack"], one["name"], one["scenario"]) == ("dp2vl", "naive", "leakage", "pet")
    ]
    metric = records["dp2vl", "naive"].metric("leakage", "pet")
    assert metric is not None and float(line["value"]) == metric.value


def test_csv_text_is_no_formula(write: Write, records: dict[Key, Record], tmp_path: Path) -> None:
    changed = {key: record.model_copy(update={"suite": "=cmd()"}) for key, record in records.items()}
    site = build_site(TITLE, write(changed), [], tmp_path / "site").parent
    assert "\n'=cmd()," in (site / "metrics.csv").read_text()


def test_text_on_every_heat_shade_can_be_read(site: Path) -> None:
    css = (site / "assets/veilbench.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark", 1)
    for theme in (light, dark):
        colours = dict(re.findall(r"--([a-z]+(?:-[a-z]+)*(?:-\d)?): (#[0-9a-f]{6})", theme))
        pairs = [(f"heat-{shade}", f"heat-ink-{shade}") for shade in range(10)]
        pairs += [("paper", "ink"), ("paper", "quiet"), ("panel", "quiet"), ("paper", "accent"), ("warn-soft", "warn")]
        for ground, ink in pairs:
            assert contrast(colours[ground], colours[ink]) >= 4.5, (ground, ink)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        channels = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_unscored_answers_are_counted_apart(site: Path, answers: dict[Key, Any]) -> None:
    rows = answers["noise", "naive"]
    unscored = int((rows["choice"].eq(-1) & rows["options"].map(bool)).sum()) + int((rows["status"] != "ok").sum())
    asked = int(rows["options"].map(bool).sum()) + len(rows)
    assert 0 < len(facts(rows)) < 16 * 28 and 0 < unscored < asked
    row = next(row for row in rows_of(table_of(site, "Unscored"), "noise") if row[1].strip() == "naive")
    assert f"{unscored} of {asked}" in " ".join(row[-2].split())


def test_a_base_control_needs_no_controls(records: dict[Key, Record]) -> None:
    assert records["none", "base"].is_base and records["none", "base"].controls == Controls()


def test_without_a_costs_file_nothing_leads_to_one(write: Write, tmp_path: Path) -> None:
    folder = write()
    for path in folder.glob("*.costs.json"):
        path.unlink()
    site = build_site(TITLE, folder, [], tmp_path / "site").parent
    assert not any("costs" in link for _, page in pages(site) for link in page.links)
