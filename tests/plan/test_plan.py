"""The plan: both controls always, keys that change with what they rest on and with nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_plan import ATTACKS, DEFENSES, PHOTOS, QUICK, RECIPE, TARGET, defense, sample_ingredients

from bench.core.digests import digest_bytes, digest_json
from bench.core.store import ArtifactStore
from bench.defenses.base import Budget
from bench.plan.ingredients import AttackIngredient
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.plan.suite import Suite
from bench.stages.base import Stage
from bench.targets.base import TargetSpec
from leaderboard.schema import RunSpec


def planned(suite: Suite = QUICK, **changes: Any) -> Plan:
    """The plan with some ingredients changed."""
    return build_plan(suite, sample_ingredients(**changes))


def keys(plan: Plan) -> Mapping[str, str]:
    """Stage name -> key."""
    return {name: stage.key for name, stage in plan.stages.items()}


def changed(plan: Plan) -> set[str]:
    """Names of stages whose key differs from the plain plan's."""
    before = keys(planned())
    return {name for name, key in keys(plan).items() if before.get(name) != key}


def with_code(module: str) -> Plan:
    """The plan after the source of one module changed."""
    return planned(code_digest=lambda modules: digest_json([*modules, *(["edited"] if module in modules else [])]))


def test_equal_ingredients_give_equal_plans_and_keys_are_never_shared() -> None:
    assert keys(planned()) == keys(planned())
    assert len(set(keys(planned()).values())) == len(planned().stages)


def test_a_key_is_the_one_that_a_store_gives(tmp_path: Path) -> None:
    for stage in planned().stages.values():
        assert stage.key == ArtifactStore(tmp_path).key(stage.kind, stage.inputs)


def test_every_defense_meets_every_attack_and_both_controls_are_there() -> None:
    runs = [(run.defense, run.attack) for run in planned().runs]
    assert runs == [
        ("none", "base"),
        ("none", "naive"), ("noise", "naive"), ("dp2vl", "naive"),
        ("none", "augment"), ("noise", "augment"), ("dp2vl", "augment"),
    ]  # fmt: skip


def test_stages_come_after_those_they_depend_on() -> None:
    seen: set[str] = set()
    for name, stage in planned().stages.items():
        assert set(stage.depends_on) <= seen
        seen.add(name)


def test_a_run_is_read_against_the_base_and_the_undefended_of_its_own_attack_and_seed() -> None:
    plan = planned(QUICK.model_copy(update={"seeds": (0, 1)}))
    record = plan.stages["record noise augment tiny-llava seed 1"]
    assert record.spec.scores == plan.stages["score noise augment tiny-llava seed 1"].reference
    assert record.spec.quality == plan.stages["quality noise"].reference
    digests = {(run.defense, run.attack, run.seed): run.digest for run in plan.runs}
    assert record.spec.content["controls"] == {
        "base": digests["none", "base", 0],
        "undefended": digests["none", "augment", 1],
    }


def test_all_photos_are_protected_once_for_all_seeds_ratios_and_attacks() -> None:
    plan = planned(QUICK.model_copy(update={"seeds": (0, 1), "ratios": (0.5, 1.0)}))
    assert [name for name in plan.stages if name.startswith("protect")] == [
        "protect none", "protect noise", "protect dp2vl",
    ]  # fmt: skip
    undefended = [run for run in plan.runs if run.defense == "none" and not run.is_base]
    assert [(run.attack, run.ratio, run.seed) for run in undefended] == [
        ("naive", 1.0, 0), ("augment", 1.0, 0), ("naive", 1.0, 1), ("augment", 1.0, 1),
    ]  # fmt: skip


def test_other_photos_change_every_key() -> None:
    other = replace(PHOTOS, digest=digest_bytes(b"other photos"))
    assert changed(planned(cohorts=(other,))) == set(planned().stages)


