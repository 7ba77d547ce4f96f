"""A photo that tells two facts is one photo: protected once, drawn once, and never its own other photo."""

from pathlib import Path

import pandas as pd
import pytest

from bench.core.errors import DataError
from bench.core.progress import quiet
from bench.core.store import ArtifactStore
from bench.stages.base import Workspace
from bench.stages.photos import photo_of_each, protected_share, read_protected, training_pairs
from bench.stages.protect import ProtectSpec
from bench.stages.references import DatasetReference, PinnedPlugin
from bench.stages.synthesize import synthesis_requests
from scenarios.dataset import Dataset, load_dataset, make_dataset, save_dataset


@pytest.fixture
def telling_two(dataset: Dataset, tmp_path: Path) -> Dataset:
    """The first person's second photo is the first one again, with another fact."""
    images = dataset.pairs["image"].tolist()
    images[1] = images[0]
    told = make_dataset("telling", dataset.people, dataset.pairs.assign(image=images), dataset.probes)
    save_dataset(told, tmp_path / "telling")
    return load_dataset(str(tmp_path / "telling"))


def protected_by(name: str, dataset: Dataset, folder: Path) -> dict[str, bytes]:
    """Pair id -> protected photo, by the stage."""
    reference = DatasetReference(str(folder / "telling"), None, dataset.digest)
    spec = ProtectSpec(reference, PinnedPlugin(name, f"bench.defenses.{name}"), {}, "linf", 8, surrogates=(), seed=0)
    artifact = folder / "artifact"
    artifact.mkdir()
    spec.compute(Workspace(ArtifactStore(folder / "store"), artifact, quiet()))
    return read_protected(artifact)


def test_it_is_protected_once(telling_two: Dataset, tmp_path: Path) -> None:
    pairs = training_pairs(telling_two)
    protected = protected_by("noise", telling_two, tmp_path)
    assert list(protected) == pairs["pair_id"].tolist()
    assert protected[pairs["pair_id"][0]] == protected[pairs["pair_id"][1]]
    assert len(set(protected.values())) == len(pairs) - 1


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_both_of_its_pairs_are_protected_or_neither(telling_two: Dataset, ratio: float) -> None:
    pairs = training_pairs(telling_two)
    first, second = pairs["pair_id"][:2]
    own = pairs[pairs["person_id"] == pairs["person_id"][0]]
    seen = set()
    for seed in range(12):
        share = protected_share(pairs, ratio, seed)
        assert (first in share) == (second in share)
        photos = len(share & set(own["pair_id"])) - (first in share)
        assert photos == int(ratio * (len(own) - 1) + 0.5)
        seen.add(first in share)
    assert seen == {True, False}


def test_the_order_of_rows_changes_no_photos_id(telling_two: Dataset) -> None:
    pairs = training_pairs(telling_two)
    turned = photo_of_each(pairs.iloc[::-1])
    assert turned.sort_index().tolist() == photo_of_each(pairs).tolist()


def test_a_face_in_two_places_of_one_photo_is_refused(telling_two: Dataset) -> None:
    pairs = training_pairs(telling_two)
    pairs["face_box"] = [[1, 2, 9, 9], *pairs["face_box"][1:]]
    with pytest.raises(DataError, match=rf"pairs '{pairs['pair_id'][0]}' and '{pairs['pair_id'][1]}' show one photo"):
        photo_of_each(pairs)


def test_two_people_in_equal_bytes_are_two_photos(dataset: Dataset) -> None:
    pairs = training_pairs(dataset)
    same = pd.Series([pairs["image"][0]] * len(pairs))
    assert photo_of_each(pairs.assign(image=same)).nunique() == pairs["person_id"].nunique()


def test_another_photo_of_the_person_shows_who_it_is(telling_two: Dataset) -> None:
    pairs = training_pairs(telling_two)
    shared = dict(zip(pairs["pair_id"], pairs["image"], strict=True))
    for pair_id, request in synthesis_requests(telling_two, shared, 8, seed=0):
        assert request.references != (shared[pair_id],)
