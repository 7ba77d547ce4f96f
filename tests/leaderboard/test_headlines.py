"""Headlines, ranks and tests: what the page concludes from the answers, and what it refuses to."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_tables import digest, make_rows
from leaderboard_example import make_record, write_example
from site_pages import Page, rows_of, table_of

from evaluators.zero import fact_choices
from leaderboard.boards.board import Board
from leaderboard.boards.building import build_boards
from leaderboard.boards.lines import BoardLine
from leaderboard.runs import load_runs
from leaderboard.schema import Controls, Record
from leaderboard.site import build_site

Key = tuple[str, str]
Write = Callable[..., Path]
TITLE = "Quick look"
ATTACKS = ("naive", "augment")


def excess(rows: pd.DataFrame) -> float:
    """Mean leakage above zero of scored answers, worked out beside the code that is tested."""
    choices = fact_choices(rows)
    return float(np.nanmean(choices.right - choices.zero()))


BoardOf = Callable[[Path], Board]


@pytest.fixture
def board_of(verdicts: Path) -> BoardOf:
    """The one board of a folder's records; what was checked before is not checked again."""

    def build(folder: Path) -> Board:
        (board,) = build_boards(load_runs(folder, verdicts))
        return board

    return build


def lines_of(board: Board) -> dict[str, BoardLine]:
    return {line.label: line for line in board.defenses}


def test_the_headline_is_the_highest_excess_by_the_highest_undefended_one(
    board_of: BoardOf, records_folder: Path, answers: Mapping[Key, pd.DataFrame]
) -> None:
    there = max(excess(answers["none", attack]) for attack in ATTACKS)
    for name, line in lines_of(board_of(records_folder)).items():
        gained = {attack: excess(answers[name, attack]) for attack in ATTACKS}
        strongest = max(gained, key=gained.__getitem__)
        assert line.headline.value == pytest.approx(gained[strongest] / there)
        assert line.conclusion.attack == strongest
        assert line.conclusion.remaining["naive"].value == pytest.approx(
            gained["naive"] / excess(answers["none", "naive"])
        )


def test_raw_leakage_and_its_attacker_stand_before_the_headline(
    site: Path, records: Mapping[Key, Record], answers: Mapping[Key, pd.DataFrame]
) -> None:
    table = Page((site / "index.html").read_text()).tables[0]
    for name in ("noise", "blur", "dp2vl"):
        (row,) = rows_of(table, name)
        strongest = max(ATTACKS, key=lambda attack: excess(answers[name, attack]))
        leakage = records[name, strongest].metric("leakage")
        assert leakage is not None and leakage.value is not None
        assert f"{leakage.value:.2f} [" in " ".join(row[1].split()) and f"by {strongest}" in " ".join(row[1].split())
    assert "highest of 2 attackers, none adaptive" in " ".join(table[0]).lower()


def test_an_attack_that_leaks_no_more_for_anybody_changes_no_headline(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame]
) -> None:
    """Its answers are those of the attack that leaks less on each person, of the two that are there."""
    folder = write()
    before = lines_of(board_of(folder))
    for name in ("none", "noise", "blur", "dp2vl"):
        record = make_record(name, "weak", weaker(answers[name, "naive"], answers[name, "augment"]))
        write_example(record, weaker(answers[name, "naive"], answers[name, "augment"]), folder)
    board = board_of(folder)
    assert board.attacks == ("naive", "augment", "weak")
    for name, line in lines_of(board).items():
        old = before[name]
        assert line.headline == old.headline and line.conclusion.attack == old.conclusion.attack
        assert line.comparison is not None and old.comparison is not None
        assert line.comparison == old.comparison and line.rank == old.rank


