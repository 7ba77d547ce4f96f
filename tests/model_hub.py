"""The small hub of ``hub_server`` as it gives out models: another address, and lines that break in the middle."""

from pathlib import Path

from hub_server import File, HubServer, Repository, _Handler


class ModelHub(HubServer):
    """What it keeps lies under models' addresses. ``broken`` files are cut off in the middle, as often as it says."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[str, int] = {}

    def __enter__(self) -> "ModelHub":
        super().__enter__()
        hub = self

        class Handler(_Handler):
            server_state = hub

            def _route(self, path: str) -> tuple[int, dict[str, str], bytes]:
                name = path.rpartition("/")[2]
                status, headers, content = super()._route(as_dataset(path))
                if self.command == "GET" and hub.broken.get(name):
                    hub.broken[name] -= 1
                    self.close_connection = True
                    headers = {"Content-Length": str(len(content)), **headers}
                    content = content[: len(content) // 2]
                return status, headers, content

        self._server.RequestHandlerClass = Handler
        return self

    def add_model(self, name: str, folder: Path) -> str:
        """Keep the files of a checkpoint's folder; return the commit."""
        files = {
            path.relative_to(folder).as_posix(): File(path.read_bytes(), path.suffix == ".safetensors")
            for path in folder.rglob("*")
            if path.is_file()
        }
        return self.repositories.setdefault(name, Repository(private=False)).add("main", files, "added by hand")

    def fetched(self) -> list[str]:
        """Names of the files that were asked for, in order."""
        asked = [request for request in self.requests if request.startswith("GET ") and "/resolve/" in request]
        return [request.rpartition("/")[2] for request in asked]


def as_dataset(path: str) -> str:
    """The address under which the hub below keeps it."""
    if path.startswith("/api/models/"):
        return path.replace("/api/models/", "/api/datasets/", 1)
    return path if path.startswith(("/api/", "/datasets/", "/lfs")) else f"/datasets{path}"
