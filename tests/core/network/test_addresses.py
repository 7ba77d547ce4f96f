"""Addresses: what is refused before anything is asked, and which of them are this machine's own."""

import socket
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from bench.core.errors import UsageError
from bench.core.network.addresses import check_proxies, is_this_machine, server_address

EXAMPLE = "http://127.0.0.1:8000"
SECRET = "marked-secret-4711"


@pytest.mark.parametrize(
    "given",
    ["http://127.0.0.1:8000", "https://host.example/prefix/v1", "http://[::1]:80", "HTTP://Host", "http://ü.de"],
)
def test_an_address_stays_as_it_is_but_for_blanks_and_last_slashes(given: str) -> None:
    assert server_address(f" {given}//\n", "--endpoint", EXAMPLE) == given


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("127.0.0.1:8000", "does not begin with http:// or https://"),
        ("", "does not begin with"),
        ("ftp://host", "does not begin with"),
        ("http://[::1", "brackets without an IPv6 address"),
        ("http://[1.2.3.4]", "brackets without an IPv6 address"),
        ("http://host:99999", "a port that is no number from 1 to 65535"),
        ("http://host:0", "a port"),
        ("http://host:eighty", "a port"),
        ("http://host:-1", "a port"),
        ("http:///v1", "names no host"),
        ("http://a..b", "names no host"),
        (f"http://{'a' * 70}.example", "names no host"),
        ("http://my host", "holds a blank"),
        ("http://host\\v1", "holds a blank, a line end or a backslash"),
        ("http://host\n.example", "holds a blank"),
    ],
)
def test_what_is_no_address_is_refused(given: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"^--endpoint .*{wrong}.* such as {EXAMPLE}\\.$"):
        server_address(given, "--endpoint", EXAMPLE)


@pytest.mark.parametrize(
    "given",
    [
        f"http://user:{SECRET}@host",
        f"https://{SECRET}@host",
        f"user:{SECRET}@host",
        f"http://user:{SECRET}",
        f"http://user:{SECRET}%40host",
        f"http://host/v1?api_key={SECRET}",
        f"http://host/v1#{SECRET}",
        f"http://[::1?api_key={SECRET}",
        f"http://us er:{SECRET}",
    ],
)
def test_no_secret_of_an_address_is_repeated(given: str) -> None:
    with pytest.raises(UsageError) as raised:
        server_address(given, "--endpoint", EXAMPLE)
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@cases()
@given(
    st.text("htps:/@?#[]%.0123456789abü \t\n\\", max_size=30)
    | st.tuples(st.sampled_from(["http://", "https://"]), st.text(max_size=12), st.text(":/@0189a", max_size=8)).map(
        "".join
    )
)
def test_any_text_is_an_address_that_can_be_asked_or_refused(text: str) -> None:
    import httpx2

    try:
        address = server_address(text, "--endpoint", EXAMPLE)
    except UsageError:
        return
    assert httpx2.Request("GET", f"{address}/v1/models").url.host
    is_this_machine(address)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "a.localhost", socket.gethostname()),
        *("127.0.0.1", "127.0.0.2", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "0"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]"),
    ],
)
def test_this_machine_in_any_spelling(host: str) -> None:
    assert is_this_machine(f"http://{host}:8000/v1")


@pytest.mark.parametrize(
    "host", ["198.51.100.7", "[2001:db8::1]", "localhost.example", "128.0.0.1", "127.0.0.1.example"]
)
def test_another_machine(host: str) -> None:
    assert not is_this_machine(f"http://{host}:8000")


@pytest.mark.parametrize(
    ("variable", "proxy", "wrong"),
    [
        ("ALL_PROXY", f"socks5://u:{SECRET}@127.0.0.1:1080", r"SOCKS proxy.*pip install 'httpx2\[socks\]'"),
        ("HTTP_PROXY", f"ftp://{SECRET}@x", "must begin with"),
        ("http_proxy", f"socks4://{SECRET}", "must begin with"),
        ("HTTPS_PROXY", f"http://u:{SECRET}", "must begin with"),
        ("HTTPS_PROXY", "http://proxy:99999", "no number from 1 to 65535"),
        ("HTTP_PROXY", "http://[::1", "must begin with"),
        ("HTTP_PROXY", "http://", "no host"),
    ],
)
def test_a_proxy_that_nothing_can_be_sent_through_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, wrong: str
) -> None:
    monkeypatch.setattr("bench.core.network.addresses.find_spec", lambda name: None)
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(UsageError, match=f"{variable.upper()} names .*{wrong}") as raised:
        check_proxies()
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_a_usable_proxy_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pass-word-4711@proxy.example:3128/")
    check_proxies()