def test_the_place_of_dataset_and_checkpoint_changes_no_computed_key() -> None:
    moved = replace(TARGET, spec=TargetSpec("elsewhere/tiny-llava"))
    photos = replace(PHOTOS, location="elsewhere/mini")
    before = {stage.key for name, stage in planned().stages.items() if not name.startswith("record")}
    dp2vl = replace(DEFENSES["dp2vl"], surrogates=(moved,))
    after = planned(targets=(moved,), defenses={**DEFENSES, "dp2vl": dp2vl}, cohorts=(photos,))
    assert {stage.key for name, stage in after.stages.items() if not name.startswith("record")} == before


def test_other_weights_change_all_that_the_model_touches() -> None:
    other = replace(TARGET, digest=digest_bytes(b"other weights"))
    defenses = {**DEFENSES, "dp2vl": replace(DEFENSES["dp2vl"], surrogates=(other,))}
    unchanged = set(planned().stages) - changed(planned(targets=(other,), defenses=defenses))
    assert unchanged == {"protect none", "quality none", "protect noise", "quality noise"}


def test_a_defenses_option_or_code_changes_only_what_rests_on_it() -> None:
    options = {**DEFENSES, "noise": defense("noise", scale=2)}
    expected = {name for name in planned().stages if "noise" in name}
    assert changed(planned(defenses=options)) == expected
    assert changed(with_code("bench.defenses.noise")) == expected


def test_an_undefended_run_counts_for_all_that_is_read_against_it() -> None:
    other = {**DEFENSES, "none": defense("none", x=1)}
    records = {name for name in changed(planned(defenses=other)) if name.startswith("record")}
    assert records == {name for name in planned().stages if name.startswith("record")}


def test_an_attackers_recipe_changes_its_own_runs_alone() -> None:
    attacks = {**ATTACKS, "augment": AttackIngredient(replace(RECIPE, epochs=3))}
    assert changed(planned(attacks=attacks)) == {name for name in planned().stages if "augment" in name}


def test_the_bootstrap_changes_records_alone() -> None:
    suite = QUICK.model_copy(update={"bootstrap": QUICK.bootstrap.model_copy(update={"seed": 5})})
    names = changed(planned(suite))
    assert names == {name for name in planned().stages if name.startswith("record")}


def test_an_evaluators_code_changes_no_training_and_no_answers() -> None:
    kinds = {name.split()[0] for name in changed(with_code("evaluators.leakage"))}
    assert kinds == {"score", "record"}


def test_another_library_version_changes_every_key() -> None:
    assert changed(planned(libraries={"torch": "2.14.0"})) == set(planned().stages)


def test_a_seed_changes_training_and_no_protected_photo() -> None:
    plan = planned(QUICK.with_seed(3))
    same = {stage.key for stage in planned().stages.values()} & {stage.key for stage in plan.stages.values()}
    kept = {"answer base tiny-llava", "score base tiny-llava", "record base tiny-llava"}
    kept |= {name for name in planned().stages if name.startswith(("protect", "quality"))}
    assert same == {planned().stages[name].key for name in kept}


def test_a_records_spec_says_all_that_decides_the_run() -> None:
    suite = QUICK.model_copy(update={"defense_seed": 6})
    stages = planned(suite, limit=3).stages
    specs = {name: RunSpec.model_validate(s.spec.content["spec"]) for name, s in stages.items() if s.kind == "record"}
    dp2vl = specs["record dp2vl naive tiny-llava seed 0"]
    assert [(one.checkpoint, one.digest) for one in dp2vl.surrogates] == [("tiny-llava", TARGET.digest)]
    assert specs["record noise naive tiny-llava seed 0"].surrogates == []
    assert {(spec.limit, spec.defense_seed) for spec in specs.values()} == {(3, 6)}
    assert {(s.bootstrap.resamples, s.bootstrap.seed) for s in specs.values()} == {(2000, 0)}


def test_work_that_takes_long_is_expected_to_take_long() -> None:
    stages = planned().stages
    assert stages["finetune none naive tiny-llava seed 0"].guess > stages["quality none"].guess
    assert stages["protect dp2vl"].guess > stages["protect noise"].guess


