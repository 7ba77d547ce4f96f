"""Whatever a server replies: an answer, or one sentence in its own words, and never the key that it was sent."""

import asyncio
import gzip
import json
import logging
import math
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases
from raw_server import RawServer, http

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.vllm import replies
from bench.targets.vllm.client import EngineClient
from bench.targets.vllm.completions import PLAIN, Completion
from bench.targets.vllm.results import CompletionResult

SECRET = "marked-secret-4711"
ANSWER = {"choices": [{"token_ids": [7], "logprobs": None}]}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", SECRET)


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with RawServer(b"") as running:
        yield running


async def at_once(seconds: float) -> None:
    """Do not sleep."""


def ask(server: RawServer, *said: bytes, scored: tuple[int, ...] = (), **options: Any) -> CompletionResult:
    """What the client makes of these replies to one request."""
    server.replies[:] = said
    limits = {"timeout_s": 5.0, "attempts": 2, "backoff": 0.0, "patience_s": 5.0, "sleep": at_once}
    client = EngineClient(server.url, "base", **{**limits, **options})
    return client.complete([Completion(PLAIN, dict, scored)])[0]


def told(server: RawServer, *said: bytes, **options: Any) -> str:
    """The sentence that these replies end in."""
    with pytest.raises(VeilBenchError) as raised:
        ask(server, *said, **options)
    return str(raised.value)


def as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (http("200 OK", b'{"error": {"message": "out of memory", "code": 400}}'), "with status 400: out of memory"),
        (http("200 OK", b'{"error": "no such adapter"}'), "answered a request with an error: no such adapter"),
        (http("200 OK", b'{"error": {"message": "loading", "code": 503}}'), r"2 tries failed.*503 \(loading\)"),
        (http("200 OK", b"<h1>Welcome</h1>"), "cannot be read .*no JSON object, but '<h1>Welcome</h1>'"),
        (http("200 OK", b"<h1>Hi</h1>", content_type="application/json"), "and no JSON, but '<h1>Hi</h1>'"),
        (http("200 OK"), "status 200 and no JSON"),
        (http("204 No Content"), "status 204 and no JSON"),
        (http("200 OK", b"[1, 2]"), "cannot be read .*no JSON object"),
        (http("200 OK", b"[" * 100_000), r"no JSON object, but '\[\[\["),
        (http("200 OK", b"\xff\xfe\xfd{"), "cannot be read"),
        (http("200 OK", as_json({"choices": []})), "choices: List should have at least 1 item"),
        (http("200 OK", as_json({"choices": [ANSWER["choices"][0]] * 2})), "choices: List should have at most 1 item"),
        (http("200 OK", as_json({"choices": [{"text": None}]})), r"choices\.0\.token_ids: Field required"),
        (http("200 OK", as_json({"choices": [{"token_ids": ["red"]}]})), r"choices\.0\.token_ids\.0: Input should be"),
        (http("200 OK", b'{"choices": [{"token_ids": [1' + b"0" * 40 + b"]}]}"), "should be less than"),
        (http("200 OK", b"\x1f\x8bgarbage", content_encoding="gzip"), "2 tries failed, the last with DecodingError"),
        (http("200 OK", as_json(ANSWER))[:-4], "2 tries failed, the last with RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cho", "2 tries failed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "2 tries failed, the last with RemoteProtocolError"),
        (b"", "2 tries failed"),
        (http("401 Unauthorized", b'{"detail": "who?"}'), r"401 \(a key is taken from .*VEILBENCH_API_KEY\): who\?"),
        (http("403 Forbidden", b"<p>no\n entry</p>"), "403 .*: <p>no entry</p>"),
        (http("404 Not Found", as_json({"error": {"message": f"no {SECRET}"}})), r"404: no \*\*\*$"),
        (http("413 Content Too Large"), "413: Content Too Large"),
        (http("422 X", as_json({"detail": [{"loc": ["body"], "msg": "bad"}]})), "422: .*'msg': 'bad'"),
        (http("500 Oops", b'{"error": null}'), r"500 \("),
        (http("400 Bad Request", as_json({"error": {"message": "x" * 9000}})), "400: x{500}$"),
        (http("307 T", location="http://other.example/v1/completions"), r"on to http://other\.example/v1/comp.*307"),
        (http("308 P", location=f"https://u:{SECRET}@h.example/a?key={SECRET}"), r"on to https://h\.example/a \(s"),
        (http("302 F", location="/login"), r"on to http://127\.0\.0\.1:\d+/login \(status 302"),
        (http("302 F", location="http://[::1"), "302|tries failed"),
        (http("304 Not Modified"), r"sends its requests on \(status 304\)"),
    ],
)  # fmt: skip
def test_a_reply_that_is_no_answer_is_one_sentence_in_the_servers_own_words(
    server: RawServer, reply: bytes, sentence: str
) -> None:
    from re import search

    said = told(server, reply)
    assert search(sentence, said) and "\n" not in said and len(said) < 900


