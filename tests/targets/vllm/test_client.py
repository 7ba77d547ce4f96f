"""Each request is answered exactly once and in order, whatever the line and the engine do in between."""

import re
from pathlib import Path

import pytest
from fake_engine import DROP, HALF, SLOW, FakeEngine
from raw_server import RawServer, http

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
    with pytest.raises(VeilBenchError, match=rf"{re.escape(url)} died or gives no usable answer: 2 tries failed"):
        EngineClient(url, "base", timeout_s=1, attempts=2, backoff=0.01).check()


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "127.1", "localhost", "127.0.0.1"])
def test_an_engine_on_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    reply = http("200 OK", b'{"data": [{"id": "base"}]}')
    with RawServer(b"") as proxy, RawServer(reply, host="0.0.0.0") as engine:
        for variable in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        EngineClient(f"http://{host}:{engine.port}", "base", attempts=1).check()
    assert proxy.asked == []


def test_an_engine_elsewhere_is_asked_through_the_proxy_unless_it_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://engine.invalid:8000"
    with RawServer(http("200 OK", b'{"data": [{"id": "base"}]}')) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        EngineClient(url, "base", attempts=1).check()
        monkeypatch.setenv("NO_PROXY", "engine.invalid")
        with pytest.raises(VeilBenchError, match="1 tries failed"):
            EngineClient(url, "base", attempts=1).check()
    assert [head.splitlines()[0] for head in proxy.asked] == [f"GET {url}/v1/models HTTP/1.1"]


@pytest.mark.parametrize("proxy", ["socks5://u:secret-4711@h", "ftp://secret-4711", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setattr("bench.core.network.addresses.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="the proxy that ALL_PROXY names") as raised:
        EngineClient("http://198.51.100.7:8000", "base")
    assert "4711" not in str(raised.value)
    with FakeEngine() as engine:
        client_of(engine).check()


def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageError, match="does not begin with http"):
        EngineClient("127.0.0.1:8000", "base")


def test_the_key_of_an_endpoint_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", "secret")
    with FakeEngine() as engine:
        client_of(engine).check()
    assert engine.headers["authorization" if "authorization" in engine.headers else "Authorization"] == "Bearer secret"


def test_an_answer_in_another_form_is_one_sentence() -> None:
    sentence = r"cannot be read \(choices.0.token_ids: Field required\); it must be vLLM"
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
