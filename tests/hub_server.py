"""A small hub on 127.0.0.1: what the real client needs to publish a dataset and to load it back, kept in memory.

It answers as the hub documents it: repositories with branches and commits, small files in the commit, large ones by
git LFS, private repositories that only their owner's token opens, and ETags, ranges and commit headers on what it
gives out. It notes every request, counts every large file that it is sent, and fails where a test says so.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml

TOKEN = "hf_token-of-the-owner"
OWNER = "somebody"
LICENCES = ("cc0-1.0", "cc-by-4.0", "apache-2.0", "other")
LARGE_SUFFIXES = (".parquet", ".png", ".jpg")


class Refusal(Exception):
    """An answer with an error status; ``code`` and ``told`` are the hub's own headers."""

    def __init__(self, status: int, told: str, code: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(told)
        self.status, self.told, self.code, self.headers = status, told, code, headers or {}


@dataclass
class Fault:
    """Refuse requests with ``method`` whose path contains ``part``: after ``after`` good ones, ``times`` times."""

    method: str
    part: str
    status: int
    after: int = 0
    times: int = 1_000_000
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """A committed file; a large one is named by its SHA-256, a small one by git's digest of it."""

    content: bytes
    is_large: bool

    @property
    def blob(self) -> str:
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.content)}\n"
        content = pointer.encode() if self.is_large else self.content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.blob


