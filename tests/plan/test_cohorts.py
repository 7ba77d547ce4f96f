"""A plan of several cohorts: each is trained and measured apart, and nothing of one rests on another."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from miniature_world import in_two_cohorts
from miniature_world import make_dataset as miniature_dataset
from sample_plan import ATTACKS, PHOTOS, QUICK, TARGET, sample_ingredients

from bench.core.digests import digest_bytes
from bench.core.errors import DataError, UsageError
from bench.plan.ingredients import Ingredients, gather_ingredients
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.plan.suite import Suite
from bench.plan.suite_files import load_suite
from bench.stages.datasets import dataset_of
from leaderboard.schema import RunSpec
from scenarios.dataset import Dataset, make_dataset, save_dataset

PARTS = tuple(replace(PHOTOS, cohort=name, digest=digest_bytes(name.encode())) for name in ("a", "b"))
TWO_SEEDS = QUICK.model_copy(update={"seeds": (0, 1)})


def planned(parts: tuple[Any, ...] = PARTS, **changes: Any) -> Plan:
    """Three defenses under two attacks on one target, for two seeds and the given cohorts."""
    return build_plan(TWO_SEEDS, sample_ingredients(cohorts=parts, **changes))


def keys(plan: Plan) -> Mapping[str, str]:
    """Stage name -> key."""
    return {name: stage.key for name, stage in plan.stages.items()}


def of(plan: Plan, cohort: str) -> set[str]:
    """Names of the cohort's stages."""
    return {name for name in plan.stages if f" cohort {cohort}" in name}


def test_each_cohort_has_every_run_and_stage() -> None:
    plan = planned()
    per_cohort = 1 + 2 * 2 * 3  # the base model, then seeds x attacks x defenses
    assert [run.cohort for run in plan.runs] == ["a"] * per_cohort + ["b"] * per_cohort
    # Three defenses protect and are looked at; all but the base model are fine-tuned.
    assert len(of(plan, "a")) == len(of(plan, "b")) == 2 * 3 + 3 * per_cohort + (per_cohort - 1)
    assert of(plan, "a") | of(plan, "b") == set(plan.stages)
    assert plan.cohorts == ("a", "b")
    assert plan.protections["noise"] == {"a": "protect noise cohort a", "b": "protect noise cohort b"}
    assert {"finetune none naive tiny-llava cohort b seed 0", "answer base tiny-llava cohort b"} <= of(plan, "b")
    half = build_plan(QUICK.model_copy(update={"ratios": (0.5,)}), sample_ingredients(cohorts=PARTS))
    assert "finetune noise naive tiny-llava cohort b ratio 0.5 seed 0" in half.stages


def test_no_artifact_is_shared_and_no_run_is_measured_against_another_cohorts_control() -> None:
    plan = planned()
    assert len(set(keys(plan).values())) == len(plan.stages)
    for cohort in plan.cohorts:
        for name in of(plan, cohort):
            assert plan.behind(name) <= of(plan, cohort)
        digests = {run.digest for run in plan.runs if run.cohort == cohort}
        assert all(set(run.controls) <= digests for run in plan.runs if run.cohort == cohort)
    assert len({run.digest for run in plan.runs}) == len(plan.runs)


def test_other_photos_of_one_cohort_change_no_key_of_another_but_in_records() -> None:
    other = (PARTS[0], replace(PARTS[1], digest=digest_bytes(b"another photo")))
    before, after = keys(planned()), keys(planned(other))
    assert {name for name in before if before[name] != after[name]} == of(planned(), "b")
    # A record says which whole dataset its cohort is part of.
    after = keys(planned(other, dataset_digest=digest_bytes(b"the whole has changed, too")))
    same = {name for name in before if before[name] == after[name]}
    assert same == {name for name in of(planned(), "a") if not name.startswith("record")}


def test_one_cohort_alone_is_planned_as_it_is_among_others() -> None:
    both = planned()
    assert keys(planned(PARTS[1:])) == {name: keys(both)[name] for name in of(both, "b")}


def test_a_record_names_cohort_and_whole_dataset_and_whether_the_attacker_adapts() -> None:
    attacks = {**ATTACKS, "augment": replace(ATTACKS["augment"], adaptive=True)}
    stages = planned(attacks=attacks).stages.values()
    specs = [RunSpec.model_validate(stage.spec.content["spec"]) for stage in stages if stage.kind == "record"]
    assert {(spec.cohort, spec.dataset_digest) for spec in specs} == {("a", PHOTOS.digest), ("b", PHOTOS.digest)}
    assert {(spec.attack, spec.adaptive) for spec in specs} == {("base", False), ("naive", False), ("augment", True)}


def test_without_cohorts_no_stage_mentions_any() -> None:
    plan = build_plan(TWO_SEEDS, sample_ingredients())
    assert plan.cohorts == ("",) and not any("cohort" in name for name in plan.stages)
    assert {run.cohort for run in plan.runs} == {""}


