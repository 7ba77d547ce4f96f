"""The stage that runs a defense over all training photos."""

from pathlib import Path

import pytest
from miniature_world import Miniature

from bench.core.errors import UsageError
from bench.core.progress import quiet
from bench.core.store import ArtifactStore
from bench.stages.base import Workspace
from bench.stages.protect import ProtectSpec
from bench.stages.references import DatasetReference, PinnedPlugin
from scenarios.dataset import load_dataset


def test_an_error_names_the_defense_as_the_suite_does(miniature: Miniature, tmp_path: Path) -> None:
    location = str(miniature.dataset)
    dataset = DatasetReference(location, None, load_dataset(location).digest)
    defense = PinnedPlugin("dp2vl", "bench.defenses.dp2vl")
    spec = ProtectSpec(dataset, defense, {"steps": 1}, "linf", 8, surrogates=(), seed=0)
    with pytest.raises(UsageError, match=r"defense 'dp2vl' needs surrogates .* none was given"):
        spec.compute(Workspace(ArtifactStore(tmp_path), tmp_path, quiet()))