@dataclass
class Repository:
    """Commits hold all files of the dataset at that moment; ``branches`` name commits."""

    private: bool
    commits: dict[str, dict[str, File]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def add(self, branch: str, files: dict[str, File], message: str) -> str:
        content = repr((branch, message, len(self.commits), sorted((name, file.etag) for name, file in files.items())))
        commit = hashlib.sha1(content.encode()).hexdigest()
        self.commits[commit] = files
        self.branches[branch] = commit
        self.messages.append(message)
        return commit

    def commit(self, revision: str) -> str:
        commit = self.branches.get(revision, revision)
        if commit not in self.commits:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    @property
    def files(self) -> dict[str, File]:
        """What ``main`` holds."""
        return self.commits[self.branches["main"]]


class HubServer:
    """The hub. ``url`` is its address while the ``with`` block runs; the file ``spoiled`` goes out back to front."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.sent: list[str] = []
        self.faults: list[Fault] = []
        self.spoiled = ""
        self.lock = threading.Lock()

    def __enter__(self) -> "HubServer":
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add_repository(self, name: str, files: dict[str, bytes], private: bool = False) -> str:
        """A dataset that is there already; return its commit."""
        repository = self.repositories.setdefault(name, Repository(private))
        kept = {path: File(content, path.endswith(LARGE_SUFFIXES)) for path, content in files.items()}
        return repository.add("main", kept, "added by hand")

    def times_sent(self, content: bytes) -> int:
        """How often the body of this large file was sent, also where it was refused then."""
        return self.sent.count(hashlib.sha256(content).hexdigest())

    def asked(self, part: str) -> list[str]:
        """Requests, as "GET /path", whose text contains ``part``."""
        return [request for request in self.requests if part in request]


def use_hub(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str | None = TOKEN) -> None:
    """Let the client in this process know this hub, this token and an empty home, and send large files by LFS.

    The client reads its settings once, when it is imported, which another test may have done before.
    """
    from huggingface_hub import constants, utils

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(url, folder, token).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    utils.close_session()


def environment(url: str, folder: Path, token: str | None = TOKEN) -> dict[str, str]:
    """The environment of a process whose client shall know nothing but this hub."""
    kept = {"HF_ENDPOINT": url, "HF_HOME": str(folder), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    return {**kept, "HF_HUB_DISABLE_TELEMETRY": "1", **({"HF_TOKEN": token} if token else {})}


class _Handler(BaseHTTPRequestHandler):
    """One request. Every route is a method that returns status, headers and body, or raises a refusal."""

    protocol_version = "HTTP/1.1"
    # Head and body leave together: apart, each answer would wait 40 ms for the client's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server_state: HubServer

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def _answer(self) -> None:
        address = urlsplit(self.path)
        self.query = parse_qs(address.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            self.body = self._chunks()
        hub = self.server_state
        with hub.lock:
            hub.requests.append(f"{self.command} {address.path}")
            try:
                status, headers, body = self._route(address.path)
            except Refusal as refusal:
                headers = {"X-Error-Message": refusal.told, "Content-Type": "application/json", **refusal.headers}
                if refusal.code:
                    headers["X-Error-Code"] = refusal.code
                status, body = refusal.status, json.dumps({"error": refusal.told}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _route(self, path: str) -> "Answer":
        if path.startswith("/lfs/") and self.command == "PUT":
            self.server_state.sent.append(path.removeprefix("/lfs/"))
        self._fail_where_asked(path)
        self._check_token()
        for method, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                return answer(self, *(unquote(part) for part in match.groups()))
        raise Refusal(404, f"no such page: {self.command} {path}")

    def _fail_where_asked(self, path: str) -> None:
        for fault in self.server_state.faults:
            if self.command == fault.method and fault.part in path:
                if fault.after:
                    fault.after -= 1
                elif fault.times:
                    fault.times -= 1
                    raise Refusal(fault.status, "refused on purpose", headers=fault.headers)

    # Who asks

    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _check_token(self) -> None:
        if self._token() not in ("", TOKEN):
            raise Refusal(401, "Invalid credentials in Authorization header")

    def _owner_only(self) -> None:
        if not self._token():
            raise Refusal(401, "Invalid username or password.")

    def _repository(self, name: str) -> Repository:
        found = self.server_state.repositories.get(name)
        if found is None or (found.private and not self._token()):
            raise Refusal(404 if self._token() else 401, "Repository not found", "RepoNotFound")
        return found

    # Accounts and repositories

    def whoami(self) -> "Answer":
        self._owner_only()
        return _json({"type": "user", "name": OWNER, "auth": {"type": "access_token"}})

    def create(self) -> "Answer":
        self._owner_only()
        asked = json.loads(self.body)
        name = f"{asked['organization'] or OWNER}/{asked['name']}"
        if asked["type"] != "dataset":
            raise Refusal(400, "only datasets are kept here")
        if asked["organization"] not in (None, OWNER):
            raise Refusal(403, f"You don't have the rights to create a dataset under the namespace {name}")
        if name in self.server_state.repositories:
            raise Refusal(409, "You already created this dataset repo")
        private = asked.get("visibility") == "private" or asked.get("private") is True
        repository = self.server_state.repositories[name] = Repository(private)
        repository.add("main", {".gitattributes": File(b"*.parquet filter=lfs\n", False)}, "initial commit")
        return _json({"url": f"{self.server_state.url}/datasets/{name}", "name": name})

    def create_branch(self, name: str, branch: str) -> "Answer":
        self._owner_only()
        repository = self._repository(name)
        if branch in repository.branches:
            raise Refusal(409, "Reference already exists")
        repository.branches[branch] = repository.branches["main"]
        return _json({})

    def validate_card(self) -> "Answer":
        head = yaml.safe_load(json.loads(self.body)["content"].split("---\n")[1])
        if head.get("license", "other") not in LICENCES:
            told = f'"license" must be one of [{", ".join(LICENCES)}]'
            return 400, {"Content-Type": "application/json"}, json.dumps({"errors": [{"message": told}]}).encode()
        return _json({"errors": [], "warnings": []})

    def page(self) -> "Answer":
        return 200, {"Content-Type": "text/html"}, b"<html>a page for people</html>"

    # What there is

    def information(self, name: str, revision: str = "main") -> "Answer":
        repository = self._repository(name)
        commit = repository.commit(revision)
        siblings = [{"rfilename": path} for path in sorted(repository.commits[commit])]
        described = {"id": name, "sha": commit, "private": repository.private, "gated": False, "disabled": False}
        return _json({**described, "siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def history(self, name: str, revision: str) -> "Answer":
        repository = self._repository(name)
        repository.commit(revision)
        dated = {"title": "", "message": "", "date": "2030-01-01T00:00:00.000Z", "authors": [{"user": OWNER}]}
        return _json([{"id": commit, **dated} for commit in reversed(repository.commits)])

    def tree(self, name: str, revision: str, folder: str = "") -> "Answer":
        repository = self._repository(name)
        files = repository.commits[repository.commit(revision)]
        start = f"{folder}/" if folder else ""
        inside = [path for path in sorted(files) if path.startswith(start)]
        if folder and not inside:
            raise Refusal(404, f"{folder} does not exist", "EntryNotFound")
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        rest = {path: path.removeprefix(start) for path in inside}
        folders = sorted({start + one.rpartition("/")[0] for one in rest.values() if "/" in one})
        entries = [_folder(one) for one in folders if recursive or "/" not in one.removeprefix(start)]
        return _json(entries + [_entry(path, files[path]) for path in inside if recursive or "/" not in rest[path]])

    def paths_info(self, name: str, revision: str) -> "Answer":
        repository = self._repository(name)
        files = repository.commits[repository.commit(revision)]
        is_form = "json" not in (self.headers.get("Content-Type") or "")
        asked = parse_qs(self.body.decode())["paths"] if is_form else json.loads(self.body)["paths"]
        found = [_entry(path, files[path]) for path in asked if path in files]
        folders = [path for path in asked if path and any(one.startswith(f"{path}/") for one in files)]
        return _json(found + [_folder(path) for path in folders])

    def resolve(self, name: str, revision: str, path: str) -> "Answer":
        repository = self._repository(name)
        commit = repository.commit(revision)
        if path not in repository.commits[commit]:
            raise Refusal(404, f"{path} does not exist", "EntryNotFound", {"X-Repo-Commit": commit})
        file = repository.commits[commit][path]
        headers = {"ETag": f'"{file.etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if file.is_large:
            headers |= {"X-Linked-Size": str(len(file.content)), "X-Linked-ETag": f'"{file.etag}"'}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if self.command == "HEAD" or wanted is None:
            content = bytes(reversed(file.content)) if path == self.server_state.spoiled else file.content
            return 200, {**headers, "Content-Length": str(len(content))}, content
        first, last = int(wanted[1]), min(int(wanted[2] or len(file.content)), len(file.content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(file.content)}"
        return 206, headers, file.content[first : last + 1]

    # What is sent

    def preupload(self, name: str, revision: str) -> "Answer":
        self._owner_only()
        files = self._repository(name).commits[self._repository(name).commit(revision)]
        answers = [
            {
                "path": asked["path"],
                "uploadMode": "lfs" if asked["path"].endswith(LARGE_SUFFIXES) else "regular",
                "shouldIgnore": False,
                **({"oid": files[asked["path"]].etag} if asked["path"] in files else {}),
            }
            for asked in json.loads(self.body)["files"]
        ]
        return _json({"files": answers})

    def batch(self, name: str) -> "Answer":
        self._owner_only()
        self._repository(name)
        objects = []
        for asked in json.loads(self.body)["objects"]:
            upload = {"href": f"{self.server_state.url}/lfs/{asked['oid']}"}
            verify = {"href": f"{self.server_state.url}/lfs-verify"}
            actions = (
                {} if asked["oid"] in self.server_state.blobs else {"actions": {"upload": upload, "verify": verify}}
            )
            objects.append({"oid": asked["oid"], "size": asked["size"], **actions})
        return _json({"transfer": "basic", "objects": objects})

    def put(self, oid: str) -> "Answer":
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refusal(400, "the content is not what its name says")
        self.server_state.blobs[oid] = self.body
        return 200, {}, b""

    def verify(self) -> "Answer":
        asked = json.loads(self.body)
        if len(self.server_state.blobs.get(asked["oid"], b"")) != asked["size"]:
            raise Refusal(422, "the file did not arrive")
        return _json({})

    def commit(self, name: str, branch: str) -> "Answer":
        self._owner_only()
        repository = self._repository(name)
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        parent = repository.branches[branch]
        if header.get("parentCommit", parent) != parent:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repository.commits[parent])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = File(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                files[value["path"]] = File(self.server_state.blobs[value["oid"]], True)
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = repository.add(branch, files, header["summary"])
        url = f"{self.server_state.url}/datasets/{name}/commit/{commit}"
        return _json({"success": True, "commitOid": commit, "commitUrl": url})


Answer = tuple[int, dict[str, str], bytes]
_NAME = r"([^/]+/[^/]+)"
_ROUTES: tuple[tuple[tuple[str, ...], str, Callable[..., Answer]], ...] = (
    (("GET", "POST"), "/web/.*", _Handler.page),
    (("GET",), "/api/whoami-v2", _Handler.whoami),
    (("POST",), "/api/repos/create", _Handler.create),
    (("POST",), "/api/validate-yaml", _Handler.validate_card),
    (("POST",), f"/api/datasets/{_NAME}/branch/([^/]+)", _Handler.create_branch),
    (("GET",), f"/api/datasets/{_NAME}", _Handler.information),
    (("GET",), f"/api/datasets/{_NAME}/revision/([^/]+)", _Handler.information),
    (("GET",), f"/api/datasets/{_NAME}/commits/([^/]+)", _Handler.history),
    (("GET",), f"/api/datasets/{_NAME}/tree/([^/]+)", _Handler.tree),
    (("GET",), f"/api/datasets/{_NAME}/tree/([^/]+)/(.+)", _Handler.tree),
    (("POST",), f"/api/datasets/{_NAME}/paths-info/([^/]+)", _Handler.paths_info),
    (("POST",), f"/api/datasets/{_NAME}/preupload/([^/]+)", _Handler.preupload),
    (("POST",), f"/api/datasets/{_NAME}/commit/([^/]+)", _Handler.commit),
    (("POST",), rf"/datasets/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (("PUT",), "/lfs/([0-9a-f]{64})", _Handler.put),
    (("POST",), "/lfs-verify", _Handler.verify),
    (("GET", "HEAD"), f"/datasets/{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
)


def _json(value: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _entry(path: str, file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(file.content), "oid": file.blob}
    if file.is_large:
        entry["lfs"] = {"oid": file.sha256, "size": len(file.content), "pointerSize": 130}
    return entry


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}
