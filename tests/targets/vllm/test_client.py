"""Each request is answered exactly once and in order, whatever the line and the engine do in between."""

import re
from pathlib import Path

import pytest
from fake_engine import DROP, HALF, SLOW, FakeEngine
from raw_server import RawServer, http

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import PLAIN, Completion
from bench.targets.vllm.kept import KeptResults
from bench.targets.vllm.replies import Setback
from bench.targets.vllm.results import CompletionResult


def numbered(count: int) -> list[Completion]:
    """Requests that are answered with their own number."""

    def body(number: int) -> Completion:
        return Completion(PLAIN, lambda: {"number": number})

    return [body(number) for number in range(count)]


def client_of(engine: FakeEngine, **options: object) -> EngineClient:
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


class Sleeper:
    """Notes how long the client would sleep, and goes on at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_waits_double_from_try_to_try() -> None:
    sleeper = Sleeper()
    with FakeEngine(troubles={0: [503, DROP, 503]}) as engine:
        client_of(engine, backoff=0.1, sleep=sleeper).complete(numbered(1))
    assert sleeper.slept == [0.1, 0.2, 0.4]


def test_what_the_engine_asks_for_is_waited_and_costs_no_try() -> None:
    sleeper = Sleeper()
    with FakeEngine(troubles={0: [(429, "12")] * 7 + [503, (503, "2.5")]}) as engine:
        client_of(engine, backoff=0.1, sleep=sleeper).complete(numbered(1))
    assert sleeper.slept == [12.0] * 7 + [0.1, 2.5]


@pytest.mark.parametrize("told", ["0", "-5", "soon", "nan", "1e9", "", "Sat, 99 Foo 2026 00:00:00 GMT", "２"])
def test_a_wait_that_makes_no_sense_is_as_if_none_were_told(told: str) -> None:
    sleeper, reply = Sleeper(), http("429 Slow Down", retry_after=told)
    with RawServer(reply) as engine, pytest.raises(VeilBenchError, match="3 tries failed, the last with status 429"):
        EngineClient(engine.url, "base", attempts=3, backoff=0.1, sleep=sleeper).check()
    assert sleeper.slept == [0.1, 0.2]


@pytest.mark.parametrize(
    ("told", "wait"), [("Sun, 06 Nov 1994 08:49:49 GMT", 12.0), ("Sun, 06 Nov 1994 08:49:49 -0000", 12.0)]
)
def test_a_date_is_waited_for_by_the_engines_own_clock(told: str, wait: float) -> None:
    sleeper, answer = Sleeper(), http("200 OK", b'{"data": [{"id": "base"}]}')
    busy = http("503 Busy", retry_after=told, date="Sun, 06 Nov 1994 08:49:37 GMT")
    past = http("503 Busy", retry_after="Sun, 06 Nov 1994 08:49:37 GMT")
    with RawServer(busy, past, answer) as engine:
        EngineClient(engine.url, "base", backoff=0.1, sleep=sleeper).check()
    assert sleeper.slept == [wait, 0.1]


@pytest.mark.parametrize("told", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_limit_ends_at_once_in_the_engines_words(told: str) -> None:
    sleeper = Sleeper()
    sentence = r"asks to wait .* \(status 429 \(trouble 429\)\).* longer than 600 s"
    with FakeEngine(troubles={0: [(429, told)]}) as engine, pytest.raises(VeilBenchError, match=sentence):
        client_of(engine, sleep=sleeper).complete(numbered(1))
    assert sleeper.slept == []


def test_the_limit_counts_only_while_nothing_is_answered() -> None:
    sleeper = Sleeper()
    with FakeEngine(troubles={0: [(429, "50")] * 9}) as engine, pytest.raises(VeilBenchError, match="than 120 s"):
        client_of(engine, patience_s=120, sleep=sleeper).complete(numbered(1))
    assert sleeper.slept == [50, 50]
    client, replies = (
        EngineClient("http://127.0.0.1:9", "base", patience_s=120, sleep=sleeper),
        [Setback("busy", 50)] * 6,
    )

    async def answered_elsewhere(*arguments: object) -> object:
        client._answered += 1  # as if another request of the same stage had been
        return replies.pop() if replies else {"data": [{"id": "base"}]}

    client._try_once = answered_elsewhere  # type: ignore[method-assign]
    client.check()


def test_what_was_answered_is_kept_and_only_the_rest_is_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "resume" / "answers.jsonl"
    with FakeEngine(troubles={30: [400]}) as engine:
        with pytest.raises(VeilBenchError, match="status 400"):
            client_of(engine).complete(numbered(40), kept=KeptResults(file))
        kept = KeptResults(file).read(40)
        assert kept and 30 not in kept
        # A process that was killed leaves half a line.
        file.write_text(file.read_text() + '\n{"number": 30, "tok')
        done: list[int] = []
        results = client_of(engine).complete(
            numbered(40), report=lambda now, total, note: done.append(now), kept=KeptResults(file)
        )
    assert [result.tokens for result in results] == [(number,) for number in range(40)]
    assert all(engine.tries[number] == 1 for number in kept) and engine.tries[30] == 2
    assert done == list(range(len(kept) + 1, 41))
    assert KeptResults(file).read(40) == dict(enumerate(results)) and len(KeptResults(file).read(7)) == 7
    KeptResults(file).forget()
    assert KeptResults(file).read(40) == {} and list(file.parent.iterdir()) == []


def test_a_result_is_kept_as_it_was(tmp_path: Path) -> None:
    result = CompletionResult((1, 2), (3,), {4: -0.1, 5: float("-inf")}, (-1 / 3, float("nan")))
    kept = KeptResults(tmp_path / "answers.jsonl")
    kept.add(0, result)
    assert repr(kept.read(1)[0]) == repr(result)


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
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        EngineClient(url, "base", attempts=1).check()
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "engine.invalid")
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
