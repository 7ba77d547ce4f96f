"""Attacker settings: what the attacker does to the training in order to undo a defense."""

from abc import ABC, abstractmethod
from dataclasses import replace

from bench.core.registry import Registry
from bench.targets.base import Augmentation, Recipe


class AttackSetting(ABC):
    """One way to attack; a defense's headline is its worst case over all of them."""

    @abstractmethod
    def adapt(self, recipe: Recipe) -> Recipe:
        """The suite's recipe as this attacker uses it."""


attacks: Registry[type[AttackSetting]] = Registry("attack", "veilbench.attacks", ("evaluators.attacks",))


@attacks.register("naive")
class Naive(AttackSetting):
    """Fine-tune on the photos as they are."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation."""
        return replace(recipe, augmentation=None)


@attacks.register("augment")
class Augment(AttackSetting):
    """Fine-tune on six random views a photo: crop, shift, mirror and colour. Undoes what only looks like protection."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe with random views in place of the photos."""
        views = Augmentation(views=6, scale=(0.8, 1.0), shift=0.09, colour=0.15, flip=0.5)
        return replace(recipe, augmentation=views)
