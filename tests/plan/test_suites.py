"""Suite files: what the shipped one says, and messages about the others."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.core.errors import UsageError
from bench.plan.suites import TargetEntry, load_suite, shipped_suites
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
    assert [entry.name for entry in quick.defenses] == ["none", "noise", "blur", "dp2vl"]
    assert quick.attacks == ("naive", "augment")
    assert (quick.budget.norm, quick.budget.eps) == ("linf", 8)
    assert [entry.checkpoint for entry in quick.targets] == ["tiny-llava", "tiny-qwen2-vl", "tiny-minigpt-v2"]


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
    assert "allowed here: name, title, dataset" in message


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
        ({"name": "../up"}, "field name", "pattern"),
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


def test_both_shipped_suites_train_with_our_recipe() -> None:
    assert {load_suite(name).recipe for name in ("quick", "synthesized")} == {load_suite("quick").recipe}
    assert load_suite("quick").recipe.source.startswith("veilbench: ")


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
    assert suite.surrogate_specs() == tuple(entry.spec() for entry in suite.targets)
