"""Recipes by name: what the shipped ones say, files of one's own, and what a suite may state in place of one."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.commands.listing import listing
from bench.core.errors import UsageError
from bench.targets.base import Recipe
from bench.targets.recipes import RecipeEntry, expand_recipe, load_recipe, shipped_recipes

VEILBENCH = Recipe(
    epochs=20,
    batch_size=10,
    learning_rate=2.7e-3,
    projector_learning_rate=1.0e-3,
    lora_rank=16,
    lora_alpha=32,
    weight_decay=0.0,
    warmup_steps=10,
    final_learning_rate_share=0.05,
    gradient_clip=1.0,
    questions_per_photo=8,
)
"""What published results of the suite quick were trained with."""


def write(path: Path, **changes: Any) -> Path:
    """A recipe file that is ``veilbench`` with some fields changed."""
    path.write_text(yaml.safe_dump(load_recipe("veilbench").model_dump() | changes))
    return path


def test_a_recipe_entry_has_every_field_of_a_recipe_but_the_attackers_own_and_the_same_defaults() -> None:
    defaults = {field.name: field.default for field in fields(Recipe)}
    assert set(RecipeEntry.model_fields) == set(defaults) - {"augmentation"}
    optional = {name: field.default for name, field in RecipeEntry.model_fields.items() if not field.is_required()}
    assert optional == {name: defaults[name] for name in optional}
    assert set(optional) == {"method", "tower_lora_rank", "source"}


def test_our_own_recipe_never_changes_in_passing() -> None:
    assert replace(load_recipe("veilbench").recipe(), source="") == VEILBENCH


@pytest.mark.parametrize("name", ["veilbench", "shadowcast", "clear"])
def test_a_shipped_recipe_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    assert name in shipped_recipes()
    found = load_recipe(name)
    assert found.title and found.recipe().source == found.source
    assert "\n" not in found.source
    assert name == "veilbench" or "arXiv" in found.source


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("shadowcast", {"lora_rank": 128, "lora_alpha": 256, "learning_rate": 2e-4, "epochs": 1, "batch_size": 128}),
        ("shadowcast", {"projector_learning_rate": 2e-5, "weight_decay": 0, "final_learning_rate_share": 0}),
        ("clear", {"lora_rank": 8, "lora_alpha": 32, "learning_rate": 1e-5, "epochs": 3, "batch_size": 8}),
        ("clear", {"weight_decay": 0.01, "tower_lora_rank": 0, "final_learning_rate_share": 0}),
    ],
)
def test_a_published_recipe_keeps_the_published_numbers(name: str, numbers: dict[str, Any]) -> None:
    assert load_recipe(name).model_dump(include=set(numbers)) == numbers


def test_every_shipped_recipe_is_listed_with_title_and_source() -> None:
    listed = {one.name: one for one in listing("recipes")}
    assert set(listed) == set(shipped_recipes())
    for name, one in listed.items():
        assert (one.about, one.origin) == (load_recipe(name).title, load_recipe(name).source)


def test_a_file_of_ones_own_is_named_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", title="Mine", source="Chosen by dice.", epochs=3)
    expanded = expand_recipe(str(path))
    assert (expanded["epochs"], expanded["batch_size"]) == (3, VEILBENCH.batch_size)
    assert expanded["source"] == "mine: Chosen by dice."
    assert RecipeEntry.model_validate(expanded).epochs == 3


def test_the_source_tells_which_fields_a_suite_changed_and_no_other() -> None:
    stated = {"name": "veilbench", "epochs": 5, "lora_rank": VEILBENCH.lora_rank, "projector_learning_rate": "1e-3"}
    assert expand_recipe(stated)["source"].startswith("veilbench with other epochs: VeilBench's own")
    assert expand_recipe(stated | {"source": "Ours."})["source"] == "Ours."


@pytest.mark.parametrize("stated", [{"epochs": 1}, 7, None, ["veilbench"]])
def test_what_names_no_recipe_stays_as_it_is(stated: Any) -> None:
    assert expand_recipe(stated) == stated


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "field epochs: "),
        ({"learning_rate": "fast"}, "field learning_rate: "),
        ({"source": ""}, "field source: "),
        ({"schedule": "cosine"}, "field schedule: is not known; allowed are batch_size, epochs"),
    ],
)
def test_a_wrong_recipe_file_is_named_with_field_and_what_is_allowed(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = write(tmp_path / "mine.yaml", **changes)
    with pytest.raises(UsageError) as caught:
        load_recipe(str(path))
    assert str(path) in str(caught.value) and said in str(caught.value)


def test_an_unknown_name_or_file_is_told() -> None:
    with pytest.raises(UsageError, match="unknown recipe 'shadowcats': did you mean 'shadowcast'"):
        load_recipe("shadowcats")
    with pytest.raises(UsageError, match=r"no recipe file .*absent\.yaml"):
        load_recipe("absent.yaml")
