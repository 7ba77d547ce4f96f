"""A server that speaks as much of vLLM's HTTP interface as the client needs, and misbehaves when it is told to."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_server import LocalServer

Respond = Callable[[str, dict[str, Any]], dict[str, Any]]
DROP, HALF, SLOW = "drop the connection", "half an answer", "slow"
Trouble = str | int | tuple[int, str]


class FakeEngine(LocalServer):
    """Serves ``models`` at ``url`` while the context lasts; ``respond`` makes the JSON of a completion.

    ``troubles`` says by the request's number (its body's ``number``) what befalls its first tries, one after the
    other: DROP, HALF, SLOW (one second), an HTTP status, a status with what Retry-After says, or None for nothing.
    ``dies_after`` answered completions it is gone for good.
    ``tries`` and ``answered`` count by number, ``headers`` keeps those of the last request.
    """

    def __init__(
        self,
        respond: Respond | None = None,
        models: Sequence[str] = ("base",),
        troubles: Mapping[int, Sequence[Trouble | None]] | None = None,
        dies_after: int | None = None,
        lora: bool = True,
    ) -> None:
        self.respond = respond or _echo
        self.models = list(models)
        self.troubles = {number: list(listed) for number, listed in (troubles or {}).items()}
        self.dies_after = dies_after
        self.lora = lora
        self.tries: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.loaded: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.lock = threading.Lock()
        self.listen(_Server(("127.0.0.1", 0), _handler(self)))

    def die(self) -> None:
        """Be gone for good: whoever asks next is refused the connection."""
        self._server.dead = True
        self._server.socket.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    dead = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break here on purpose."""


def _handler(engine: FakeEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            engine.headers = dict(self.headers)
            self._send(200, {"object": "list", "data": [{"id": name} for name in engine.models]})

        def do_POST(self) -> None:
            engine.headers = dict(self.headers)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if engine._server.dead:
                self._cut()
            elif "lora_name" in body:
                self._adapter(body)
            else:
                self._complete(body)

        def _adapter(self, body: dict[str, Any]) -> None:
            if not engine.lora:
                self._send(404, {"detail": "Not Found"})
            elif self.path.endswith("/load_lora_adapter"):
                engine.loaded[body["lora_name"]] = body["lora_path"]
                self._send(200, "Success")
            elif engine.loaded.pop(body["lora_name"], None) is None:
                self._send(404, {"error": {"message": f"The lora adapter '{body['lora_name']}' cannot be found."}})
            else:
                self._send(200, "Success")

        def _complete(self, body: dict[str, Any]) -> None:
            number = int(body.get("number", 0))
            with engine.lock:
                engine.tries[number] += 1
                listed = engine.troubles.get(number)
                trouble = listed.pop(0) if listed else None
            if isinstance(trouble, int | tuple):
                status, wait = (trouble, "") if isinstance(trouble, int) else trouble
                self._send(status, {"error": {"message": f"trouble {status}", "code": status}}, wait=wait)
            elif trouble == DROP:
                self._cut()
            else:
                time.sleep(1.0 if trouble == SLOW else 0.0)
                self._answer(number, body, trouble)

        def _answer(self, number: int, body: dict[str, Any], trouble: Trouble | None) -> None:
            if body["model"] not in (*engine.models, *engine.loaded):
                self._send(404, {"error": {"message": f"The model `{body['model']}` does not exist."}})
                return
            with engine.lock:
                payload = engine.respond(self.path, body)
                if trouble is None:
                    engine.answered[number] += 1
                last = engine.dies_after is not None and engine.answered.total() >= engine.dies_after
            self._send(200, payload, half=trouble == HALF)
            if last:
                engine.die()

        def _send(self, status: int, payload: Any, half: bool = False, wait: str = "") -> None:
            content = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if wait:
                self.send_header("Retry-After", wait)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if half else content)
            if half:
                self._cut()

        def _cut(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    return Handler


def _echo(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One token: the request's number."""
    return {"choices": [{"token_ids": [body["number"]], "finish_reason": "stop", "logprobs": None}]}
