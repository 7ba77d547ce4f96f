"""Headlines, ranks and tests: what the page concludes from the answers, and what it refuses to."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from leaderboard_example import digest, make_metrics, make_record
from site_pages import Page, rows_of, table_of

from leaderboard.records import write_record
from leaderboard.schema import Measurement, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"


def test_the_worst_attacker_is_the_headline(site: Path, records: dict[Key, Record]) -> None:
    (row,) = rows_of(Page((site / "index.html").read_text()).tables[0], "blur")
    values = {attack: records["blur", attack].metric("normalised") for attack in ("naive", "augment")}
    worst = max(values, key=lambda attack: getattr(values[attack], "value", 0))
    assert f"by {worst}" in " ".join(row[2].split())


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
    def shifted(metric: Measurement) -> Measurement:
        if (metric.name, metric.scenario) != ("normalised", None):
            return metric
        return metric.model_copy(update={"value": 0.50, "low": 0.40, "high": 0.95, "seeds": [1]})

    def fixed(metric: Measurement) -> Measurement:
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


def test_controls_alone_make_a_page(
    tmp_path: Path, records: dict[Key, Record], answers: dict[Key, pd.DataFrame]
) -> None:
    for key in (("none", "base"), ("none", "naive")):
        write_record(records[key], answers[key], {}, tmp_path / "records")
    index = build_site(TITLE, tmp_path / "records", [], tmp_path / "site")
    assert rows_of(Page(index.read_text()).tables[0], "Undefended")
