"""The stage that runs a defense over all training photos."""

from pathlib import Path

import numpy as np
import pytest
from miniature_world import Miniature

from bench.core.errors import DataError, UsageError
from bench.core.progress import quiet
from bench.core.store import ArtifactStore
from bench.defenses.photo import encode_png
from bench.stages.base import Workspace
from bench.stages.protect import ProtectSpec
from bench.stages.references import DatasetReference, PinnedPlugin
from scenarios.dataset import Dataset, load_dataset, make_dataset, save_dataset


def test_an_error_names_the_defense_as_the_suite_does(miniature: Miniature, tmp_path: Path) -> None:
    location = str(miniature.dataset)
    dataset = DatasetReference(location, None, load_dataset(location).digest)
    defense = PinnedPlugin("dp2vl", "bench.defenses.dp2vl")
    spec = ProtectSpec(dataset, defense, {"steps": 1}, "linf", 8, surrogates=(), seed=0)
    with pytest.raises(UsageError, match=r"defense 'dp2vl' needs surrogates .* none was given"):
        spec.compute(Workspace(ArtifactStore(tmp_path), tmp_path, quiet()))


def test_a_training_photo_that_shows_nothing_is_no_photo_to_protect(dataset: Dataset, tmp_path: Path) -> None:
    black = encode_png(np.zeros((32, 32, 3), dtype=np.uint8))
    pairs = dataset.pairs.assign(image=[*dataset.pairs["image"][:-1], black])
    save_dataset(make_dataset("dark", dataset.people, pairs, dataset.probes), tmp_path / "dark")
    location = str(tmp_path / "dark")
    reference = DatasetReference(location, None, load_dataset(location).digest)
    spec = ProtectSpec(reference, PinnedPlugin("none", "bench.defenses.none"), {}, "linf", 8, surrogates=(), seed=0)
    with pytest.raises(DataError, match=rf"training photo '{pairs['pair_id'].iloc[-1]}' shows nothing"):
        spec.compute(Workspace(ArtifactStore(tmp_path), tmp_path, quiet()))
