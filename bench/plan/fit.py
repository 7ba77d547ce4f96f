"""Whether a suite's defenses and targets can do with its dataset: told at planning, before anything is computed."""

from collections.abc import Sequence

import pandas as pd

from bench.core.errors import UsageError
from bench.plan.suite import Suite
from bench.stages.datasets import open_cohort
from bench.stages.photos import training_pairs
from bench.stages.references import DatasetReference


def check_fit(suite: Suite, cohorts: Sequence[DatasetReference], backend: str) -> None:
    """Raise UsageError naming the first row of the ``cohorts`` that a defense or target of the suite cannot do with."""
    _check_needs(suite, cohorts)
    _check_texts(suite, cohorts, backend)


def _check_needs(suite: Suite, cohorts: Sequence[DatasetReference]) -> None:
    from bench.defenses.needs import photos_lack
    from bench.defenses.registry import defenses

    pairs = pd.concat([training_pairs(open_cohort(one.location, one.limit, one.cohort)) for one in cohorts])
    for entry in suite.defenses:
        needs = defenses.get(entry.name).needs
        lacking = photos_lack(needs, pairs["pair_id"].tolist(), lambda need: pairs[need].tolist())
        if lacking:
            raise UsageError(f"suite {suite.name}: dataset {suite.dataset}: defense '{entry.label}' {lacking}.")


def _check_texts(suite: Suite, cohorts: Sequence[DatasetReference], backend: str) -> None:
    from bench.targets.texts import misread, no_text, told_in, too_long

    for one in cohorts:
        told = told_in(open_cohort(one.location, one.limit, one.cohort))
        for row, problem in no_text(told):
            raise UsageError(f"suite {suite.name}: dataset {suite.dataset}: {row} {problem}.")
        for target in suite.targets:
            for row, problem in too_long(target.spec(), told):
                raise UsageError(f"suite {suite.name}: dataset {suite.dataset}: {row}: {problem}.")
            for row, token in misread(target.spec(), told) if backend == "vllm" else ():
                raise UsageError(
                    f"suite {suite.name}: dataset {suite.dataset}: {row} holds '{token}', which vLLM would read as a"
                    f" control token of {target.checkpoint}: answer with --backend transformers, where it is text."
                )
