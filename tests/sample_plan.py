"""A plan without data or weights: every digest in it is that of a word."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.core.digests import digest_bytes, digest_json
from bench.defenses.base import Budget
from bench.plan.ingredients import AttackIngredient, DefenseIngredient, Ingredients
from bench.plan.suite_files import load_suite
from bench.stages.references import DatasetReference, PinnedPlugin, PinnedTarget
from bench.targets.base import Augmentation, TargetSpec

QUICK = load_suite("quick")
RECIPE = QUICK.recipe.recipe()
TARGET = PinnedTarget(TargetSpec("tiny-llava"), digest_bytes(b"weights"), "bench.targets.llava")
PHOTOS = DatasetReference("veilbench-mini", None, digest_bytes(b"photos"), 140, 1700)
VIEWS = Augmentation(6, (0.8, 1.0), 0.09, 0.15, 0.5)


def defense(name: str, optimises: bool = False, **options: Any) -> DefenseIngredient:
    """A defense at eps 8, optimised against ``TARGET`` where it optimises at all."""
    surrogates = (TARGET,) if optimises else ()
    return DefenseIngredient(PinnedPlugin(name, f"bench.defenses.{name}"), options, Budget(eps=8), surrogates, False)


DEFENSES = {"none": defense("none"), "noise": defense("noise"), "dp2vl": defense("dp2vl", True, steps=50)}
ATTACKS = {"naive": AttackIngredient(RECIPE), "augment": AttackIngredient(replace(RECIPE, augmentation=VIEWS))}


def digest_of_names(modules: Sequence[str]) -> str:
    """As if every module held its own name."""
    return digest_json(list(modules))


def sample_ingredients(**changes: Any) -> Ingredients:
    """What a plan of ``quick`` is made of, with some of it changed."""
    plain: Mapping[str, Any] = {
        "cohorts": (PHOTOS,),
        "dataset_name": "veilbench-mini",
        "dataset_digest": PHOTOS.digest,
        "limit": None,
        "targets": (TARGET,),
        "defenses": DEFENSES,
        "attacks": ATTACKS,
        "answer_evaluators": (PinnedPlugin("leakage", "evaluators.leakage"),),
        "photo_evaluators": (PinnedPlugin("image_quality", "evaluators.image_quality"),),
        "code_digest": digest_of_names,
        "libraries": {"torch": "2.13.0"},
        "environment": {"python": "3.11"},
        "code_sources": {},
    }
    return Ingredients(**{**plain, **changes})
