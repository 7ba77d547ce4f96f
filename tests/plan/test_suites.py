"""Suite files: what the shipped one says, and messages about the others."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.core.errors import UsageError
from bench.plan.suite import TargetEntry
from bench.plan.suite_files import load_suite, shipped_suites
from bench.targets.base import TargetSpec
from bench.targets.recipes import load_recipe


def write(path: Path, **changes: Any) -> str:
    """The path of a suite file that is ``quick`` with some fields changed."""
    content = yaml.safe_load(shipped_suites()["quick"].read_text()) | changes
    path.write_text(yaml.safe_dump(content))
    return str(path)


def refusal(path: Path, **changes: Any) -> str:
    """What loading such a file says."""
    with pytest.raises(UsageError) as caught:
        load_suite(write(path, **changes))
    return str(caught.value)


def test_every_shipped_suite_loads_under_its_name() -> None:
    assert "quick" in shipped_suites()
    for name in shipped_suites():
        assert load_suite(name).name == name


def test_quick_is_the_suite_that_was_promised() -> None:
    quick = load_suite("quick")
    assert [entry.label for entry in quick.defenses] == ["none", "noise", "dp2vl"]
    assert quick.attacks == ("naive", "augment")
    assert (quick.budget.norm, quick.budget.eps) == ("linf", 8)
    assert [entry.checkpoint for entry in quick.targets] == ["tiny-llava"]


def test_families_holds_all_of_quick_and_two_more_targets_and_a_visible_edit() -> None:
    quick, families = load_suite("quick"), load_suite("families")
    assert [entry.checkpoint for entry in families.targets] == ["tiny-llava", "tiny-qwen2-vl", "tiny-minigpt-v2"]
    assert [entry.label for entry in families.defenses] == ["none", "noise", "blur", "dp2vl"]
    assert set(map(str, quick.defenses)) < set(map(str, families.defenses))
    assert quick.recipe == families.recipe.model_copy(update={"epochs": 8, "source": quick.recipe.source})
    same = ("attacks", "budget", "surrogates", "seeds", "ratios", "dataset", "defense_seed", "bootstrap")
    assert all(getattr(quick, field) == getattr(families, field) for field in same)


def test_a_target_entry_has_every_field_of_a_target_and_the_same_defaults() -> None:
    assert set(TargetEntry.model_fields) == {field.name for field in fields(TargetSpec)}
    assert TargetEntry(checkpoint="tiny-llava").spec() == TargetSpec("tiny-llava")


def test_an_unknown_suite_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown suite 'quik': did you mean 'quick'"):
        load_suite("quik")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no suite file .*absent\.yaml"):
        load_suite(str(tmp_path / "absent.yaml"))


def test_an_unknown_field_names_file_field_near_name_and_what_is_allowed(tmp_path: Path) -> None:
    message = refusal(tmp_path / "s.yaml", defences=[])
    assert str(tmp_path / "s.yaml") in message
    assert "field defences: not a known field (did you mean defenses" in message
    assert "allowed here: extends, name, title, dataset" in message


def test_a_misspelt_field_is_told_before_the_field_that_is_missing_for_it(tmp_path: Path) -> None:
    content = load_suite("quick").model_dump(mode="json")
    content["atacks"] = content.pop("attacks")
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UsageError, match=r"suite\.yaml: field atacks: not a known field .did you mean attacks"):
        load_suite(str(tmp_path / "suite.yaml"))


def test_an_unknown_field_inside_a_list_lists_the_fields_allowed_there(tmp_path: Path) -> None:
    message = refusal(tmp_path / "s.yaml", targets=[{"checkpoint": "tiny-llava", "familly": "llava"}])
    assert "field targets.0.familly" in message
    assert "did you mean family?" in message
    assert "allowed here: checkpoint, family, dtype, batch_size" in message


def target(**changes: Any) -> dict[str, Any]:
    """Suite fields with one target that differs from the usual one."""
    return {"targets": [{"checkpoint": "tiny-llava"} | changes]}


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"budget": {"norm": "l2", "eps": 8}}, "field budget.norm", "'linf'"),
        ({"budget": {"norm": "linf", "eps": 0}}, "field budget.eps", "greater than 0"),
        ({"ratios": [1.5]}, "field ratios.0", "less than or equal to 1"),
        ({"seeds": []}, "field seeds", "at least 1"),
        ({"attacks": ["naive", "naive"]}, "field attacks", "naive stands twice"),
        ({"defenses": [{"name": "noise"}, {"name": "noise"}]}, "", "noise stands twice"),
        ({"reference_defense": "noise"}, "field reference_defense", "'none'"),
        ({"name": "../up"}, "field name", "cannot stand in a file name"),
        ({"recipe": {"epochs": 1}}, "field recipe.batch_size", "missing"),
        ({"recipe": 3}, "field recipe", "it is 3"),
        ({"recipe": "veilbank"}, "field recipe", "did you mean 'veilbench'"),
        ({"recipe": "absent.yaml"}, "field recipe", "there is no recipe file absent.yaml"),
        ({"recipe": {"name": "shadowcats", "epochs": 2}}, "field recipe", "did you mean 'shadowcast'"),
        ({"recipe": {"name": "shadowcast", "epochs": 0}}, "field recipe.epochs", "greater than or equal to 1"),
        ({"recipe": {"name": "shadowcast", "epoch": 2}}, "field recipe.epoch", "did you mean epochs?"),
        ({"recipe": {"nam": "shadowcast"}}, "field recipe.nam", "did you mean name"),
        ({"recipe": {"name": "shadowcast", "method": "dora"}}, "field recipe.method", "'lora' or 'full'"),
        ({"recipe": {"name": "clear", "tower_lora_rank": -1}}, "field recipe.tower_lora_rank", "equal to 0"),
        (target(quantization="8bit"), "field targets.0.quantization", "'none' or '4bit'"),
        (target(training_batch_size=-1), "field targets.0.training_batch_size", "equal to 0"),
        (target(gradient_checkpointing="maybe"), "field targets.0.gradient_checkpointing", "boolean"),
        (target(processes=0), "field targets.0.processes", "equal to 1"),
    ],
)
def test_a_wrong_value_names_the_field_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, Any], field: str, allowed: str
) -> None:
    message = refusal(tmp_path / "s.yaml", **changes)
    assert field in message
    assert allowed in message
    assert "\n" not in message


def test_weights_that_are_quantized_cannot_all_be_trained(tmp_path: Path) -> None:
    quantized = target(quantization="4bit")
    message = refusal(tmp_path / "s.yaml", recipe={"name": "veilbench", "method": "full"}, **quantized)
    assert "target tiny-llava is quantized" in message
    assert "use method: lora or quantization: none" in message
    assert message.count("tiny-llava") == 1, "the message repeats the suite"
    assert load_suite(write(tmp_path / "s.yaml", **quantized)).targets[0].spec().quantization == "4bit"


def test_a_named_recipe_is_the_same_as_its_numbers(tmp_path: Path) -> None:
    named = load_suite(write(tmp_path / "s.yaml", recipe="shadowcast"))
    assert named.recipe.recipe() == replace(load_recipe("shadowcast").recipe(), source=named.recipe.source)
    in_full = named.recipe.model_dump(mode="json")
    assert load_suite(write(tmp_path / "s.yaml", recipe=in_full)).recipe == named.recipe


def test_fields_beside_the_name_take_the_place_of_the_recipes(tmp_path: Path) -> None:
    named = load_suite(write(tmp_path / "s.yaml", recipe="shadowcast")).recipe
    stated = {"name": "shadowcast", "epochs": 5, "batch_size": 128}
    changed = load_suite(write(tmp_path / "s.yaml", recipe=stated)).recipe
    assert changed == named.model_copy(update={"epochs": 5, "source": changed.source})


def test_shipped_suites_train_with_our_recipe_and_quick_for_fewer_epochs() -> None:
    assert {load_suite(name).recipe for name in ("families", "synthesized")} == {load_suite("families").recipe}
    assert load_suite("families").recipe.source.startswith("veilbench: ")
    assert load_suite("quick").recipe.source.startswith("veilbench with other epochs: ")


@pytest.mark.parametrize("text", ["name: [", "just text", "- a\n- b"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_suite(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_seed_takes_the_place_of_all_the_suites_seeds(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path / "s.yaml", seeds=[1, 2, 3]))
    assert suite.with_seed(None) == suite
    changed = suite.with_seed(7)
    assert (changed.seeds, changed.defense_seed, changed.seed_given) == ((7,), suite.defense_seed, 7)


def test_a_seed_that_the_suite_has_anyway_changes_nothing(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path / "s.yaml", seeds=[4]))
    assert suite.with_seed(4) == suite
    assert suite.with_seed(4).seed_given is None


def test_a_suite_knows_what_it_is_asked_for_by(tmp_path: Path) -> None:
    assert load_suite("quick").source == "quick"
    assert load_suite(write(tmp_path / "s.yaml", name="mine")).source == "s.yaml"
    assert load_suite(write(tmp_path / "quick", name="mine")).source == "./quick"
    assert load_suite(write(tmp_path / "s.yaml", name="mine")).with_seed(9).source == "s.yaml"


def test_without_surrogates_defenses_optimise_against_the_targets(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path / "s.yaml", surrogates=[]))
    assert suite.surrogates_of(suite.defenses[-1]) == tuple(entry.spec() for entry in suite.targets)


class TestLabels:
    def test_a_defense_may_stand_several_times_with_budget_and_surrogates_of_its_own(self, tmp_path: Path) -> None:
        defenses = [
            {"name": "noise"},
            {"name": "noise", "label": "noise-4", "budget": {"eps": 4}},
            {"name": "dp2vl", "label": "seen", "surrogates": [{"checkpoint": "tiny-qwen2-vl", "family": "qwen_vl"}]},
        ]
        suite = load_suite(write(tmp_path / "s.yaml", defenses=defenses))
        assert [entry.label for entry in suite.defenses] == ["noise", "noise-4", "seen"]
        assert [suite.budget_of(entry).eps for entry in suite.defenses] == [8, 4, 8]
        assert [spec.checkpoint for spec in suite.surrogates_of(suite.defenses[2])] == ["tiny-qwen2-vl"]
        assert [spec.checkpoint for spec in suite.surrogates_of(suite.defenses[1])] == ["tiny-llava"]

    @pytest.mark.parametrize(
        ("defenses", "said"),
        [
            ([{"name": "noise"}, {"name": "noise"}], "defense noise stands twice: give each a label of its own"),
            ([{"name": "noise", "label": "a"}, {"name": "blur", "label": "a"}], "defense a stands twice"),
            ([{"name": "noise", "label": "a/b"}], "field defenses.0.label: cannot stand in a file name"),
            ([{"name": "noise", "label": ".."}], "field defenses.0.label: cannot stand in a file name"),
            ([{"name": "noise", "label": "none"}], "'none' is the name of a control"),
            ([{"name": "noise", "label": "base"}], "'base' is the name of a control"),
            ([{"name": "none", "label": "plain"}], "'plain' is the name of a control"),
            ([{"name": "none", "budget": {"eps": 4}}], "it has neither budget nor surrogates"),
            ([{"name": "noise", "budget": {"eps": 0}}], "field defenses.0.budget.eps: input should be greater than 0"),
            ([{"name": "noise", "budget": {"epss": 1}}], "field defenses.0.budget.epss: not a known field"),
        ],
    )
    def test_a_label_or_budget_that_cannot_be_is_refused(
        self, tmp_path: Path, defenses: list[dict[str, Any]], said: str
    ) -> None:
        assert said in refusal(tmp_path / "s.yaml", defenses=defenses)


class TestExtending:
    def extending(self, path: Path, **fields: Any) -> str:
        """A suite file with only these fields."""
        path.write_text(yaml.safe_dump(fields))
        return str(path)

    def test_what_is_not_stated_is_that_of_the_other_suite(self, tmp_path: Path) -> None:
        suite = load_suite(self.extending(tmp_path / "mine.yaml", extends="quick", name="mine", seeds=[1, 2]))
        assert (suite.name, suite.seeds, suite.source) == ("mine", (1, 2), "mine.yaml")
        assert suite.model_dump(exclude={"name", "seeds"}) == load_suite("quick").model_dump(exclude={"name", "seeds"})

    def test_a_file_is_found_beside_the_one_that_extends_it(self, tmp_path: Path) -> None:
        write(tmp_path / "below.yaml", seeds=[7])
        assert load_suite(self.extending(tmp_path / "mine.yaml", extends="below.yaml", name="mine")).seeds == (7,)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"extends": "mine.yaml", "name": "mine"}, "field extends: a suite cannot extend itself"),
            ({"extends": "absent", "name": "mine"}, "unknown suite 'absent'"),
            ({"extends": "absent.yaml", "name": "mine"}, "there is no suite file"),
            ({"extends": "families", "name": "mine"}, "families itself extends quick; one level is allowed"),
            ({"extends": ["quick"], "name": "mine"}, "field extends: the name of a shipped suite or a suite file"),
            ({"extends": "quick"}, "field name: a suite that extends another needs a name of its own"),
            ({"extends": "quick", "name": "mine", "seeds": []}, "mine.yaml: field seeds: tuple should have at least 1"),
        ],
    )
    def test_what_cannot_be_extended_is_refused(self, tmp_path: Path, fields: dict[str, Any], said: str) -> None:
        with pytest.raises(UsageError) as caught:
            load_suite(self.extending(tmp_path / "mine.yaml", **fields))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


class TestChanges:
    def test_fields_are_changed_by_their_path_and_told(self) -> None:
        changes = ["budget.eps=4", "seeds=[0,1,2]", "defenses.dp2vl.options.steps=5", "defenses.1.label=loud"]
        suite = load_suite("quick", changes)
        assert (suite.budget.eps, suite.seeds, suite.changes) == (4, (0, 1, 2), tuple(changes))
        assert suite.defenses[2].options["steps"] == 5 and suite.defenses[1].label == "loud"
        assert suite.with_seed(9).changes == tuple(changes)

    def test_a_recipe_that_is_a_name_can_be_changed_in_one_number(self) -> None:
        assert load_suite("families", ["recipe.epochs=3"]).recipe.epochs == 3
        assert load_suite("families", ["recipe.epochs=3"]).recipe.source.startswith("veilbench with other epochs")

    def test_what_is_not_stated_can_be_set(self) -> None:
        assert load_suite("quick", ["defenses.noise.budget.eps=2"]).defenses[1].budget is not None
        assert load_suite("quick", ["evaluators=[leakage]"]).evaluators == ("leakage",)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("budget.epss=4", "with --set budget.epss=4: field budget.epss: not a known field (did you mean eps?)"),
            ("budget.eps=many", "field budget.eps: input should be a valid number"),
            ("budget.eps=0", "field budget.eps: input should be greater than 0, and it is 0"),
            ("seeds=[-1]", "field seeds.0: input should be greater than or equal to 0"),
            ("nonsense=1", "field nonsense: not a known field"),
            ("defenses.dp2vk.options.steps=5", "unknown entry 'dp2vk': did you mean 'dp2vl'"),
            ("title.inner=5", "title is 'Private facts that leak from a fine-tuned tiny model', which has no fields"),
            ("budget", "must be FIELD=VALUE"),
            ("=4", "must be FIELD=VALUE"),
            ("seeds=[1", "the value is not valid YAML"),
        ],
    )
    def test_a_change_that_cannot_be_has_the_sentence_of_a_suite_file(self, change: str, said: str) -> None:
        with pytest.raises(UsageError) as caught:
            load_suite("quick", [change])
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