def weaker(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The first attack's answers, where both are right on a question; else a choice that is wrong and scored."""
    rows = one.copy()
    facts = (rows["kind"] == "held_out") & (rows["scenario"] != "name")
    both = one["choice_correct"].astype(bool) & other["choice_correct"].astype(bool)
    for place in np.flatnonzero(facts & ~both):
        options = list(rows["options"].iloc[place])
        wrong = next(number for number, option in enumerate(options) if option != rows["answer"].iloc[place])
        scores = [-9.0 - number for number in range(len(options))]
        scores[wrong] = 0.0
        rows.iat[place, rows.columns.get_loc("choice")] = wrong
        rows.iat[place, rows.columns.get_loc("option_logprobs")] = scores
        rows.iat[place, rows.columns.get_loc("choice_correct")] = False
        rows.iat[place, rows.columns.get_loc("option_margin")] = float(np.sort(scores)[-1] - np.sort(scores)[-2])
    return rows


def test_a_defense_that_did_not_meet_every_attacker_has_no_headline(
    board_of: BoardOf, write: Write, tmp_path: Path
) -> None:
    folder = write()
    for path in folder.glob("*-dp2vl-augment.*"):
        path.unlink()
    site = build_site(TITLE, folder, [], tmp_path / "site").parent
    (row,) = rows_of(Page((site / "index.html").read_text()).tables[0], "dp2vl")
    assert "not every attacker was tried" in row[1]
    assert "no number" in row[2] and "against augment: not tried" in row[2]
    assert not rows_of(table_of(site, "p (max-T)"), "dp2vl")
    assert board_of(folder).defenses[-1].label == "dp2vl", "a defense without a number stands last"


def test_a_headline_is_refused_where_undefended_gains_too_little(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write()
    for place, attack in enumerate(ATTACKS):
        rows = make_rows((0.27, 0.3, 0.9), seed=70 + place, people=16)
        write_example(make_record("none", attack, rows), rows, folder)
    board = board_of(folder)
    for line in board.defenses:
        assert line.headline.value is None and line.headline.refusal is not None
        assert "below 0.10 there is nothing to compare with" in line.headline.refusal
        assert line.conclusion.bound is None and not line.conclusion.nothing_leaks
    text = build_site(TITLE, folder, [], tmp_path / "site").read_text()
    assert "has the lowest figure" not in text


@pytest.mark.parametrize("name", ["none", "dp2vl"])
def test_a_line_of_which_no_answer_could_be_scored_is_refused(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame], tmp_path: Path, name: str
) -> None:
    folder = write()
    rows = answers[name, "naive"].copy()
    rows["status"], rows["text"], rows["named_person"], rows["choice"] = "error", "", "", -1
    rows["choice_correct"] = rows["open_correct"] = False
    rows["option_logprobs"] = [[] for _ in range(len(rows))]
    rows["option_margin"] = np.nan
    write_example(make_record(name, "naive", rows), rows, folder)
    lines = lines_of(board_of(folder))
    title = "Undefended" if name == "none" else "dp2vl"
    assert lines["dp2vl"].headline.refusal == f"no answer of {title} against naive could be scored"
    assert (lines["noise"].headline.value is None) == (name == "none")
    assert "could be scored" in build_site(TITLE, folder, [], tmp_path / "site").read_text()


def test_nothing_leaks_is_said_only_where_the_bound_says_so(
    board_of: BoardOf, records_folder: Path, write: Write, tmp_path: Path, answers: Mapping[Key, pd.DataFrame]
) -> None:
    near = lines_of(board_of(records_folder))["dp2vl"]
    assert near.headline.low is not None and near.headline.low < 0.1 < (near.conclusion.bound or 0)
    assert not near.conclusion.nothing_leaks
    folder = write()
    for place, attack in enumerate(ATTACKS):
        rows = make_rows((0.0, 0.9, 0.9), seed=80 + place, people=16)
        write_example(make_record("dp2vl", attack, rows), rows, folder)
    line = lines_of(board_of(folder))["dp2vl"]
    assert line.conclusion.bound is not None and line.conclusion.bound < 0.1 and line.conclusion.nothing_leaks
    text = build_site(TITLE, folder, [], tmp_path / "site").read_text()
    assert "less than a tenth with 95 % confidence" in text


def test_each_defense_is_compared_to_undefended(site: Path, answers: Mapping[Key, pd.DataFrame]) -> None:
    there = max(excess(answers["none", attack]) for attack in ATTACKS)
    table = table_of(site, "p (max-T)")
    assert sorted(row[0].strip() for row in table[1:]) == ["blur", "dp2vl", "noise"]
    for name, attack, difference, p_value, *_ in table[1:]:
        own = max(excess(answers[name.strip(), one]) for one in ATTACKS)
        assert f"{own - there:.2f} [" in difference.replace("\N{MINUS SIGN}", "-")
        assert attack.strip() == max(ATTACKS, key=lambda one: excess(answers[name.strip(), one]))
        assert p_value.strip() == "< 0.001" if name.strip() != "noise" else float(p_value) > 0.05


def test_p_values_grow_with_what_is_compared_but_are_not_multiplied(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame]
) -> None:
    """Twins of a defense add comparisons, yet no information: max-T knows, and Holm would have quadrupled p."""

    def p_value() -> float:
        comparison = lines_of(board_of(folder))["noise"].comparison
        assert comparison is not None
        return comparison.p_value

    folder = write()
    for path in [*folder.glob("*-blur-*"), *folder.glob("*-dp2vl-*")]:
        path.unlink()
    alone = p_value()
    for twin in ("twin", "triplet", "quadruplet"):
        for attack in ATTACKS:
            rows = answers["noise", attack]
            write_example(make_record(twin, attack, rows), rows, folder)
    assert 0.005 < alone < 0.9
    assert p_value() == pytest.approx(alone, abs=0.01)


