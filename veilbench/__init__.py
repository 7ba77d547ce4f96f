"""VeilBench: which photo defense keeps a fine-tuned vision-language model from learning who you are, and at what cost?

This package is the whole public interface. Plugins and notebooks import from here and from nowhere else; everything is
looked up when it is first used, so that ``import veilbench`` takes no time and loads no library.
"""

import importlib

# Importing typing takes longer than all the rest of this module; type checkers know the name.
TYPE_CHECKING = False

PLACES: dict[str, str] = {
    # What a defense is made of.
    "Defense": "bench.defenses.base",
    "DefenseContext": "bench.defenses.base",
    "Photo": "bench.defenses.photo",
    "ProtectedPhoto": "bench.defenses.photo",
    "Budget": "bench.defenses.base",
    "Surrogate": "bench.defenses.base",
    # What an attacker is made of. Provisional until the contract of adaptive attackers stands.
    "Attack": "bench.attacks.base",
    "Augmentation": "bench.targets.base",
    "Recipe": "bench.targets.base",
    "Synthesis": "bench.targets.base",
    # What a target family is made of.
    "Target": "bench.targets.base",
    "TargetSpec": "bench.targets.base",
    "TrainingExample": "bench.targets.base",
    "PackedTarget": "bench.targets.packed.target",
    "PackedModel": "bench.targets.packed.model",
    "ReportProgress": "bench.core.progress",
    # What an evaluator is made of.
    "Evaluator": "evaluators.base",
    "Metric": "evaluators.base",
    "value_rows": "evaluators.base",
    "choice_values": "evaluators.base",
    "open_values": "evaluators.base",
    # What a photo source is made of.
    "Generator": "generators.base",
    "BuildOrder": "generators.base",
    "Dataset": "scenarios.dataset",
    "load_dataset": "scenarios.dataset",
    "build_dataset": "scenarios.dataset",
    "Person": "scenarios.people",
    # Errors that reach the person at the command line as one sentence.
    "VeilBenchError": "bench.core.errors",
    "UsageError": "bench.core.errors",
    "DataError": "bench.core.errors",
    # What a notebook does.
    "run": "bench.commands.run.notebook",
    "SuiteResult": "bench.commands.run.notebook",
    "protect": "bench.commands.defense.protecting",
    "load_suite": "bench.plan.suite_files",
    "Suite": "bench.plan.suite",
    "load_records": "leaderboard.records",
    "Record": "leaderboard.schema",
}
"""Public name -> the module that it is in. A literal, since code digests read it without running anything."""

__all__ = [*sorted(PLACES), "__version__"]

if TYPE_CHECKING:
    from bench.attacks.base import Attack as Attack
    from bench.commands.defense.protecting import protect as protect
    from bench.commands.run.notebook import SuiteResult as SuiteResult
    from bench.commands.run.notebook import run as run
    from bench.core.errors import DataError as DataError
    from bench.core.errors import UsageError as UsageError
    from bench.core.errors import VeilBenchError as VeilBenchError
    from bench.core.progress import ReportProgress as ReportProgress
    from bench.defenses.base import Budget as Budget
    from bench.defenses.base import Defense as Defense
    from bench.defenses.base import DefenseContext as DefenseContext
    from bench.defenses.base import Surrogate as Surrogate
    from bench.defenses.photo import Photo as Photo
    from bench.defenses.photo import ProtectedPhoto as ProtectedPhoto
    from bench.plan.suite import Suite as Suite
    from bench.plan.suite_files import load_suite as load_suite
    from bench.targets.base import Augmentation as Augmentation
    from bench.targets.base import Recipe as Recipe
    from bench.targets.base import Synthesis as Synthesis
    from bench.targets.base import Target as Target
    from bench.targets.base import TargetSpec as TargetSpec
    from bench.targets.base import TrainingExample as TrainingExample
    from bench.targets.packed.model import PackedModel as PackedModel
    from bench.targets.packed.target import PackedTarget as PackedTarget
    from evaluators.base import Evaluator as Evaluator
    from evaluators.base import Metric as Metric
    from evaluators.base import choice_values as choice_values
    from evaluators.base import open_values as open_values
    from evaluators.base import value_rows as value_rows
    from generators.base import BuildOrder as BuildOrder
    from generators.base import Generator as Generator
    from leaderboard.records import load_records as load_records
    from leaderboard.schema import Record as Record
    from scenarios.dataset import Dataset as Dataset
    from scenarios.dataset import build_dataset as build_dataset
    from scenarios.dataset import load_dataset as load_dataset
    from scenarios.people import Person as Person

    __version__: str


def __getattr__(name: str) -> object:
    """Look a public name up where it is, once (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        found: object = version("veilbench")
    elif name in PLACES:
        found = getattr(importlib.import_module(PLACES[name]), name)
    else:
        raise AttributeError(f"module 'veilbench' has no attribute {name!r}: it has {', '.join(__all__)}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
