"""Answering through vLLM: which stages change, in which order they run, and what is refused."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_engine import FakeEngine
from sample_plan import DEFENSES, RECIPE, sample_ingredients

from bench.commands.run.running import default_output
from bench.core.digests import digest_bytes
from bench.core.errors import UsageError, VeilBenchError
from bench.core.store import ArtifactStore
from bench.execute.base import StageFailure
from bench.execute.engines import Backend, check_engines, chosen_backend, compute_in_order, engine_model
from bench.plan.ingredients import AttackIngredient
from bench.plan.plan import Plan
from bench.plan.planner import build_plan
from bench.plan.suite_files import load_suite
from bench.stages.answer import AnswerSpec
from bench.stages.base import EngineAccess, Stage
from bench.stages.references import PinnedTarget
from bench.targets.base import TargetSpec
from bench.targets.vllm.serving import context_length, served_name

QUICK = load_suite("quick").model_copy(update={"attacks": ("naive",)})
FIRST = PinnedTarget(TargetSpec("tiny-llava"), digest_bytes(b"one"))
SECOND = PinnedTarget(TargetSpec("another"), digest_bytes(b"two"))


def planned(backend: str = "transformers") -> Plan:
    """Two targets, one defense, one attack."""
    ingredients = sample_ingredients(
        targets=(FIRST, SECOND),
        defenses={"none": DEFENSES["none"]},
        attacks={"naive": AttackIngredient(replace(RECIPE, lora_rank=12))},
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

    def compute(stages: Sequence[Stage], engine: EngineAccess | None) -> list[StageFailure]:
        calls.append(([stage.name for stage in stages], engine))
        return []

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

    def compute(given: Sequence[Stage], engine: EngineAccess | None) -> list[StageFailure]:
        calls.append(len(given))
        return []

    stages = list(planned().stages.values())
    compute_in_order(stages, Backend(), ArtifactStore(tmp_path), 2, compute)
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
        ("vllm", "", "127.0.0.1:1", "must be an address such as http://127.0.0.1:8000"),
        ("vllm", "", "http://127.0.0.1:99999", "--endpoint .* has a port that is no number from 1 to 65535"),
        ("vllm", "", "http://[::1", "--endpoint .* has brackets without an IPv6 address"),
        ("vllm", "", "http://me:secret@127.0.0.1:1", "holds a user name, a password"),
        ("vllm", "'vllm", "", "--vllm has a quotation mark without its second one"),
    ],
)
def test_options_that_do_not_go_together_are_refused(name: str, command: str, endpoint: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        chosen_backend(name, command, endpoint)


def test_a_command_may_have_words_and_results_of_backends_do_not_share_a_folder(tmp_path: Path) -> None:
    assert chosen_backend("vllm", "docker run 'my image'", "").command == ("docker", "run", "my image")
    store = ArtifactStore(tmp_path)
    assert default_output(store, QUICK, 3).name == "quick-limit-3"
    assert default_output(store, QUICK, 3, "vllm").name == "quick-limit-3-vllm"
    changed = load_suite("quick", ["budget.eps=4"]).with_seed(5)
    names = {default_output(store, suite, None).name for suite in (changed, load_suite("quick", ["budget.eps=2"]))}
    assert len(names) == 2 and all(name.startswith("quick-") for name in names)


def test_engines_are_looked_for_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = list(planned("vllm").stages.values())
    monkeypatch.setattr("bench.execute.engines.LOOKS", 1)
    with FakeEngine(models=[served_name(target.digest) for target in (FIRST, SECOND)]) as running:
        check_engines(stages, Backend("vllm", endpoint=running.url))
        running.models.pop()
        with pytest.raises(UsageError, match=f"not '{served_name(SECOND.digest)}'"):
            check_engines(stages, Backend("vllm", endpoint=running.url))
        assert running.answered.total() == 0
    with pytest.raises(VeilBenchError, match=f"the engine at {running.url} died or gives no usable answer"):
        check_engines(stages, Backend("vllm", endpoint=running.url))
    with pytest.raises(UsageError, match="'no-such-vllm' was not found"):
        check_engines(stages, Backend("vllm", ("no-such-vllm",)))


def test_what_no_engine_could_serve_is_said_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = list(planned("vllm").stages.values())
    with pytest.raises(UsageError, match="lora_rank 600 is more than vLLM serves"):
        many = [replace(one, spec=replace(one.spec, lora_rank=600)) for one in stages if one.kind == "answer"]
        check_engines(many, Backend("vllm", (sys.executable,)))
    monkeypatch.setattr("bench.execute.engines.build_target", lambda spec: SimpleNamespace(spec=spec))
    with pytest.raises(UsageError, match="cannot be served by vLLM: use --backend transformers"):
        check_engines(stages, Backend("vllm", (sys.executable,)))


def test_where_nobody_is_asked_no_engine_is_needed() -> None:
    check_engines([], Backend("vllm", ("no-such-vllm",)))
    check_engines([stage for stage in planned("vllm").stages.values() if stage.kind != "answer"], Backend("vllm"))
    check_engines(list(planned().stages.values()), Backend())


def test_an_engine_that_does_not_start_costs_its_answers_and_what_rests_on_them(tmp_path: Path) -> None:
    plan, computed = planned("vllm"), []

    def compute(stages: Sequence[Stage], engine: EngineAccess | None) -> list[StageFailure]:
        computed.extend(stage.name for stage in stages)
        return []

    stages, store = list(plan.stages.values()), ArtifactStore(tmp_path)
    backend = Backend("vllm", command=(str(tmp_path / "no-such-vllm"),))
    with pytest.raises(UsageError):
        compute_in_order(stages, backend, store, 2, compute)
    computed.clear()
    failures = compute_in_order(stages, backend, store, 2, compute, keep_going=True)
    assert {plan.stages[name].kind for name in computed} == {"protect-none", "quality", "finetune-naive"}
    assert {plan.stages[one.stage].kind for one in failures} == {"answer", "score", "record"}
    assert all(one.rests_on for one in failures if plan.stages[one.stage].kind != "answer")
    assert sorted([*computed, *(one.stage for one in failures)]) == sorted(plan.stages)


def test_what_rests_on_a_failed_fine_tuning_is_not_asked(tmp_path: Path) -> None:
    plan, computed = planned("vllm"), []
    lost = "finetune none naive tiny-llava seed 0"

    def compute(stages: Sequence[Stage], engine: EngineAccess | None) -> list[StageFailure]:
        computed.extend(stage.name for stage in stages)
        return [StageFailure(stage.name, "no luck") for stage in stages if stage.name == lost]

    with FakeEngine() as running:
        backend = Backend("vllm", endpoint=running.url)
        stages = list(plan.stages.values())
        failures = compute_in_order(stages, backend, ArtifactStore(tmp_path), 2, compute, keep_going=True)
    lost_too = {f"{what} none naive tiny-llava seed 0" for what in ("answer", "score", "record")}
    assert {one.stage for one in failures} == {lost, *lost_too}
    assert {one.rests_on for one in failures if one.stage in lost_too} == {lost}
    assert not lost_too & set(computed)
