"""What a plan is made of besides the suite: names looked up in the registries, and digests of data and code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench.core.device import detect_device
from bench.core.digests import digest_json, digest_tree
from bench.core.environment import describe_environment
from bench.core.errors import UsageError
from bench.core.registry import unknown_name
from bench.defenses.base import Budget
from bench.plan.suite import DefenseEntry, Suite
from bench.stages.code import CodeDigests
from bench.stages.datasets import effective_limit, open_cohort, open_dataset
from bench.stages.photos import training_pairs
from bench.stages.references import DatasetReference, PinnedPlugin, PinnedTarget, identity
from bench.targets.base import Recipe, Synthesis, TargetSpec
from generators.diffusion.embedded.synthesizer import pipeline_folder
from leaderboard.schema import UNDEFENDED

LIBRARIES = ("torch", "transformers", "diffusers", "peft", "tokenizers", "numpy", "scipy", "pandas", "pillow")
"""Another version of one of these may give another number, so their versions are part of every key."""

HEADLINE_METRIC = "leakage"


@dataclass(frozen=True)
class DefenseIngredient:
    """A defense with all its options, defaults included, its budget, and what it optimises against, if anything."""

    plugin: PinnedPlugin
    options: Mapping[str, Any]
    budget: Budget
    surrogates: tuple[PinnedTarget, ...]
    visible: bool


@dataclass(frozen=True)
class AttackIngredient:
    """The suite's recipe as this attacker setting adapts it, and the photos that it synthesizes, if any.

    ``synthesis_digest`` is the digest of the diffusion model's files; empty without synthesis. ``adaptive`` says that
    the attacker knows the defense and adapts to it.
    """

    recipe: Recipe
    synthesis: Synthesis | None = None
    synthesis_digest: str = ""
    adaptive: bool = False


@dataclass(frozen=True)
class Ingredients:
    """Everything that a plan rests on besides the suite.

    ``cohorts`` holds one part of the dataset for each cohort that is trained on, ``dataset_digest`` covers all that the
    dataset has, after the limit. ``defenses`` maps labels to defenses and always has the undefended control.
    ``code_digest`` gives the digest of modules and all that they import; ``code_sources`` maps each digest that it gave
    to what stands behind it.
    """

    cohorts: tuple[DatasetReference, ...]
    dataset_name: str
    dataset_digest: str
    limit: int | None
    targets: tuple[PinnedTarget, ...]
    defenses: Mapping[str, DefenseIngredient]
    attacks: Mapping[str, AttackIngredient]
    answer_evaluators: tuple[PinnedPlugin, ...]
    photo_evaluators: tuple[PinnedPlugin, ...]
    code_digest: Callable[[Sequence[str]], str]
    libraries: Mapping[str, str | None]
    environment: Mapping[str, Any]
    code_sources: Mapping[str, Mapping[str, str]]


def gather_ingredients(suite: Suite, limit: int | None) -> Ingredients:
    """Look everything up, without importing an accelerator library.

    Raises UsageError for an unknown name (with the nearest ones), cohorts included, or an option that a defense does
    not have, and DataError for a dataset that does not fit.
    """
    pins = _Pins()
    answer_evaluators, photo_evaluators = _evaluators(suite)
    defenses = _defenses(suite, pins)
    attacks = _attacks(suite)
    targets = tuple(pins(entry.spec()) for entry in suite.targets)
    limit = effective_limit(suite.dataset, limit)
    dataset = open_dataset(suite.dataset, limit)
    device = detect_device()
    code = CodeDigests()
    return Ingredients(
        cohorts=_cohorts(suite, limit),
        dataset_name=dataset.name,
        dataset_digest=dataset.digest,
        limit=limit,
        targets=targets,
        defenses=defenses,
        attacks=attacks,
        answer_evaluators=answer_evaluators,
        photo_evaluators=photo_evaluators,
        code_digest=code,
        libraries={**{name: _installed_version(name) for name in LIBRARIES}, "device": device},
        environment=describe_environment(device),
        code_sources=code.sources,
    )


def _cohorts(suite: Suite, limit: int | None) -> tuple[DatasetReference, ...]:
    """The parts of the dataset that are trained on, each apart from the others."""
    known = open_dataset(suite.dataset, limit).cohorts
    references = []
    for name in suite.cohorts or known:
        if name not in known:
            error = unknown_name("cohort", name, filter(None, known))
            raise UsageError(f"suite {suite.name}: field cohorts: dataset {suite.dataset}: {error}.")
        part = open_cohort(suite.dataset, limit, name)
        photos = len(training_pairs(part))
        references.append(DatasetReference(suite.dataset, limit, part.digest, photos, len(part.probes), name))
    return tuple(references)


class _Pins:
    """Digests of checkpoints, each read once."""

    def __init__(self) -> None:
        self._known: dict[TargetSpec, PinnedTarget] = {}

    def __call__(self, spec: TargetSpec) -> PinnedTarget:
        from bench.targets.checkpoints import checkpoint_digest, resolve_checkpoint
        from bench.targets.registry import targets

        if spec not in self._known:
            module = targets.get(spec.family).__module__
            digest = checkpoint_digest(spec.checkpoint)
            weights = resolve_checkpoint(spec.checkpoint).glob("*.safetensors")
            self._known[spec] = PinnedTarget(spec, digest, module, sum(file.stat().st_size for file in weights))
        return self._known[spec]


def _defenses(suite: Suite, pins: _Pins) -> dict[str, DefenseIngredient]:
    """The undefended control first, whether or not the suite names it, then the suite's."""
    named = [entry for entry in suite.defenses if entry.name != UNDEFENDED]
    found: dict[str, DefenseIngredient] = {}
    made: dict[str, str] = {}
    for entry in (DefenseEntry(name=UNDEFENDED), *named):
        ingredient = _defense(suite, entry, pins)
        same = made.setdefault(digest_json(identity(ingredient)), entry.label)
        if same != entry.label:
            raise UsageError(
                f"suite {suite.name}: the defenses '{same}' and '{entry.label}' are the same: "
                "options, budget and surrogates are equal."
            )
        found[entry.label] = ingredient
    return found


