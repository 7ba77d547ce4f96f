"""Tokens and passwords on the way to a hub: none shows, whatever goes wrong, and none goes to anybody else."""

import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer, use_hub
from miniature_world import make_dataset
from raw_server import RawServer, http

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.downloading import download_config
from generators.base import BuildOrder
from generators.hub.generator import Hub
from generators.publishing.push import push_dataset
from generators.publishing.shards import write_shards
from scenarios.dataset import save_dataset

SECRET = "hf_marked-secret-4711"
REPO = "somebody/faces"


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    with RawServer(b"") as server:
        use_hub(server.url, tmp_path / "home", monkeypatch, SECRET)
        yield server


def build(tmp_path: Path) -> object:
    return Hub().build(BuildOrder(REPO, tmp_path / "work", None))


def failures(tmp_path: Path) -> Iterator[str]:
    """What is said where the hub is read from, pushed to, and asked for a model: all that a log could hold of it."""
    dataset = make_dataset(1)
    write_shards(dataset, tmp_path / "upload", 2_000)
    (tmp_path / "upload" / "README.md").write_text("---\nconfigs: []\n---\n")
    for attempt in (
        lambda: build(tmp_path),
        lambda: push_dataset(dataset, REPO, tmp_path / "upload"),
        lambda: push_dataset(dataset, REPO, tmp_path / "upload", token=SECRET),
        lambda: download_config("somebody/model"),
    ):
        with pytest.raises(VeilBenchError) as raised:
            attempt()
        assert "\n" not in str(raised.value)
        yield str(raised.value)


REPLIES = [
    http("401 Unauthorized", b"{}", x_error_message=f"no user has {SECRET}"),
    http("403 Forbidden", json.dumps({"error": f"{SECRET} may not"}).encode(), content_type="application/json"),
    http("404 Not Found", f"<html>{SECRET}</html>".encode()),
    http("413 Too Large", f"{SECRET}".encode()),
    http("418 Teapot", b"{}", x_error_message=f"see https://u:{SECRET}@h.example/?api_key={SECRET}"),
    http("302 Found", location=f"http://u:{SECRET}@127.0.0.1:1/?token={SECRET}"),
    http("302 Found", location="http://[::1"),
    http("200 OK", f"<html>{SECRET}</html>".encode(), content_type="application/json"),
    http("200 OK", f'["{SECRET}"]'.encode(), content_type="application/json"),
    http("200 OK", b"{}")[:-3],
    b"",
]


@pytest.mark.parametrize("reply", REPLIES)
def test_no_token_shows_whatever_a_hub_says(
    raw: RawServer, tmp_path: Path, reply: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.replies[:] = [reply]
    for said in failures(tmp_path):
        assert SECRET not in said
    assert any(SECRET in head for head in raw.asked)


@pytest.mark.parametrize("token", [f"{SECRET}ü", f"a {SECRET}", f"{SECRET}\x7f"])
def test_a_token_that_cannot_be_sent_is_refused_before_any_request(
    raw: RawServer, tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UsageError, match=r"the hub's token, HF_TOKEN .* holds a blank") as raised:
        build(tmp_path)
    assert SECRET not in "".join(traceback.format_exception(raised.value)) and raw.asked == []


@pytest.mark.parametrize(
    "address", ["http://u:{}@h", "http://h?key={}", "http://[::1?{}", "http://h:99999", "http://[::1", "h"]
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(
    raw: RawServer, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address.format(SECRET))
    for said in failures(tmp_path):
        assert said.startswith("HF_ENDPOINT ") and SECRET not in said
    assert raw.asked == []


@pytest.mark.parametrize("proxy", [f"socks5://u:{SECRET}@h", f"ftp://{SECRET}@h", f"http://u:{SECRET}"])
def test_a_proxy_that_cannot_be_used_is_one_sentence(
    raw: RawServer, tmp_path: Path, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setattr("bench.core.network.addresses.find_spec", lambda name: None)
    for said in failures(tmp_path):
        assert said.startswith("the proxy that ALL_PROXY names") and SECRET not in said


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "localhost"])
def test_a_hub_on_this_machine_is_never_asked_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    dataset = make_dataset(1)
    save_dataset(dataset, tmp_path / "tables")
    tables = {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir()}
    with RawServer(http("502 Bad Gateway")) as proxy, HubServer("0.0.0.0") as hub:
        hub.add_repository(REPO, tables)
        use_hub(f"http://{host}:{hub.port}", tmp_path / "home", monkeypatch)
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        monkeypatch.setenv("no_proxy", "elsewhere.example")
        for variable in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        assert Hub().build(BuildOrder(REPO, tmp_path / "work", None)).digest == dataset.digest
    assert proxy.asked == []
