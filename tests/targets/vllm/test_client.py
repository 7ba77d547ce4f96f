"""Each request is answered exactly once and in order, whatever the line and the engine do in between."""

import re
from pathlib import Path

import pytest
from fake_engine import DROP, HALF, SLOW, FakeEngine

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import PLAIN, Completion


def numbered(count: int) -> list[Completion]:
    """Requests that are answered with their own number."""

    def body(number: int) -> Completion:
        return Completion(PLAIN, lambda: {"number": number})

    return [body(number) for number in range(count)]


def client_of(engine: FakeEngine, **options: float) -> EngineClient:
    return EngineClient(engine.url, "base", **{"timeout_s": 20.0, "backoff": 0.01, **options})  # type: ignore[arg-type]


def test_hundreds_at_once_come_back_in_order() -> None:
    done: list[int] = []
    with FakeEngine() as engine:
        results = client_of(engine).complete(numbered(600), report=lambda now, total, note: done.append(now))
    assert [result.tokens for result in results] == [(number,) for number in range(600)]
    assert set(engine.tries.values()) == {1} and engine.answered.total() == 600
    assert done == list(range(1, 601))


def test_every_trouble_is_tried_again_and_no_request_is_lost_or_counted_twice() -> None:
    troubles = {3: [DROP], 5: [503, 503], 8: [HALF], 11: [500, DROP, 502], 13: [SLOW], 17: [429]}
    with FakeEngine(troubles=troubles) as engine:
        results = client_of(engine, timeout_s=0.4).complete(numbered(40))
    assert [result.tokens for result in results] == [(number,) for number in range(40)]
    assert engine.tries == {number: len(troubles.get(number, ())) + 1 for number in range(40)}
    assert set(engine.answered.values()) == {1} and len(engine.answered) == 40


def test_waits_double_from_try_to_try() -> None:
    from time import monotonic

    with FakeEngine(troubles={0: [503, 503, 503]}) as engine:
        begun = monotonic()
        client_of(engine, backoff=0.1).complete(numbered(1))
        waited = monotonic() - begun
    assert 0.7 <= waited < 3


def test_an_engine_that_dies_is_one_sentence_with_address_and_log() -> None:
    with FakeEngine(dies_after=10) as engine:
        client = EngineClient(engine.url, "base", timeout_s=5, attempts=3, backoff=0.01, log=Path("engine.log"))
        with pytest.raises(VeilBenchError, match=rf"{re.escape(engine.url)} died .* 3 tries .*log is engine.log\.$"):
            client.complete(numbered(50))


def test_an_engine_that_keeps_failing_is_quoted() -> None:
    with FakeEngine(troubles={2: [503] * 9}) as engine, pytest.raises(VeilBenchError, match=r"503 \(trouble 503\)"):
        client_of(engine).complete(numbered(4))


def test_a_refusal_is_the_engines_own_sentence_and_is_not_tried_again() -> None:
    with FakeEngine(troubles={1: [400]}) as engine, pytest.raises(VeilBenchError, match=r"status 400: trouble 400"):
        client_of(engine).complete(numbered(2))
    assert engine.tries[1] == 1


def test_a_model_that_is_not_served_is_refused() -> None:
    with FakeEngine() as engine, pytest.raises(VeilBenchError, match="The model `other` does not exist"):
        client_of(engine).complete(numbered(1), model="other")


def test_check_names_what_is_served_instead() -> None:
    with FakeEngine(models=("llama",)) as engine:
        with pytest.raises(UsageError, match=r"serves 'llama', not 'base': .*--served-model-name base"):
            client_of(engine).check()
        EngineClient(engine.url + "/v1/", "llama").check()


def test_no_engine_there_is_one_sentence() -> None:
    with FakeEngine() as engine:
        url = engine.url
    with pytest.raises(VeilBenchError, match=rf"{re.escape(url)} died or gives no answer: 2 tries failed"):
        EngineClient(url, "base", timeout_s=1, attempts=2, backoff=0.01).check()


def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"'127\.0\.0\.1:8000' is no address"):
        EngineClient("127.0.0.1:8000", "base")


def test_the_key_of_an_endpoint_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", "secret")
    with FakeEngine() as engine:
        client_of(engine).check()
    assert engine.headers["authorization" if "authorization" in engine.headers else "Authorization"] == "Bearer secret"


def test_an_answer_in_another_form_is_one_sentence() -> None:
    sentence = r"cannot be read \(KeyError: 'token_ids'\); it must be vLLM"
    other_form = FakeEngine(lambda path, body: {"choices": [{"text": "red"}]})
    with other_form as engine, pytest.raises(VeilBenchError, match=sentence):
        client_of(engine).complete(numbered(1))


def test_adapters_are_loaded_and_unloaded_and_what_is_gone_is_no_error(tmp_path: Path) -> None:
    with FakeEngine() as engine:
        client = client_of(engine)
        client.load_adapter("tuned", tmp_path)
        assert engine.loaded == {"tuned": str(tmp_path.resolve())}
        assert client.complete(numbered(1), model="tuned")[0].tokens == (0,)
        client.unload_adapter("tuned")
        client.unload_adapter("tuned")
    assert engine.loaded == {}


def test_an_engine_without_adapters_says_how_it_is_started(tmp_path: Path) -> None:
    with FakeEngine(lora=False) as engine, pytest.raises(VeilBenchError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING=1"):
        client_of(engine).load_adapter("tuned", tmp_path)