def test_a_redirect_is_not_followed_and_nobody_else_gets_the_key(server: RawServer) -> None:
    with RawServer(http("200 OK", as_json(ANSWER))) as other:
        told(server, http("307 Temporary Redirect", location=f"{other.url}/v1/completions"))
    assert other.asked == [] and f"Bearer {SECRET}" in server.asked[-1]


@pytest.mark.parametrize("form", ["text/plain", "application/json; charset=base64", "application/octet-stream"])
def test_an_answer_is_read_whatever_it_is_called(server: RawServer, form: str) -> None:
    assert ask(server, http("200 OK", as_json({**ANSWER, "usage": None}), content_type=form)).tokens == (7,)
    packed = http("200 OK", gzip.compress(as_json(ANSWER)), content_type=form, content_encoding="gzip")
    assert ask(server, packed).tokens == (7,)


def test_an_answer_larger_than_any_answer_is_refused(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "LARGEST_BODY", 2**20)
    assert "more than 1 MiB" in told(server, http("200 OK", gzip.compress(b" " * 2**22), content_encoding="gzip"))


@pytest.mark.parametrize(
    ("listed", "scores"),
    [
        ([None, {"5": {"logprob": -1.5}}, {"6": {"logprob": -0.5}}], (-1.5, -0.5)),
        ([None, {"5": {"logprob": -1.5}}, {"6": {}}], (-1.5, math.nan)),
        ([None, {"5": {"logprob": None}}, {"6": {"logprob": math.nan}}], (math.nan, math.nan)),
        ([None, None, {}], (math.nan, math.nan)),
        (None, (math.nan, math.nan)),
    ],
)
def test_a_score_that_is_left_out_is_not_known(server: RawServer, listed: Any, scores: tuple[float, ...]) -> None:
    result = ask(server, http("200 OK", as_json({**ANSWER, "prompt_logprobs": listed})), scored=(5, 6))
    assert result.scores == pytest.approx(scores, nan_ok=True)


def test_an_option_that_is_read_as_other_tokens_is_refused(server: RawServer) -> None:
    reply = http("200 OK", as_json({**ANSWER, "prompt_logprobs": [None, {"8": {"logprob": -1}}]}))
    assert "as other tokens than transformers" in told(server, reply, scored=(5,))
    assert "as other tokens than transformers" in told(server, reply, scored=(5, 6, 8))


@pytest.mark.parametrize("listed", [[{"token_id:5": None, "token_id:6": -2}], [None], [], None])
def test_first_tokens_may_be_left_out(server: RawServer, listed: Any) -> None:
    choice = {"token_ids": [7], "logprobs": {"top_logprobs": listed}}
    seen = ask(server, http("200 OK", as_json({"choices": [choice]}))).next
    assert {token for token, value in seen.items() if not math.isnan(value)} <= {6}


def test_a_notebook_may_ask(server: RawServer) -> None:
    async def cell() -> CompletionResult:
        return ask(server, http("200 OK", as_json(ANSWER)))

    assert asyncio.run(cell()).tokens == (7,)


