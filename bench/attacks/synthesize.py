"""The attacker who never trains on a shared photo, but on photos synthesized from them."""

from dataclasses import replace

from bench.attacks.base import Attack
from bench.attacks.registry import attacks
from bench.targets.base import Recipe, Synthesis


@attacks.register("synthesize")
class Synthesize(Attack):
    """Fine-tune on photos that a diffusion model synthesizes from the shared ones, two a photo, and on no other."""

    def adapt(self, recipe: Recipe) -> Recipe:
        """The recipe without augmentation; each step shows one of a pair's photos, so that no more steps are taken."""
        return replace(recipe, augmentation=None)

    def synthesis(self) -> Synthesis:
        """Two photos a pair by the embedded diffusion model."""
        return Synthesis(photos_per_pair=2, steps=20, guidance=3.0)
