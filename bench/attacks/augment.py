"""The attacker who trains on random views."""

from dataclasses import replace

from bench.attacks.base import Attack
from bench.attacks.registry import attacks
from bench.targets.base import Augmentation, Recipe


@attacks.register("augment")
class Augment(Attack):
    """Fine-tune on six random views a photo: crop, shift, mirror and colour. Undoes what only looks like protection."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe with random views in place of the photos."""
        views = Augmentation(views=6, scale=(0.8, 1.0), shift=0.09, colour=0.15, flip=0.5)
        return replace(recipe, augmentation=views)