@pytest.fixture(scope="module")
def apart() -> Dataset:
    """Three people and three strangers: one person in a, two in b, a stranger of b alone."""
    return in_two_cohorts(miniature_dataset(3))


class TestIngredients:
    """The parts of a dataset on disk."""

    @pytest.fixture
    def suite(self, apart: Dataset, tmp_path: Path) -> Suite:
        return self.suite_of(apart, tmp_path / "apart")

    def suite_of(self, dataset: Dataset, folder: Path, *changes: str) -> Suite:
        """``quick`` with a saved dataset and defenses that need nothing."""
        save_dataset(dataset, folder)
        return load_suite("quick", [f"dataset={folder}", "defenses=[{name: noise}]", "evaluators=[leakage]", *changes])

    def gathered(self, suite: Suite, limit: int | None = None) -> Ingredients:
        return gather_ingredients(suite, limit)

    def test_there_is_a_part_for_each_cohort(self, apart: Dataset, suite: Suite) -> None:
        given = self.gathered(suite)
        assert [(part.cohort, part.digest) for part in given.cohorts] == [
            (name, apart.of_cohort(name).digest) for name in ("a", "b")
        ]
        assert [part.n_photos for part in given.cohorts] == [7, 14]
        assert (given.dataset_digest, given.limit) == (apart.digest, None)
        assert [dataset_of(part).cohorts for part in given.cohorts] == [("a",), ("b",)]

    def test_the_limit_is_for_each_cohort_and_none_where_it_leaves_nobody_out(
        self, apart: Dataset, suite: Suite
    ) -> None:
        limited = self.gathered(suite, 1)
        assert (limited.limit, limited.dataset_digest) == (1, apart.first_people(1).digest)
        assert [part.n_photos for part in limited.cohorts] == [7, 7]
        # Three people are more than two, and no cohort has more than two.
        assert self.gathered(suite, 2).limit is None

    def test_a_suite_may_choose_and_the_digest_stays_that_of_all(self, apart: Dataset, tmp_path: Path) -> None:
        chosen = self.gathered(self.suite_of(apart, tmp_path / "apart", "cohorts=[b]"))
        assert [part.cohort for part in chosen.cohorts] == ["b"]
        assert chosen.dataset_digest == apart.digest

    @pytest.mark.parametrize(
        ("cohorts", "said"),
        [("[b, c]", "unknown cohort 'c': known: a, b"), ("[bb]", "unknown cohort 'bb': did you mean 'b'? known: a, b")],
    )
    def test_an_unknown_cohort_names_suite_and_field(
        self, apart: Dataset, tmp_path: Path, cohorts: str, said: str
    ) -> None:
        suite = self.suite_of(apart, tmp_path / "apart", f"cohorts={cohorts}")
        with pytest.raises(UsageError) as caught:
            self.gathered(suite)
        assert "suite quick: field cohorts: dataset" in str(caught.value) and said in str(caught.value)

    def test_a_cohort_of_a_dataset_without_is_refused(self, tmp_path: Path) -> None:
        suite = self.suite_of(miniature_dataset(2), tmp_path / "whole", "cohorts=[a]")
        with pytest.raises(UsageError, match=r"field cohorts: .*unknown cohort 'a': known: none"):
            self.gathered(suite)

    def test_a_photo_of_one_cohort_decides_nothing_of_another(self, apart: Dataset, tmp_path: Path) -> None:
        pairs = apart.pairs.copy()
        row = pairs.index[pairs["person_id"] == apart.people["person_id"][2]][0]
        pairs.at[row, "image"] = bytes(pairs["image"][row]) + b"\0"
        changed = make_dataset("apart", apart.people, pairs, apart.probes)
        one, other = (
            build_plan(suite, replace(self.gathered(suite), code_sources={}))
            for suite in (self.suite_of(apart, tmp_path / "one"), self.suite_of(changed, tmp_path / "other"))
        )
        same = {name for name, key in keys(one).items() if keys(other)[name] == key}
        assert same == {name for name in of(one, "a") if not name.startswith("record")}

    def test_a_part_that_changed_during_the_run_is_refused(self, suite: Suite) -> None:
        part = replace(self.gathered(suite).cohorts[1], digest=TARGET.digest)
        with pytest.raises(DataError, match="changed while the suite was running"):
            dataset_of(part)


def test_a_suites_cohorts_are_names_that_stand_once() -> None:
    assert load_suite("quick").cohorts == ()
    assert load_suite("quick", ["cohorts=[b, a]"]).cohorts == ("b", "a")
    for change, said in (("[a, a]", "a stands twice"), ("[a/b]", "cannot stand in a file name"), ("['']", "cannot")):
        with pytest.raises(UsageError, match=f"field cohorts.*{said}"):
            load_suite("quick", [f"cohorts={change}"])
