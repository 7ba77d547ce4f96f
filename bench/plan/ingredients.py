"""What a plan is made of besides the suite: names looked up in the registries, and digests of data and code."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench.core.digests import digest_tree
from bench.core.environment import describe_environment
from bench.core.errors import UsageError
from bench.stages.code import code_digest
from bench.stages.datasets import effective_limit, open_dataset
from bench.core.device import detect_device
from bench.publish.disclosures import suite_disclosures
from bench.stages.photos import training_pairs
from bench.stages.base import DatasetReference, PinnedTarget
from bench.plan.suites import DefenseEntry, Suite
from bench.targets.base import Recipe, Synthesis, TargetSpec
from generators.diffusion.embedded.synthesizer import pipeline_folder
from leaderboard.schema import UNDEFENDED

LIBRARIES = ("torch", "transformers", "diffusers", "peft", "tokenizers", "numpy", "scipy", "pandas", "pillow")
"""Another version of one of these may give another number, so their versions are part of every key."""


@dataclass(frozen=True)
class DefenseIngredient:
    """A defense with all its options, defaults included, and the module that its class is in."""

    options: Mapping[str, Any]
    module: str
    needs_surrogate: bool
    visible: bool


@dataclass(frozen=True)
class AttackIngredient:
    """The suite's recipe as this attacker setting adapts it, and the photos that it synthesizes, if any.

    ``synthesis_digest`` is the digest of the diffusion model's files; empty without synthesis.
    """

    recipe: Recipe
    synthesis: Synthesis | None = None
    synthesis_digest: str = ""


@dataclass(frozen=True)
class Ingredients:
    """Everything that a plan rests on besides the suite. ``n_photos`` and ``n_probes`` only serve estimates.

    ``defenses`` always has the undefended control. ``code_digest`` gives the digest of modules and all that they
    import.
    """

    dataset: DatasetReference
    dataset_name: str
    n_photos: int
    n_probes: int
    targets: tuple[PinnedTarget, ...]
    surrogates: tuple[PinnedTarget, ...]
    family_modules: Mapping[str, str]
    defenses: Mapping[str, DefenseIngredient]
    attacks: Mapping[str, AttackIngredient]
    answer_evaluators: tuple[str, ...]
    photo_evaluators: tuple[str, ...]
    code_digest: Callable[[Sequence[str]], str]
    libraries: Mapping[str, str | None]
    environment: Mapping[str, Any]
    disclosures: tuple[str, ...]


def gather_ingredients(suite: Suite, limit: int | None) -> Ingredients:
    """Look everything up, without importing an accelerator library.

    Raises UsageError for an unknown name (with the nearest ones) or an option that a defense does not have, and
    DataError for a dataset that does not fit.
    """
    from bench.targets.checkpoints import shipped_checkpoints
    from bench.targets.registry import targets

    defenses = _defenses(suite)
    attacks = _attacks(suite)
    specs = dict.fromkeys((*(entry.spec() for entry in suite.targets), *suite.surrogate_specs()))
    family_modules = {spec.family: targets.get(spec.family).__module__ for spec in specs}
    pinned = {spec: _pin(spec) for spec in specs}
    limit = effective_limit(suite.dataset, limit)
    dataset = open_dataset(suite.dataset, limit)
    photos = training_pairs(dataset)
    device = detect_device()
    answer_evaluators, photo_evaluators = _evaluator_modules()
    embedded = [entry.checkpoint for entry in suite.targets if entry.checkpoint in shipped_checkpoints()]
    return Ingredients(
        dataset=DatasetReference(suite.dataset, limit, dataset.digest),
        dataset_name=dataset.name,
        n_photos=len(photos),
        n_probes=len(dataset.probes),
        targets=tuple(pinned[entry.spec()] for entry in suite.targets),
        surrogates=tuple(pinned[spec] for spec in suite.surrogate_specs()),
        family_modules=family_modules,
        defenses=defenses,
        attacks=attacks,
        answer_evaluators=answer_evaluators,
        photo_evaluators=photo_evaluators,
        code_digest=code_digest,
        libraries={**{name: _installed_version(name) for name in LIBRARIES}, "device": device},
        environment=describe_environment(device),
        disclosures=suite_disclosures(embedded, sorted(set(photos["source"])), len(suite.seeds), limit),
    )


def _defenses(suite: Suite) -> dict[str, DefenseIngredient]:
    """The undefended control first, whether or not the suite names it, then the suite's."""
    from bench.defenses.registry import defenses

    found: dict[str, DefenseIngredient] = {}
    named = [entry for entry in suite.defenses if entry.name != UNDEFENDED]
    for entry in (DefenseEntry(name=UNDEFENDED), *named):
        kind = defenses.get(entry.name)
        allowed = list(inspect.signature(kind).parameters)
        unknown = sorted(set(entry.options) - set(allowed))
        if unknown:
            options = f"its options are {', '.join(allowed)}" if allowed else "it has no options"
            raise UsageError(f"suite {suite.name}: defense '{entry.name}' has no option '{unknown[0]}': {options}.")
        try:
            defense = kind(**entry.options)
        except (TypeError, ValueError) as error:
            raise UsageError(f"suite {suite.name}: options of defense '{entry.name}': {error}.") from error
        found[entry.name] = DefenseIngredient(
            defense.options(), kind.__module__, defense.needs_surrogate, defense.visible
        )
    return found


def _attacks(suite: Suite) -> dict[str, AttackIngredient]:
    from evaluators.attacks import attacks

    recipe = suite.recipe.recipe()
    found = {}
    for name in suite.attacks:
        attack = attacks.get(name)()
        synthesis = attack.synthesis()
        digest = digest_tree(pipeline_folder(synthesis.checkpoint)) if synthesis else ""
        found[name] = AttackIngredient(attack.adapt(recipe), synthesis, digest)
    return found


def _evaluator_modules() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Modules of the evaluators of answers, and of those of photos."""
    from evaluators.registry import evaluators

    kinds = [evaluators.get(name) for name in evaluators.names()]
    answers = sorted({kind.__module__ for kind in kinds if kind.subject == "answers"})
    photos = sorted({kind.__module__ for kind in kinds if kind.subject == "photos"})
    return tuple(answers), tuple(photos)


def _pin(spec: TargetSpec) -> PinnedTarget:
    from bench.targets.checkpoints import checkpoint_digest

    return PinnedTarget(spec, checkpoint_digest(spec.checkpoint))


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
