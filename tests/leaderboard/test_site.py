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
from example_tables import digest, make_people, make_rows
from leaderboard_example import make_record, photos_of, png, portrait, write_example
from site_pages import Page, pages, rows_of, table_of

from bench.core.errors import DataError
from evaluators.scoring import rescored
from leaderboard.measuring import run_metrics
from leaderboard.pictures import Picture
from leaderboard.records import load_records, write_record
from leaderboard.schema import Controls, Invocation, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
Build = Callable[[Path], Path]
LineOf = Callable[[Path, str], dict[str, str]]
TITLE = "Quick look"
HOSTILE = '<script>alert("x")</script>'
DASH = "\N{EN DASH}"
ATTACKS = ("naive", "augment")
DEFENSES = ("noise", "blur", "dp2vl")


@pytest.fixture
def build(tmp_path: Path, verdicts: Path) -> Build:
    """Make the site of a folder of records."""
    return lambda folder: build_site(TITLE, folder, [], tmp_path / "site", verdicts=verdicts).parent


def test_every_defense_control_and_number_is_in_the_table(
    site: Path, line_of: LineOf, records: dict[Key, Record]
) -> None:
    lines = {name: line_of(site, name) for name in (*DEFENSES, "Base", "Undefended")}
    for name, line in lines.items():
        defense = name if name in DEFENSES else "none"
        for attack in ATTACKS:
            assert line[attack] == shown(records[defense, "base" if name == "Base" else attack], "leakage")
    dp2vl = records["dp2vl", "naive"]
    psnr, ssim = dp2vl.metric("psnr"), dp2vl.metric("ssim")
    assert psnr is not None and ssim is not None
    assert lines["dp2vl"]["PSNR"] == f"{psnr.value:.1f}" and lines["dp2vl"]["SSIM"] == f"{ssim.value:.3f}"
    assert lines["dp2vl"]["Seconds per photo"] == "1.4"
    assert lines["Undefended"]["Part that remains"] == "1 by definition" and lines["Base"]["At most"] == DASH


def test_tails_are_those_of_the_strongest_attacker_beside_what_chance_would_give(
    site: Path, line_of: LineOf, records: dict[Key, Record]
) -> None:
    for name in DEFENSES:
        line = line_of(site, name)
        record = records[name, line["Leakage"].rpartition(" by ")[2]]
        for column, metric in (("Half told", "exposed"), ("Worst tenth", "worst_tenth")):
            chance = record.metric(f"{metric}_by_chance")
            assert chance is not None and chance.value is not None
            assert line[column] == f"{shown(record, metric)} ({chance.value:.2f})"


def shown(record: Record, name: str) -> str:
    """A metric as the table prints it."""
    metric = record.metric(name)
    assert metric is not None and metric.value is not None
    ends = () if metric.low is None or metric.high is None else (f"[{metric.low:.2f}, {metric.high:.2f}]",)
    return " ".join((f"{metric.value:.2f}", *ends))


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


def test_disclosures_and_zero_are_said_on_the_page(site: Path, records: dict[Key, Record]) -> None:
    text = (site / "index.html").read_text()
    assert "not figures of LLaVA-1.5-7B" in text
    zero = records["none", "naive"].metric("zero")
    assert zero is not None and zero.value is not None
    assert f"With the facts dealt to the people by chance it would be {zero.value:.2f}." in text
    assert f"<dt>Zero</dt><dd>{zero.value:.2f}</dd>" in text and "guessing" not in text
    per_scenario = [records["none", "naive"].metric("zero", one) for one in ("pet", "partner")]
    (foot,) = rows_of(table_of(site, "Defense and attacker"), "Zero")
    assert all(one is not None and f"{one.value:.2f}" in foot for one in per_scenario)