@pytest.mark.parametrize("key", [f"{SECRET}\n", f"  {SECRET}\r\n", f"\t{SECRET}"])
def test_blanks_and_line_ends_around_a_key_are_left_out(
    server: RawServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", key)
    ask(server, http("200 OK", as_json(ANSWER)))
    assert f"Authorization: Bearer {SECRET}\r\n" in server.asked[-1]


@pytest.mark.parametrize("key", [f"{SECRET}ü", f"a\n{SECRET}", f"a {SECRET}", f"{SECRET}\x7f", f"\u200b{SECRET}"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(
    server: RawServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", key)
    with pytest.raises(UsageError, match="VEILBENCH_API_KEY holds a blank") as raised:
        ask(server, b"")
    assert SECRET not in "".join(traceback.format_exception(raised.value))


TEXTS = st.sampled_from(
    ["", "no", SECRET, f"key {SECRET} of http://u:{SECRET}@h/?api_key={SECRET} is no key", "é\ud800"]
)
CONTENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "error", "message", "detail", "code", "token_ids", "logprobs", "prompt_logprobs"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
SPOILED = st.sampled_from(
    [None, "x", -1, 1.5, math.nan, [], {}, [None], [[]], {"content": [{}]}, {"top_logprobs": [1]}]
)
ANSWERS = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries({"token_ids": SPOILED | st.just([7]), "logprobs": SPOILED}), max_size=2
        )
    },
    optional={"prompt_logprobs": SPOILED, "prompt_token_ids": SPOILED, "error": SPOILED | CONTENTS},
)
BODIES = st.one_of(
    st.binary(max_size=40),
    TEXTS.map(lambda text: f"<html>{text}</html>".encode("utf-8", "surrogatepass")),
    (CONTENTS | ANSWERS | st.just(ANSWER)).map(as_json),
)
ADDRESSES = ["/", "http://other.example", f"http://u:{SECRET}@h/?k={SECRET}", "http://[::1", "http://h:99999", "x:", ""]
HEADS = st.fixed_dictionaries(
    {},
    optional={
        "content_type": st.sampled_from(["application/json", "text/html", "application/json; charset=rot13", ";"]),
        "content_encoding": st.sampled_from(["gzip", "deflate", "br", "zstd", "identity", "x"]),
        "transfer_encoding": st.just("chunked"),
        "location": st.sampled_from(ADDRESSES),
        "retry_after": st.sampled_from(["0", "1e9", "-3", "soon", "9" * 400, "Sat, 99 Foo 2026 00:00:00 GMT", "2"]),
        "date": st.sampled_from(["Fri, 31 Dec 9999 23:59:59 GMT", "now"]),
        "set_cookie": st.sampled_from([f"a={SECRET}", ";;=", "a=b; expires=never"]),
        "www_authenticate": st.sampled_from(["Basic", f"Digest nonce={SECRET}", ","]),
    },
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 206, 301, 307, 400, 401, 403, 404, 413, 418, 429, 500, 503]) | (
    st.integers(100, 999)
)


@cases()
@given(
    status=STATUSES, heads=HEADS, body=BODIES, cut=st.none() | st.integers(0, 300), scored=st.sampled_from([(), (7,)])
)
def test_any_reply_is_an_answer_or_one_sentence_without_the_key(
    server: RawServer,
    caplog: pytest.LogCaptureFixture,
    status: int,
    heads: dict[str, str],
    body: bytes,
    cut: int | None,
    scored: tuple[int, ...],
) -> None:
    caplog.clear()
    caplog.set_level(logging.INFO)
    try:
        result = ask(server, http(f"{status} Reason", body, **heads)[:cut], scored=scored)
    except VeilBenchError as error:
        said = "".join(traceback.format_exception(error))
        assert SECRET not in said and SECRET not in repr(error.__dict__)
        assert "\n" not in str(error) and len(str(error)) < 900
    else:
        assert all(type(token) is int and token >= 0 for token in result.tokens)
        assert len(result.scores) == len(scored)
    assert SECRET not in caplog.text
