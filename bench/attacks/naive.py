"""The attacker who does nothing about a defense."""

from dataclasses import replace

from bench.attacks.base import Attack
from bench.attacks.registry import attacks
from bench.targets.base import Recipe


@attacks.register("naive")
class Naive(Attack):
    """Fine-tune on the photos as they are."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation."""
        return replace(recipe, augmentation=None)
