"""What test servers of this machine share: they run in a thread of their own while their context lasts."""

import socketserver
import threading
from types import TracebackType
from typing import Self


class LocalServer:
    """``listen`` begins to; ``url`` is then the address."""

    def listen(self, server: socketserver.TCPServer, host: str = "127.0.0.1") -> None:
        """Take the port that ``server`` was given."""
        self._server = server
        self.port = server.server_address[1]
        self.url = f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