def test_a_choice_counts_though_the_open_answer_is_invalid(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame], tmp_path: Path
) -> None:
    folder = write()
    before = lines_of(board_of(folder))["dp2vl"].headline
    for attack in ATTACKS:
        rows = answers["dp2vl", attack].copy()
        ok = rows["status"] == "ok"
        rows.loc[ok, ["status", "text", "named_person"]] = ["invalid", "", ""]
        rows.loc[ok, "open_correct"] = False
        write_example(make_record("dp2vl", attack, rows), rows, folder)
    assert lines_of(board_of(folder))["dp2vl"].headline == before
    site = build_site(TITLE, folder, [], tmp_path / "site").parent
    (path,) = site.glob("runs/*-dp2vl-naive.html")
    kept = answers["dp2vl", "naive"]
    lost = int(((kept["choice"] == -1) & kept["options"].map(bool)).sum())
    cells = [line[4] for table in Page(path.read_text()).tables[1:] for line in table[1:]]
    assert sum("unscored" in cell for cell in cells) == lost > 0


def several(
    folder: Path, cohorts: tuple[str, ...], seeds: tuple[int, ...], people: int, twin: bool = True
) -> dict[tuple[str, str, str, int], pd.DataFrame]:
    """Records of four defenses (two of which answer alike) over cohorts and seeds, under one attack."""
    rates = {"none": 0.85, "weak": 0.75, "strong": 0.25, **({"twin": 0.75} if twin else {})}
    found = {}
    for cohort in cohorts:
        base = digest("none", "base", cohort)
        rows = make_rows((0.2, 0.2, 0.9), seed=500 + len(found), people=people, cohort=cohort)
        _write(folder, "none", "base", cohort, 0, rows, cohorts, Controls())
        for seed in seeds:
            undefended = digest("none", "naive", cohort, seed)
            for name, rate in rates.items():
                like = "weak" if name == "twin" else name
                number = 1000 + 100 * cohorts.index(cohort) + 10 * seed + list(rates).index(like)
                rows = make_rows((rate, 0.9, 0.9), seed=number, people=people, cohort=cohort)
                controls = Controls(base=base, undefended=None if name == "none" else undefended)
                _write(folder, name, "naive", cohort, seed, rows, cohorts, controls)
                found[name, "naive", cohort, seed] = rows
    return found


def _write(
    folder: Path,
    name: str,
    attack: str,
    cohort: str,
    seed: int,
    rows: pd.DataFrame,
    cohorts: tuple[str, ...],
    controls: Controls,
) -> None:
    spec_seed = {} if attack == "base" else {"seed": seed}
    record = make_record(name, attack, rows, cohort=cohort, **spec_seed)
    parts = (name, attack, cohort) if attack == "base" else (name, attack, cohort, seed)
    changed = record.model_copy(update={"run_digest": digest(*parts), "controls": controls})
    write_example(changed, rows, folder, {}, cohorts)


def test_seeds_and_cohorts_are_one_number_with_one_interval(board_of: BoardOf, tmp_path: Path) -> None:
    rows = several(tmp_path, ("x", "y"), (0, 1), people=8)
    board = board_of(tmp_path)
    (cell,) = lines_of(board)["strong"].cells
    assert len(cell.runs) == 4 and board.seeds == (0, 1) and board.cohorts == ("x", "y")
    own = [frame for key, frame in rows.items() if key[0] == "strong"]
    choices = [fact_choices(frame).right for frame in own]
    shown = cell.figure("leakage")
    assert shown.value == pytest.approx(np.nanmean(np.concatenate(choices)))
    singles = [run.record.metric("leakage") for run in cell.runs]
    ends = [(one.low, one.high) for one in singles if one and one.low is not None and one.high is not None]
    assert shown.low is not None and shown.high is not None
    assert min(low for low, _ in ends) < shown.low < shown.high < max(high for _, high in ends)
    assert cell.figure("ssim").value is not None and cell.figure("leakage", "pet").value is not None
    gains = [excess(frame) for frame in own], [excess(frame) for key, frame in rows.items() if key[0] == "none"]
    assert lines_of(board)["strong"].headline.value == pytest.approx(np.mean(gains[0]) / np.mean(gains[1]), abs=0.02)


def test_a_small_board_is_not_ranked_and_says_what_it_lacks(board_of: BoardOf, site: Path, tmp_path: Path) -> None:
    text = (site / "index.html").read_text()
    assert "Ranks need more: 1 training seed of 3, 16 people of 100, 1 cohort of 5." in text
    assert "They do not cover how much other training runs would differ" in text
    assert not any("Rank" in cell for cell in Page(text).tables[0][1])
    several(tmp_path / "records", ("x", "y"), (0, 1, 2), people=8)
    board = board_of(tmp_path / "records")
    assert board.unranked_because == "Ranks need more: 16 people of 100, 2 cohorts of 5."
    assert all(line.rank is None for line in board.defenses)