def test_a_defense_may_stand_twice_with_budgets_of_its_own() -> None:
    weak = replace(DEFENSES["noise"], budget=Budget(eps=2))
    plan = planned(defenses={**DEFENSES, "noise-2": weak})
    assert plan.protections["noise-2"] == {"": "protect noise-2"}
    strong, mild = (plan.stages[f"record {label} naive tiny-llava seed 0"] for label in ("noise", "noise-2"))
    specs = [RunSpec.model_validate(stage.spec.content["spec"]) for stage in (strong, mild)]
    assert [(spec.defense, spec.budget_eps) for spec in specs] == [("noise", 8), ("noise", 2)]
    assert [(run.label, run.defense) for run in plan.runs if run.attack == "naive"][-1] == ("noise-2", "noise")


def test_a_label_decides_no_key() -> None:
    renamed = planned(defenses={"none": DEFENSES["none"], "loud": DEFENSES["noise"]})
    assert renamed.stages["protect loud"].key == planned().stages["protect noise"].key
    assert renamed.stages["record loud naive tiny-llava seed 0"].key in set(keys(planned()).values())


def test_a_run_names_the_controls_that_it_is_read_against() -> None:
    runs = {(run.label, run.attack): run for run in planned().runs}
    base, undefended = runs["none", "base"], runs["none", "naive"]
    assert base.controls == () and undefended.controls == (base.digest,)
    assert runs["noise", "naive"].controls == (base.digest, undefended.digest)


def test_the_first_leak_rests_on_photos_as_they_are_alone() -> None:
    plan = planned()
    assert plan.first_leak is not None and plan.first_leak.is_undefended
    assert plan.behind(plan.first_leak.stages["score"]) == {
        "protect none",
        "finetune none naive tiny-llava seed 0",
        "answer none naive tiny-llava seed 0",
        "score none naive tiny-llava seed 0",
    }


def test_a_stage_says_what_it_needs() -> None:
    stages = planned().stages
    assert stages["finetune none naive tiny-llava seed 0"].spec.needs.accelerator
    assert not stages["score none naive tiny-llava seed 0"].spec.needs.accelerator
    heavy = replace(TARGET, weight_bytes=14_000_000_000)
    finetune = planned(targets=(heavy,)).stages["finetune none naive tiny-llava seed 0"]
    assert finetune.spec.needs.memory_bytes > heavy.weight_bytes
    assert finetune.key == stages["finetune none naive tiny-llava seed 0"].key


def missing(plan: Plan, store: ArtifactStore) -> list[Stage]:
    """What must run."""
    return plan.missing(plan.states(store))


class TestStates:
    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return ArtifactStore(tmp_path)

    def put(self, store: ArtifactStore, plan: Plan, *names: str) -> None:
        """Pretend that these stages were computed."""
        for name in names:
            stage = plan.stages[name]
            store.compute(stage.kind, stage.inputs, lambda folder: (folder / "made").touch())

    def test_an_empty_store_misses_everything(self, store: ArtifactStore) -> None:
        assert set(planned().states(store).values()) == {"miss"}
        assert [stage.name for stage in missing(planned(), store)] == list(planned().stages)

    def test_a_full_store_hits_everything(self, store: ArtifactStore) -> None:
        self.put(store, planned(), *planned().stages)
        assert set(planned().states(store).values()) == {"hit"}
        assert missing(planned(), store) == []

    def test_what_no_missing_stage_rests_on_is_not_computed_again(self, store: ArtifactStore) -> None:
        plan = planned()
        kept = [name for name in plan.stages if name.split()[0] in ("protect", "score", "record")]
        self.put(store, plan, *kept)
        states = plan.states(store)
        assert {states[name] for name in kept} == {"hit"}
        assert {state for name, state in states.items() if name not in kept} == {"unneeded"}

    def test_a_lost_record_needs_its_scores_and_not_the_training(self, store: ArtifactStore) -> None:
        plan = planned()
        lost = "record noise naive tiny-llava seed 0"
        kept = [name for name in plan.stages if name.split()[0] in ("protect", "quality", "score", "record")]
        self.put(store, plan, *(name for name in kept if name != lost))
        assert [stage.name for stage in missing(plan, store)] == [lost]