def _defense(suite: Suite, entry: DefenseEntry, pins: _Pins) -> DefenseIngredient:
    from bench.defenses.registry import build_defense

    try:
        defense = build_defense(entry.name, entry.options)
    except (UsageError, ValueError) as error:
        raise UsageError(f"suite {suite.name}: {error}") from error
    budget = suite.budget_of(entry)
    return DefenseIngredient(
        PinnedPlugin(entry.name, type(defense).__module__),
        defense.options(),
        Budget(budget.norm, budget.eps),
        tuple(pins(spec) for spec in suite.surrogates_of(entry)) if "surrogates" in defense.needs else (),
        defense.visible,
    )


def _attacks(suite: Suite) -> dict[str, AttackIngredient]:
    from bench.attacks.registry import attacks

    recipe = suite.recipe.recipe()
    found = {}
    for name in suite.attacks:
        attack = attacks.get(name)()
        synthesis = attack.synthesis()
        digest = digest_tree(pipeline_folder(synthesis.checkpoint)) if synthesis else ""
        found[name] = AttackIngredient(attack.adapt(recipe), synthesis, digest, attack.adaptive)
    return found


def _evaluators(suite: Suite) -> tuple[tuple[PinnedPlugin, ...], tuple[PinnedPlugin, ...]]:
    """The suite's evaluators of answers, and those of photos; without a list in the suite the built-in ones."""
    from evaluators.registry import evaluators, metric_definitions

    names = sorted(suite.evaluators or evaluators.built_in())
    if HEADLINE_METRIC not in metric_definitions(names):
        raise UsageError(
            f"suite {suite.name}: field evaluators: none of {', '.join(names)} measures {HEADLINE_METRIC}, "
            "which every comparison rests on: add the evaluator 'leakage'."
        )
    kinds = {name: evaluators.get(name) for name in names}
    pinned = {name: PinnedPlugin(name, kind.__module__) for name, kind in kinds.items()}
    answers = tuple(pinned[name] for name, kind in kinds.items() if kind.subject == "answers")
    photos = tuple(pinned[name] for name, kind in kinds.items() if kind.subject == "photos")
    return answers, photos


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
