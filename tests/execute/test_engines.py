"""Answering through vLLM: which stages change, in which order they run, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine

from bench.core.digests import digest_bytes
from bench.core.errors import UsageError
from bench.core.store import ArtifactStore
from bench.execute.engines import Backend, chosen_backend, compute_in_order, engine_model
from bench.plan.ingredients import AttackIngredient, DefenseIngredient, Ingredients
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.commands.run.running import default_output
from bench.stages.base import AnswerSpec, DatasetReference, EngineAccess, PinnedTarget, Stage
from bench.plan.suites import load_suite
from bench.targets.base import TargetSpec
from bench.targets.vllm.serving import context_length

QUICK = load_suite("quick").model_copy(update={"attacks": ("naive",)})
FIRST = PinnedTarget(TargetSpec("tiny-llava"), digest_bytes(b"one"))
SECOND = PinnedTarget(TargetSpec("another"), digest_bytes(b"two"))


def planned(backend: str = "transformers") -> Plan:
    """Two targets, one defense, one attack."""
    ingredients = Ingredients(
        dataset=DatasetReference("veilbench-mini", None, digest_bytes(b"photos")),
        dataset_name="veilbench-mini",
        n_photos=140,
        n_probes=1700,
        targets=(FIRST, SECOND),
        surrogates=(FIRST,),
        family_modules={"llava": "bench.targets.llava"},
        defenses={"none": DefenseIngredient({}, "bench.defenses.none", False, False)},
        attacks={"naive": AttackIngredient(replace(QUICK.recipe.recipe(), lora_rank=12))},
        answer_evaluators=("evaluators.leakage",),
        photo_evaluators=("evaluators.image_quality",),
        code_digest=lambda modules: digest_bytes(" ".join(modules).encode()),
        libraries={},
        environment={},
        disclosures=(),
    )
    return build_plan(QUICK, ingredients, backend)


def test_another_backend_computes_the_answers_anew_and_no_fine_tuning() -> None:
    before, after = planned().stages, planned("vllm").stages
    changed = {stage.kind for name, stage in after.items() if stage.key != before[name].key}
    assert changed == {"answer", "score", "record"}


def test_the_record_says_what_answered() -> None:
    records = [stage.spec.content["spec"] for stage in planned("vllm").stages.values() if stage.kind == "record"]
    assert {(spec["backend"], spec["target_family"]) for spec in records} == {("vllm", "llava")}


def test_answers_wait_until_everything_before_them_is_there_and_share_an_engine_a_target(tmp_path: Path) -> None:
    plan, calls = planned("vllm"), []

    def compute(stages: Sequence[Stage], engine: EngineAccess | None) -> None:
        calls.append(([stage.name for stage in stages], engine))

    with FakeEngine() as running:
        backend = Backend("vllm", endpoint=f"{running.url}/")
        compute_in_order(list(plan.stages.values()), backend, ArtifactStore(tmp_path), 2, compute)
    (first, none), (one, engine), (two, _), (last, nothing) = calls
    assert none is None and nothing is None and engine is not None and engine.address == running.url
    assert {plan.stages[name].kind for name in first} == {"protect-none", "quality", "finetune-naive"}
    assert [{plan.stages[name].spec.target for name in names} for names in (one, two)] == [{FIRST}, {SECOND}]
    assert {plan.stages[name].kind for name in last} == {"score", "record"}
    assert sorted([*first, *one, *two, *last]) == sorted(plan.stages)


def test_in_process_answers_take_part_in_one_plan(tmp_path: Path) -> None:
    calls: list[int] = []
    stages = list(planned().stages.values())
    compute_in_order(stages, Backend(), ArtifactStore(tmp_path), 2, lambda given, _: calls.append(len(given)))
    assert calls == [len(stages)]


def test_an_engine_has_room_for_the_rank_that_was_trained() -> None:
    ranks = {stage.spec.lora_rank for stage in planned("vllm").stages.values() if isinstance(stage.spec, AnswerSpec)}
    assert ranks == {0, 12}


def test_an_engine_serves_the_checkpoint_under_a_name_that_tells_its_content(tmp_path: Path) -> None:
    model = engine_model(FIRST, tmp_path, 16, 2)
    assert model.name == f"veilbench-{FIRST.digest[:16]}"
    assert (model.folder / "config.json").exists() and not model.prompt_embeds
    assert (model.max_lora_rank, model.adapters_at_once, model.dtype) == (16, 2, "float32")
    assert model.max_model_len == context_length(model.folder) == 1024


@pytest.mark.parametrize(
    ("name", "command", "endpoint", "sentence"),
    [
        ("transformers", "vllm", "", "add --backend vllm"),
        ("transformers", "", "http://127.0.0.1:1", "add --backend vllm"),
        ("vllm", "vllm", "http://127.0.0.1:1", "give one of the two"),
        ("vllm", "", "127.0.0.1:1", "takes an address such as http://127.0.0.1:8000"),
    ],
)
def test_options_that_do_not_go_together_are_refused(name: str, command: str, endpoint: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        chosen_backend(name, command, endpoint)


def test_a_command_may_have_words_and_results_of_backends_do_not_share_a_folder(tmp_path: Path) -> None:
    assert chosen_backend("vllm", "docker run 'my image'", "").command == ("docker", "run", "my image")
    store = ArtifactStore(tmp_path)
    assert default_output(store, QUICK, 3, None).name == "quick-limit-3"
    assert default_output(store, QUICK, 3, None, "vllm").name == "quick-limit-3-vllm"
