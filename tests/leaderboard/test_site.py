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
from leaderboard_example import digest, facts, make_metrics, make_record, png, portrait
from site_pages import Page, pages, rows_of, table_of

from bench.core.errors import DataError
from leaderboard.records import write_record
from leaderboard.schema import Controls, Invocation, Metric, Record
from leaderboard.site import Picture, build_site

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


def test_the_worst_attacker_is_the_headline(site: Path, records: dict[Key, Record]) -> None:
    (row,) = rows_of(Page((site / "index.html").read_text()).tables[0], "blur")
    values = {attack: records["blur", attack].metric("normalised") for attack in ("naive", "augment")}
    worst = max(values, key=lambda attack: getattr(values[attack], "value", 0))
    assert f"by {worst}" in " ".join(row[2].split())


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


def test_a_refused_number_says_why(write: Write, records: dict[Key, Record], tmp_path: Path) -> None:
    reason = "the controls cannot be told apart"
    changed = {}
    for attack in ("naive", "augment"):
        record = records["dp2vl", attack]
        refused = {"value": None, "low": None, "high": None, "refusal": reason}
        metrics = [m.model_copy(update=refused) if m.name == "normalised" else m for m in record.metrics]
        changed["dp2vl", attack] = record.model_copy(update={"metrics": metrics})
    site = build_site(TITLE, write(changed), [], tmp_path / "site").parent
    headline = Page((site / "index.html").read_text()).tables[0]
    (row,) = rows_of(headline, "dp2vl")
    assert reason in row[2] and row[0].strip() == "\N{EN DASH}"
    order = sorted(("dp2vl", "blur", "noise"), key=lambda name: headline.index(rows_of(headline, name)[0]))
    assert order == ["blur", "noise", "dp2vl"], "a defense without a number stands last"
    assert f"dp2vl against augment: {reason}" in (site / "index.html").read_text()


def refused(record: Record, reason: str) -> Record:
    """The record with its normalised leakage refused."""
    gone = {"value": None, "low": None, "high": None, "refusal": reason}
    metrics = [metric.model_copy(update=gone) if metric.name == "normalised" else metric for metric in record.metrics]
    return record.model_copy(update={"metrics": metrics})


def test_the_worst_case_is_refused_where_one_attackers_number_is(
    write: Write, records: dict[Key, Record], tmp_path: Path
) -> None:
    changed = {("dp2vl", "augment"): refused(records["dp2vl", "augment"], "the controls cannot be told apart")}
    site = build_site(TITLE, write(changed), [], tmp_path / "site").parent
    (row,) = rows_of(table_of(site, "Normalised leakage"), "dp2vl")
    assert "no number" in row[2] and "against augment: the controls cannot be told apart" in row[2]
    naive = records["dp2vl", "naive"].metric("normalised")
    assert naive is not None and naive.value is not None
    assert f"{naive.value:.2f}" in row[3].replace("\N{MINUS SIGN}", "-"), "the naive number stands beside it"
    assert row[0].strip() == "\N{EN DASH}", "and there is no rank without a worst case"
    assert not rows_of(table_of(site, "p after Holm"), "dp2vl")


def test_a_defense_that_did_not_meet_every_attacker_has_no_worst_case(write: Write, tmp_path: Path) -> None:
    folder = write()
    for path in folder.glob("*-dp2vl-augment.*"):
        path.unlink()
    site = build_site(TITLE, folder, [], tmp_path / "site").parent
    (row,) = rows_of(table_of(site, "Normalised leakage"), "dp2vl")
    assert "against augment: not tried" in row[2] and row[0].strip() == "\N{EN DASH}"


def test_each_defense_is_compared_to_undefended_under_its_worst_attacker(
    site: Path, records: dict[Key, Record]
) -> None:
    table = table_of(site, "p after Holm")
    assert sorted(row[0].strip() for row in table[1:]) == ["blur", "dp2vl", "noise"]
    for name, attack, difference, p_value in table[1:]:
        own, without = (records[key, attack.strip()].metric("leakage") for key in (name.strip(), "none"))
        assert own is not None and without is not None and own.value is not None and without.value is not None
        shown = difference.replace("\N{MINUS SIGN}", "-")
        assert f"{own.value - without.value:.2f} [" in shown
        # With 16 people a difference in everybody is a matter of 2 in 2 to the 16, thrice that after Holm.
        assert p_value.strip() == "< 0.001" if name.strip() != "noise" else float(p_value) > 0.05


