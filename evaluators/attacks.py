"""Attacker settings: what the attacker does to photos or training in order to undo a defense."""

from abc import ABC, abstractmethod
from dataclasses import replace

from bench.core.registry import Registry
from bench.targets.base import Augmentation, Recipe, Synthesis

TOWER_LORA_RANK = 8
"""Our choice, a usual small rank; no search stands behind it."""


class AttackSetting(ABC):
    """One way to attack; a defense's headline is its worst case over all of them."""

    @abstractmethod
    def adapt(self, recipe: Recipe) -> Recipe:
        """The suite's recipe as this attacker uses it."""

    def synthesis(self) -> Synthesis | None:
        """What the attacker trains on in place of the shared photos; None where it is the photos themselves."""
        return None


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


@attacks.register("synthesize")
class Synthesize(AttackSetting):
    """Fine-tune on photos that a diffusion model synthesizes from the shared ones, two a photo, and on no other."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation; each step shows one of a pair's photos, so that no more steps are taken."""
        return replace(recipe, augmentation=None)

    def synthesis(self) -> Synthesis:
        """Two photos a pair by the embedded diffusion model."""
        return Synthesis(photos_per_pair=2, steps=20, guidance=3.0)


@attacks.register("tower")
class Tower(AttackSetting):
    """Fine-tune the vision tower too, by LoRA of rank 8: no encoder stays the one that a defense optimised against."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation and with LoRA on the tower, of its own rank where it has one."""
        return replace(recipe, augmentation=None, tower_lora_rank=recipe.tower_lora_rank or TOWER_LORA_RANK)
