"""The attacker who trains the vision tower, too."""

from dataclasses import replace

from bench.attacks.base import Attack
from bench.attacks.registry import attacks
from bench.targets.base import Recipe

TOWER_LORA_RANK = 8
"""Our choice, a usual small rank; no search stands behind it."""


@attacks.register("tower")
class Tower(Attack):
    """Fine-tune the vision tower too, by LoRA of rank 8: no encoder stays the one that a defense optimised against."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation and with LoRA on the tower, of its own rank where it has one."""
        return replace(recipe, augmentation=None, tower_lora_rank=recipe.tower_lora_rank or TOWER_LORA_RANK)
