"""A server, or a proxy, that sends the very bytes that a test gives it, and keeps what it was asked."""

import socketserver

from local_server import LocalServer


def http(status: str, body: bytes = b"", **heads: str) -> bytes:
    """A whole reply: ``status`` as in "200 OK"; Content-Length is added, ``retry_after`` becomes Retry-After."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in heads.items())]
    return "\r\n".join([*lines, "Connection: close", f"Content-Length: {len(body)}", "", ""]).encode() + body


class RawServer(LocalServer):
    """Sends ``replies`` in turn, and the last one again and again; ``asked`` are the heads of what came.

    A connection is closed behind its reply. ``url`` is the address while the context lasts.
    """

    def __init__(self, *replies: bytes, host: str = "127.0.0.1") -> None:
        self.replies = list(replies)
        self.asked: list[str] = []
        self.listen(_Server((host, 0), _handler(self)), host)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asks may hang up."""


def _handler(server: RawServer) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            self.rfile.read(int(lengths[0].split(b":")[1]) if lengths else 0)
            server.asked.append(head.decode("latin-1"))
            self.wfile.write(server.replies.pop(0) if len(server.replies) > 1 else server.replies[0])

    return Handler
