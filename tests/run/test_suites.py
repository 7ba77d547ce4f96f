"""Suite files: what the shipped one says, and messages about the others."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.core.errors import UsageError
from bench.run.suites import RecipeEntry, load_suite, shipped_suites
from bench.targets.base import Recipe


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
    assert [entry.spec().checkpoint for entry in quick.targets] == ["tiny-llava"]


def test_a_recipe_entry_has_every_field_of_a_recipe_but_the_attackers_own() -> None:
    assert set(RecipeEntry.model_fields) == {field.name for field in fields(Recipe)} - {"augmentation"}


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
    ],
)
def test_a_wrong_value_names_the_field_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, Any], field: str, allowed: str
) -> None:
    message = refusal(tmp_path / "s.yaml", **changes)
    assert field in message
    assert allowed in message
    assert "\n" not in message


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
