"""Attacker settings: what they make of a recipe."""

from dataclasses import replace

import pytest

from bench.attacks.registry import attacks
from bench.core.errors import UsageError
from bench.targets.base import Augmentation, Recipe

VIEWS = Augmentation(views=6, scale=(0.8, 1.0), shift=0.09, colour=0.15, flip=0.5)


def test_augment_adds_views_and_changes_nothing_else(recipe: Recipe) -> None:
    assert attacks.get("augment")().adapt(recipe) == replace(recipe, augmentation=VIEWS)


def test_naive_trains_on_the_photos_as_they_are(recipe: Recipe) -> None:
    assert attacks.get("naive")().adapt(replace(recipe, augmentation=VIEWS)) == recipe


def test_tower_trains_the_tower_too_and_changes_nothing_else(recipe: Recipe) -> None:
    adapted = attacks.get("tower")().adapt(recipe)
    assert adapted == replace(recipe, tower_lora_rank=8)
    assert recipe.tower_lora_rank == 0


def test_tower_keeps_the_rank_of_a_recipe_that_trains_the_tower_anyway(recipe: Recipe) -> None:
    assert attacks.get("tower")().adapt(replace(recipe, tower_lora_rank=32)).tower_lora_rank == 32


def test_an_unknown_attack_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="augment"):
        attacks.get("augmnt")