@pytest.mark.slow
def test_a_board_of_five_cohorts_and_three_seeds_is_ranked(board_of: BoardOf, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    several(folder, ("a", "b", "c", "d", "e"), (0, 1, 2), people=20)
    board = board_of(folder)
    assert board.unranked_because == "" and board.n_persons == 100
    assert {name: line.rank for name, line in lines_of(board).items()} == {
        "strong": (1, 1), "weak": (2, 3), "twin": (2, 3),
    }  # fmt: skip
    text = build_site(TITLE, folder, [], tmp_path / "site").read_text()
    table = Page(text).tables[0]
    assert rows_of(table, "strong")[0][0].strip() == "1"
    assert rows_of(table, "twin")[0][0].strip() == "2\N{EN DASH}3"
    assert "Intervals are over cohorts" in text and "Ranks need more" not in text


def test_a_defense_that_was_run_on_fewer_cohorts_has_no_headline(board_of: BoardOf, tmp_path: Path) -> None:
    rows = several(tmp_path, ("x", "y"), (0, 1), people=8)
    for cohort, seed in (("y", 0), ("x", 1)):
        for path in tmp_path.glob(f"{digest('strong', 'naive', cohort, seed)[:12]}-*"):
            path.unlink()
    assert len(rows) == 16
    line = lines_of(board_of(tmp_path))["strong"]
    assert line.headline.value is None and line.headline.refusal == (
        "against naive: it was not run on the same cohorts and seeds as undefended (cohort x, seed 1; cohort y, seed 0)"
    )
    assert line.comparison is None and lines_of(board_of(tmp_path))["weak"].headline.value is not None


def test_an_attacker_whom_no_defense_met_counts_all_the_same(
    board_of: BoardOf, write: Write, answers: Mapping[Key, pd.DataFrame], tmp_path: Path
) -> None:
    """Whoever leaves the strongest attacker out for every defense must not look better for it."""
    folder = write()
    rows = answers["none", "naive"]
    write_example(make_record("none", "unmet", rows), rows, folder)
    board = board_of(folder)
    assert board.attacks == ("naive", "augment", "unmet") and board.undefended is not None
    assert board.undefended.cell("unmet") is not None
    for line in board.defenses:
        assert line.headline.refusal == "against unmet: not tried"
    listed = table_of(build_site(TITLE, folder, [], tmp_path / "site").parent, "Unscored")
    assert any("unmet" in " ".join(row) for row in listed)


@pytest.mark.slow
def test_seeds_of_different_recipes_do_not_add_up(board_of: BoardOf, tmp_path: Path) -> None:
    """Three recipes of one seed each are no three seeds."""
    cohorts = ("a", "b", "c", "d", "e")
    several(tmp_path, cohorts, (0, 1), people=20, twin=False)
    for cohort in cohorts:
        rows = make_rows((0.85, 0.9, 0.9), seed=9000 + cohorts.index(cohort), people=20, cohort=cohort)
        record = make_record("none", "naive", rows, cohort=cohort, seed=2, recipe={"epochs": 1})
        controls = Controls(base=digest("none", "base", cohort))
        changed = record.model_copy(update={"run_digest": digest("other", cohort), "controls": controls})
        write_example(changed, rows, tmp_path, {}, cohorts)
    board = board_of(tmp_path)
    assert board.seeds == (0, 1, 2) and len(board.attacks) == 2
    assert board.unranked_because.startswith("Ranks need more: 0 training seeds of 3")


def test_another_ratio_is_another_table(write: Write, answers: Mapping[Key, pd.DataFrame], tmp_path: Path) -> None:
    folder = write()
    for attack in ATTACKS:
        rows = answers["dp2vl", attack]
        half = make_record("dp2vl", attack, rows, ratio=0.5)
        write_example(half.model_copy(update={"run_digest": digest("half", attack)}), rows, folder)
    page = Page(build_site(TITLE, folder, [], tmp_path / "site").read_text())
    headlines = [table for table in page.tables if any("Part that remains" in cell for row in table for cell in row)]
    assert [len(rows_of(table, "noise")) for table in headlines] == [0, 1]
    assert all(rows_of(table, "Base") and rows_of(table, "Undefended") for table in headlines)
    assert len(page.ids) == len(set(page.ids))


def test_controls_alone_make_a_page(write: Write, tmp_path: Path) -> None:
    folder = write()
    for name in ("noise", "blur", "dp2vl"):
        for path in folder.glob(f"*-{name}-*.*"):
            path.unlink()
    index = build_site(TITLE, folder, [], tmp_path / "site")
    assert rows_of(Page(index.read_text()).tables[0], "Undefended")
