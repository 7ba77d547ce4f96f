"""Attacker settings: what they make of a recipe."""

from dataclasses import replace

import pytest

from bench.core.errors import UsageError
from bench.targets.base import Augmentation, Recipe
from evaluators.attacks import attacks

RECIPE = Recipe(
    epochs=20,
    batch_size=10,
    learning_rate=4e-3,
    projector_learning_rate=1e-3,
    lora_rank=8,
    lora_alpha=16,
    weight_decay=0.0,
    warmup_steps=5,
    final_learning_rate_share=0.1,
    gradient_clip=1.0,
    questions_per_photo=8,
)
VIEWS = Augmentation(views=6, scale=(0.8, 1.0), shift=0.09, colour=0.15, flip=0.5)


def test_augment_adds_views_and_changes_nothing_else() -> None:
    assert attacks.get("augment")().adapt(RECIPE) == replace(RECIPE, augmentation=VIEWS)


def test_naive_trains_on_the_photos_as_they_are() -> None:
    assert attacks.get("naive")().adapt(replace(RECIPE, augmentation=VIEWS)) == RECIPE


def test_an_unknown_attack_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="augment"):
        attacks.get("augmnt")