def test_the_p_values_are_holms_over_the_defenses(
    write: Write, answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    def add(name: str) -> None:
        """A defense that keeps a few facts of the first people, so that its p-value is far from 0 and 1."""
        for attack in ("naive", "augment"):
            rows = answers["none", attack].copy()
            kept = rows["person_id"].isin([f"person-{number:02d}" for number in range(5)]) & rows["scenario"].eq("pet")
            rows.loc[kept, "choice_correct"] = False
            write_record(make_record(name, attack, make_metrics("noise", attack, rows, answers)), rows, {}, folder)

    def p_value() -> float:
        site = build_site(TITLE, folder, [], tmp_path / "site").parent
        return float(rows_of(table_of(site, "p after Holm"), "noise")[0][3])

    folder = write()
    for path in [*folder.glob("*-noise-*"), *folder.glob("*-blur-*"), *folder.glob("*-dp2vl-*")]:
        path.unlink()
    add("noise")
    alone = p_value()
    add("twin")
    assert 0.01 < alone < 0.4
    assert p_value() == pytest.approx(2 * alone, abs=0.0011)


def test_a_choice_counts_though_the_open_answer_is_invalid(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write()
    for attack in ("naive", "augment"):
        rows = answers["dp2vl", attack].copy()
        rows.loc[rows["status"] == "ok", ["status", "open_correct"]] = ["invalid", False]
        write_record(records["dp2vl", attack], rows, {}, folder)
    site = build_site(TITLE, folder, [], tmp_path / "site").parent
    (row,) = rows_of(table_of(site, "Normalised leakage"), "dp2vl")
    assert row[0].strip() == "1", "ranks rest on choices"
    (path,) = site.glob("runs/*-dp2vl-naive.html")
    kept = answers["dp2vl", "naive"]
    lost = int(((kept["choice"] == -1) & kept["options"].map(bool)).sum())
    cells = [line[4] for table in Page(path.read_text()).tables[1:] for line in table[1:]]
    assert sum("unscored" in cell for cell in cells) == lost > 0


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


def test_controls_alone_make_a_page(
    tmp_path: Path, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    for key in (("none", "base"), ("none", "naive")):
        write_record(records[key], answers[key], {}, tmp_path / "records")
    index = build_site(TITLE, tmp_path / "records", [], tmp_path / "site")
    assert rows_of(Page(index.read_text()).tables[0], "Undefended")


def test_defenses_that_answer_alike_share_their_ranks(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write()
    for attack in ("naive", "augment"):
        rows = answers["blur", attack]
        twin = make_record("twin", attack, make_metrics("blur", attack, rows, answers))
        write_record(twin, rows, {}, folder)
    headline = Page(build_site(TITLE, folder, [], tmp_path / "site").read_text()).tables[0]
    ranks = {name: rows_of(headline, name)[0][0].strip() for name in ("dp2vl", "blur", "twin", "noise")}
    assert ranks == {"dp2vl": "1", "blur": "2\N{EN DASH}3", "twin": "2\N{EN DASH}3", "noise": "4"}


def test_several_seeds_show_their_mean_and_the_widest_interval(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    def shifted(metric: Metric) -> Metric:
        if (metric.name, metric.scenario) != ("normalised", None):
            return metric
        return metric.model_copy(update={"value": 0.50, "low": 0.40, "high": 0.95, "seeds": [1]})

    def fixed(metric: Metric) -> Metric:
        if (metric.name, metric.scenario) != ("normalised", None):
            return metric
        return metric.model_copy(update={"value": 0.30, "low": 0.11, "high": 0.35})

    first = records["dp2vl", "augment"]
    folder = write({("dp2vl", "augment"): first.model_copy(update={"metrics": [fixed(m) for m in first.metrics]})})
    second = first.model_copy(
        update={
            "run_digest": digest("dp2vl", "augment", 1),
            "spec": first.spec.model_copy(update={"seed": 1}),
            "metrics": [shifted(metric) for metric in first.metrics],
        }
    )
    write_record(second, answers["dp2vl", "augment"], {}, folder)
    (row,) = rows_of(Page(build_site(TITLE, folder, [], tmp_path / "site").read_text()).tables[0], "dp2vl")
    assert "0.40 [0.11, 0.95]" in " ".join(row[2].split())


def test_another_ratio_is_another_table(
    write: Write, records: dict[Key, Record], answers: dict[Key, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write()
    record = records["dp2vl", "naive"]
    half = record.model_copy(
        update={"run_digest": digest("half"), "spec": record.spec.model_copy(update={"ratio": 0.5})}
    )
    write_record(half, answers["dp2vl", "naive"], {}, folder)
    page = Page(build_site(TITLE, folder, [], tmp_path / "site").read_text())
    headlines = [table for table in page.tables if any("worst case" in cell for row in table for cell in row)]
    assert [len(rows_of(table, "noise")) for table in headlines] == [0, 1]
    assert all(rows_of(table, "Base") and rows_of(table, "Undefended") for table in headlines)
    assert len(page.ids) == len(set(page.ids))


def test_the_difference_is_sixteenfold_around_grey(write: Write, tmp_path: Path) -> None:
    from PIL import Image

    original = np.full((4, 4, 3), 100, dtype=np.uint8)
    protected = original.copy()
    protected[0, 0] = (103, 100, 92)
    site = build_site(TITLE, write(), [Picture("dp2vl", png(original), png(protected))], tmp_path / "site").parent
    images = [np.asarray(Image.open(path)) for path in site.glob("pictures/*.png")]
    (difference,) = [image for image in images if image[1, 1, 0] == 128]
    assert difference[0, 0].tolist() == [128 + 48, 128, 0]
    assert "Largest change 8 of 255" in (site / "index.html").read_text()


@pytest.mark.parametrize(
    ("protected", "message"), [(b"no photo", "dp2vl.*cannot be decoded"), (png(np.zeros((9, 9, 3), np.uint8)), "size")]
)
def test_a_broken_picture_names_its_defense(write: Write, tmp_path: Path, protected: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build_site(TITLE, write(), [Picture("dp2vl", png(portrait()), protected)], tmp_path / "site")


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
