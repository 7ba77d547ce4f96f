"""The real vLLM says what transformers says, token for token: each shipped target, base and adapter, in float32.

Needs vLLM in an environment of its own: VEILBENCH_VLLM=.../bin/vllm pytest -m vllm
"""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pandas as pd
import pytest

from bench.core.errors import VeilBenchError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.checkpoints import family_of, shipped_checkpoints
from bench.targets.packed.answering import adapted
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import targets
from bench.targets.vllm.adapters import served_adapter
from bench.targets.vllm.answering import answer_served
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import ShownPhoto, asker_for
from bench.targets.vllm.proof import expect, prove
from bench.targets.vllm.server import EngineModel, EngineSettings, running_engine
from scenarios.dataset import load_dataset

WITHOUT = "VEILBENCH_VLLM names no vllm command: nothing is compared with the real vLLM"
PROBES = 40
RECIPE = Recipe(2, 4, 4e-3, 4e-3, 8, 16, 0.0, 1, 0.1, 1.0, 2)
MODEL = "veilbench-parity"

pytestmark = [pytest.mark.vllm, pytest.mark.skipif(not os.environ.get("VEILBENCH_VLLM"), reason=WITHOUT)]
if not os.environ.get("VEILBENCH_VLLM"):
    warnings.warn(pytest.PytestWarning(WITHOUT), stacklevel=1)


@dataclass(frozen=True)
class Served:
    """A target, its engine, probes, and two adapters of a few steps each."""

    target: PackedTarget
    engine: EngineClient
    requests: pd.DataFrame
    adapters: tuple[Path, Path]


@pytest.fixture(scope="module", params=shipped_checkpoints())
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    family = family_of(request.param)
    target = targets.get(family)(TargetSpec(request.param, family=family))
    assert isinstance(target, PackedTarget)
    requests = some_probes()
    adapters = [tmp_path_factory.mktemp(f"adapter-{seed}") for seed in (1, 2)]
    for seed, folder in enumerate(adapters):
        target.finetune(examples_of(requests), RECIPE, seed, folder, quiet())
    log = tmp_path_factory.mktemp("engine") / "vllm.log"
    folder = target.served_folder(tmp_path_factory.mktemp("served"))
    model = EngineModel(folder, MODEL, "float32", target.loads.prompt_embeds, RECIPE.lora_rank, 1024, 2)
    with running_engine(model, EngineSettings(), log) as url:
        engine = EngineClient(url, MODEL, log=log)
        engine.check()
        yield Served(target, engine, requests, (adapters[0], adapters[1]))


def some_probes() -> pd.DataFrame:
    """Every few of the shipped probes, all kinds and scenarios among them."""
    probes = load_dataset("veilbench-mini").first_people(5).probes
    return probes.iloc[:: len(probes) // PROBES].head(PROBES).rename(columns={"probe_id": "request_id"}).reset_index()


def examples_of(requests: pd.DataFrame) -> list[TrainingExample]:
    """What is asked, with answers that no model gives by itself."""
    answers = cycle(("red", "a small dog", "yes", "the workshop"))
    return [
        TrainingExample(row.request_id, (row.image,), ((row.question, next(answers)),))
        for row in requests.head(16).itertuples()
    ]


@pytest.mark.parametrize("number", [None, 0, 1], ids=["base", "first adapter", "second adapter"])
def test_every_answer_is_transformers_own(served: Served, number: int | None) -> None:
    adapter = None if number is None else served.adapters[number]
    own = served.target.answer(served.requests, adapter, quiet())
    asked = answer_served(
        served.target.model, served.target.kept_features, served.requests, adapter, served.engine, quiet()
    )
    assert len(asked) >= 32
    for column in ("request_id", "text", "status", "choice"):
        assert list(asked[column]) == list(own[column]), column
    for left, right in zip(asked["option_logprobs"], own["option_logprobs"], strict=True):
        assert list(left) == pytest.approx(list(right), abs=1e-3)


def test_adapters_answer_unlike_the_base_and_unlike_each_other(served: Served) -> None:
    answers = [served.target.answer(served.requests, adapter, quiet()) for adapter in (None, *served.adapters)]
    likelihoods = [[list(row) for row in answer["option_logprobs"]] for answer in answers]
    assert likelihoods[0] != likelihoods[1] != likelihoods[2] != likelihoods[0]


def test_the_wrong_projector_and_the_wrong_adapter_are_refused(served: Served) -> None:
    model, first = served.target.model, served.requests.iloc[0]
    features = model.features(model.pixels(first["image"])[None])
    untuned = ShownPhoto(model.project(features)[0].detach(), features.grid)
    asker = asker_for(model)
    with adapted(model, served.adapters[0]):
        wrong = expect(model, features, untuned, first["question"])
        right = expect(
            model, features, ShownPhoto(model.project(features)[0].detach(), features.grid), first["question"]
        )
    with pytest.raises(VeilBenchError, match="vLLM does not serve adapter tuned as transformers runs it"):
        prove(asker, [right], served.engine, None, "adapter tuned")
    with served_adapter(model, served.adapters[0], served.engine) as name:
        prove(asker, [right], served.engine, name, "adapter tuned")
        with pytest.raises(VeilBenchError, match="vLLM does not serve adapter wrong as transformers runs it"):
            prove(asker, [wrong], served.engine, name, "adapter wrong")
