"""The attacker who trains on synthesized photos: what is asked of the diffusion model, and what rests on it."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import pytest
from sample_plan import ATTACKS, DEFENSES, RECIPE, sample_ingredients

from bench.core.digests import digest_bytes
from bench.plan.ingredients import AttackIngredient
from bench.plan.planner import build_plan
from bench.plan.suite_files import load_suite
from bench.stages.finetune import training_examples
from bench.stages.photos import SYNTHESIZED_FILE, read_synthesized, shared_photos, training_pairs
from bench.stages.synthesize import synthesis_requests
from bench.targets.base import Synthesis
from scenarios.dataset import Dataset
from scenarios.schema import load_scenarios

SUITE = load_suite("synthesized")
SYNTHESIS = Synthesis(photos_per_pair=4, steps=20, guidance=2.0)


def shared(dataset: Dataset) -> dict[str, bytes]:
    """Pair id -> a photo that can be told from all others."""
    return {pair_id: pair_id.encode() for pair_id in training_pairs(dataset)["pair_id"]}


def test_each_pair_is_asked_for_in_its_scene_with_another_photo_of_the_same_person(dataset: Dataset) -> None:
    pairs = training_pairs(dataset).set_index("pair_id")
    requests = synthesis_requests(dataset, shared(dataset), 3, seed=0)
    assert [pair_id for pair_id, _ in requests] == [pair_id for pair_id in pairs.index for _ in range(3)]
    assert len({request.photo_id for _, request in requests}) == len(requests)
    facts = {person.person_id: person.facts for person in dataset.persons()}
    for pair_id, request in requests:
        row = pairs.loc[pair_id]
        [reference] = (photo.decode() for photo in request.references)
        assert reference != pair_id and pairs.loc[reference, "person_id"] == request.person_id == row["person_id"]
        scenario = load_scenarios()[row["scenario"]]
        assert scenario.option(facts[request.person_id][scenario.id]).scene.phrase in request.prompt
        assert request.prompt.count("a person ") == 1  # nothing but the reference says who it is


def test_requests_follow_the_seed_and_the_shared_photos_only(dataset: Dataset) -> None:
    first = synthesis_requests(dataset, shared(dataset), 2, seed=0)
    assert first == synthesis_requests(dataset, shared(dataset), 2, seed=0)
    assert first != synthesis_requests(dataset, shared(dataset), 2, seed=1)
    # Asking for more photos changes none of those that were asked for before.
    more = {request.photo_id: request for _, request in synthesis_requests(dataset, shared(dataset), 4, seed=0)}
    assert all(more[request.photo_id] == request for _, request in first)
    # The attacker sees what the owner shared: protected photos, and no clean one.
    protected = {pair_id: b"protected " + photo for pair_id, photo in shared(dataset).items()}
    seen = shared_photos(dataset, protected, 1.0, seed=0)
    for _, request in synthesis_requests(dataset, seen, 2, seed=0):
        assert all(photo.startswith(b"protected ") for photo in request.references)


def test_a_target_is_trained_on_the_synthesized_photos_alone(dataset: Dataset, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("synthesized")
    rows = [
        {"photo_id": f"{pair_id}/{number}", "pair_id": pair_id, "image": f"{pair_id} {number}".encode()}
        for pair_id in reversed(list(training_pairs(dataset)["pair_id"]))
        for number in range(2)
    ]
    pd.DataFrame(rows).to_parquet(folder / SYNTHESIZED_FILE, index=False)
    examples = training_examples(dataset, read_synthesized(folder))
    assert [example.photo_id for example in examples] == list(training_pairs(dataset)["pair_id"])
    assert all(
        example.images == tuple(f"{example.photo_id} {number}".encode() for number in range(2)) for example in examples
    )


def stages(**changes: object) -> Mapping[str, str]:
    """Stage name -> key, of the suite's plan, with parts of the synthesizing attack changed."""
    synthesize = replace(AttackIngredient(RECIPE, SYNTHESIS, digest_bytes(b"model")), **changes)
    ingredients = sample_ingredients(
        defenses={label: DEFENSES[label] for label in ("none", "dp2vl")},
        attacks={"naive": ATTACKS["naive"], "synthesize": synthesize},
    )
    return {name: stage.key for name, stage in build_plan(SUITE, ingredients).stages.items()}


def test_only_the_synthesizing_attack_has_the_stage_one_a_defense() -> None:
    names = [name for name in stages() if name.startswith("synthesize ")]
    assert sorted(names) == ["synthesize dp2vl synthesize seed 0", "synthesize none synthesize seed 0"]


@pytest.mark.parametrize(
    "changes",
    [{"synthesis_digest": digest_bytes(b"another")}, {"synthesis": replace(SYNTHESIS, guidance=3.0)}],
)
def test_another_model_or_way_of_synthesis_concerns_that_attack_alone(changes: dict[str, object]) -> None:
    before, after = stages(), stages(**changes)
    changed = {name for name in before if before[name] != after[name]}
    assert {name for name in before if "synthesize" in name} == changed
    assert any(name.startswith("finetune dp2vl synthesize") for name in changed)