def test_no_word_of_what_was_given_up_is_left(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not re.search("normalised|worst case|Holm", path.read_text(), re.IGNORECASE), path


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


def test_hostile_text_stays_text(answers: dict[Key, pd.DataFrame], tmp_path: Path) -> None:
    """In every field that a record or its tables let through: names, options, texts, reasons."""
    folder = tmp_path / "records"
    for key in (("none", "base"), ("none", "naive"), ("dp2vl", "naive")):
        write_hostile(*key, answers[key], folder)
    gone = {"standing": "withdrawn", "standing_reason": HOSTILE, "run_digest": digest("gone")}
    write_hostile("dp2vl", "naive", answers["dp2vl", "naive"], folder, **gone)
    pictures = [Picture(HOSTILE, png(portrait()), png(portrait()))]
    site = build_site(HOSTILE, folder, pictures, tmp_path / "site").parent
    for path in site.rglob("*.html"):
        assert "<script>" not in path.read_text(), path
    assert (site / "index.html").read_text().count("&lt;script&gt;") > 20
    (path,) = site.glob("runs/*script*-*script*.html")
    assert path.read_text().count("&lt;script&gt;") > 20


def write_hostile(defense: str, attack: str, rows: pd.DataFrame, folder: Path, **changes: Any) -> None:
    """Write a run with markup wherever it can be; ``changes`` replace fields of the record."""
    renamed = {"person_id": {"person-00": HOSTILE}}
    people = make_people().replace(renamed)
    asked = rows.replace(renamed).assign(question=HOSTILE)
    asked.loc[asked["scenario"] == "pet", "text"] = HOSTILE
    asked.loc[asked["kind"] == "stranger", "text"] = "This is Person-00."
    told = asked.assign(**{str(name): values.to_numpy() for name, values in rescored(asked, people).items()})
    assert HOSTILE in set(told["named_person"])
    defended = {} if defense == "none" else {"defense": HOSTILE, "defense_options": {HOSTILE: HOSTILE}}
    record = make_record(defense, attack if attack == "base" else HOSTILE, told, target=HOSTILE, dataset=HOSTILE)
    spec = record.spec.model_copy(update={**defended, "target_family": HOSTILE})
    photos = photos_of(spec)
    made = {"spec": spec, "metrics": run_metrics(told, photos, record.evaluators, spec.attack, spec.seed)}
    texts = {"suite": HOSTILE, "disclosures": [HOSTILE], "artifacts": {HOSTILE: HOSTILE}}
    protected = None if photos is None else photos.replace(renamed)
    write_record(record.model_copy(update={**texts, **made, **changes}), told, people, protected, {}, folder)


def test_a_runs_page_says_how_to_repeat_it(write: Write, build: Build, answers: dict[Key, pd.DataFrame]) -> None:
    folder = write()
    for key in (("none", "base"), ("none", "naive"), ("dp2vl", "naive")):
        limited = make_record(*key, answers[key], limit=3, seed=1, dataset_digest=digest("three of them"))
        changes = {
            "run_digest": digest("limited", *key),
            "invocation": Invocation(suite="my suite.yaml", seed=1),
            "controls": Controls(
                base=limited.controls.base and digest("limited", "none", "base"),
                undefended=limited.controls.undefended and digest("limited", "none", "naive"),
            ),
        }
        write_example(limited.model_copy(update=changes), answers[key], folder)
    site = build(folder)
    (path,) = site.glob(f"runs/{digest('limited', 'dp2vl', 'naive')[:12]}-dp2vl-naive.html")
    assert "<code>veilbench run &#39;my suite.yaml&#39; --limit 3 --seed 1</code>" in path.read_text()
    assert "<code>my suite.yaml</code> is the file of the suite <code>quick</code>" in path.read_text()
    (other,) = site.glob("runs/*-dp2vl-augment.html")
    assert "<code>veilbench run quick</code>" in other.read_text()
    assert "is the file of the suite" not in other.read_text()


def test_a_metric_that_nobody_measured_is_a_dash_not_a_zero(
    write: Write, build: Build, line_of: LineOf, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    folder = write()
    for key, record in records.items():
        # Nobody was asked what can be seen, and no evaluator looked at the photos of one defense.
        rows = answers[key][answers[key]["kind"] != "utility"].reset_index(drop=True)
        names = [name for name in record.evaluators if key[0] != "noise" or name != "image_quality"]
        write_example(record.model_copy(update={"evaluators": names}), rows, folder)
    noise, blur = (line_of(build(folder), name) for name in ("noise", "blur"))
    assert [noise[name] for name in ("Utility", "SSIM", "PSNR")] == [f"{DASH}not measured"] * 3
    assert blur["Utility"] == f"{DASH}not measured" and blur["SSIM"].startswith("0.94")


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


def test_csv_text_is_no_formula(write: Write, build: Build, records: dict[Key, Record]) -> None:
    changed = {key: record.model_copy(update={"suite": "=cmd()"}) for key, record in records.items()}
    assert "\n'=cmd()," in (build(write(changed)) / "metrics.csv").read_text()


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
    facts = rows[(rows["kind"] == "held_out") & rows["options"].map(bool)]
    assert 0 < int((facts["choice"] >= 0).sum()) < len(facts) == 16 * 28 and 0 < unscored < asked
    row = next(row for row in rows_of(table_of(site, "Unscored"), "noise") if row[1].strip() == "naive")
    assert f"{unscored} of {asked}" in " ".join(row[-2].split())


def test_a_base_control_needs_no_controls(records: dict[Key, Record]) -> None:
    assert records["none", "base"].is_base and records["none", "base"].controls == Controls()


def test_without_a_costs_file_nothing_leads_to_one(write: Write, build: Build) -> None:
    folder = write()
    for path in folder.glob("*.costs.json"):
        path.unlink()
    assert not any("costs" in link for _, page in pages(build(folder)) for link in page.links)


def test_costs_are_said_to_be_of_the_machine_that_made_the_run(site: Path) -> None:
    """Whoever builds the page may sit before another one, and equal records must stay equal."""
    head = next(cell for cell in Page((site / "index.html").read_text()).tables[0][1] if "Seconds per photo" in cell)
    assert "on the machine that made the run; not part of the record" in head
    told = flat((site / "index.html").read_text().partition('id="read-seconds"')[2].partition("</div>")[0])
    assert "on the machine that made the run, which need not be the one that made this page" in told
    assert all("seconds" not in path.read_text() for path in site.glob("records/*[a-z0-9].json") if is_record(path))
    assert "seconds" not in (site / "metrics.csv").read_text()


def is_record(path: Path) -> bool:
    """Whether this is no file of costs."""
    return not path.name.endswith(".costs.json")


def flat(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def kicker(path: Path) -> str:
    """What stands above a page's title, without its markup."""
    (told,) = re.findall(r'<p class="kicker">(.*?)</p>', path.read_text(), re.DOTALL)
    return flat(re.sub("<[^>]*>", "", told))


def test_every_suite_whose_records_are_shown_is_named(
    site: Path, write: Write, build: Build, records: dict[Key, Record]
) -> None:
    assert kicker(site / "index.html") == "Suite quick"
    other = {
        (name, attack): records[name, attack].model_copy(update={"suite": "families"})
        for name in ("dp2vl", "blur")
        for attack in ATTACKS
    }
    merged = build(write(other))
    assert kicker(merged / "index.html") == "Suites families, quick"
    for name, suite in (("dp2vl", "families"), ("noise", "quick")):
        (path,) = merged.glob(f"runs/*-{name}-naive.html")
        assert kicker(path).endswith(f"of suite {suite}")
    with (merged / "metrics.csv").open(newline="") as file:
        told = {(line["defense"], line["suite"]) for line in csv.DictReader(file)}
    assert told == {("none", "quick"), ("noise", "quick"), ("blur", "families"), ("dp2vl", "families")}


@pytest.mark.parametrize(("standing", "reason"), [("superseded", "trained with a wrong seed"), ("withdrawn", "")])
def test_a_record_that_no_longer_counts_is_listed_with_its_reason_and_stands_in_no_other_table(
    site: Path,
    write: Write,
    build: Build,
    records: dict[Key, Record],
    answers: dict[Key, pd.DataFrame],
    standing: str,
    reason: str,
) -> None:
    """Its answers are those of the undefended model: they would change the headline, were they counted."""
    folder = write()
    old = records["dp2vl", "naive"].model_copy(
        update={"run_digest": digest("old"), "standing": standing, "standing_reason": reason, "suite": "old"}
    )
    path = write_example(old, answers["none", "naive"], folder)
    after = build(folder)
    before, now = Page((site / "index.html").read_text()).tables, Page((after / "index.html").read_text()).tables
    (listed,) = [table for table in now if table not in before]
    assert [table for table in now if table is not listed] == before
    (row,) = [[cell.strip() for cell in row] for row in listed[1:]]
    assert row == ["dp2vl", "naive", "tiny-llava", standing, reason or "none given", digest("old")[:8]]
    text = (after / "index.html").read_text()
    assert ">Records that no longer count</h2>" in text and "no longer count" not in (site / "index.html").read_text()
    assert (after / "metrics.csv").read_bytes() == (site / "metrics.csv").read_bytes()
    assert not list(after.glob(f"runs/{digest('old')[:12]}-*")) and kicker(after / "index.html") == "Suite quick"
    assert (after / "records" / path.name).read_bytes() == path.read_bytes()
    assert len(load_records(after / "records")) == len(records) + 1, "its files are kept, and can be checked"


def test_an_adaptive_attacker_is_counted(
    site: Path, write: Write, build: Build, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    def told(site: Path) -> list[str]:
        return [flat(one) for one in re.findall(r"\d attackers?, \w+ adaptive", (site / "index.html").read_text())]

    assert set(told(site)) == {"2 attackers, none adaptive"} and len(told(site)) == 3
    heads = Page((site / "index.html").read_text()).tables[0][0]
    assert any(cell.strip().startswith("Highest of 2 attackers, none adaptive") for cell in heads)
    assert all(not record.spec.adaptive for record in records.values())
    adaptive = {
        (name, "augment"): make_record(name, "augment", answers[name, "augment"], adaptive=True)
        for name in ("none", *DEFENSES)
    }
    assert set(told(build(write(adaptive)))) == {"2 attackers, 1 adaptive"}


def test_no_part_of_a_leak_is_given_where_undefended_gains_too_little_over_zero(
    write: Write, build: Build, line_of: LineOf, records: dict[Key, Record]
) -> None:
    """The raw numbers stay, the ratio is refused with its reason: in the table, and in a list for who cannot hover."""
    rows = {attack: make_rows((0.27, 0.3, 0.9), seed=70 + place, people=16) for place, attack in enumerate(ATTACKS)}
    folder = write()
    for attack in ATTACKS:
        write_example(make_record("none", attack, rows[attack]), rows[attack], folder)
    site = build(folder)
    text = flat((site / "index.html").read_text())
    for name in DEFENSES:
        line = line_of(site, name)
        assert line["naive"] == shown(records[name, "naive"], "leakage") and " by " in line["Leakage"]
        assert line["Part that remains"].startswith("no numberwithout a defense the strongest attacker gains")
        assert line["At most"] == DASH
        assert f"<li>No number for Part that remains of {name}: without a defense the strongest attacker" in text
    assert "below 0.10 there is nothing to compare with" in text and "of the leak remains" not in text
    assert not re.search('<svg class="strip"', text), "nothing is drawn on a scale without an end"
