"""Asking a vLLM server: everything at once, each request answered exactly once, whatever the line does in between."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress, quiet
from bench.targets.vllm.completions import Completion, CompletionResult, read_result

if TYPE_CHECKING:
    import httpx2

API_KEY = "VEILBENCH_API_KEY"
OPEN_CONNECTIONS = 256
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class EngineClient:
    """One engine at ``url`` (without ``/v1``) that serves ``model`` under that name.

    A lost connection, a timeout (``timeout_s`` seconds a try, waiting in the engine's queue included) and an error on
    the engine's side are tried again, ``attempts`` times in all, after ``backoff``, 2 x ``backoff``, 4 x ``backoff``
    … seconds. ``log`` is the engine's log, named where it dies. The key of an endpoint that wants one is taken from
    the environment variable VEILBENCH_API_KEY.
    """

    def __init__(
        self,
        url: str,
        model: str,
        timeout_s: float = 600.0,
        attempts: int = 5,
        backoff: float = 0.5,
        log: Path | None = None,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise UsageError(f"'{url}' is no address of an engine: it begins with http:// or https://.")
        # An engine on this machine is not behind the proxy that the environment may name.
        self._on_this_machine = address.hostname in LOOPBACK
        self.url = url.rstrip("/").removesuffix("/v1")
        self.model = model
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.backoff = backoff
        self.log = log

    def check(self) -> None:
        """Raise UsageError where the engine serves another model, VeilBenchError where there is no engine."""
        listed = self._ask_one("GET", "/v1/models")
        try:
            served = [str(entry["id"]) for entry in listed["data"]]
        except (KeyError, TypeError) as error:
            raise UsageError(f"{self.url} is no vLLM endpoint: its /v1/models lists no models.") from error
        if self.model not in served:
            names = ", ".join(f"'{name}'" for name in served) or "no model"
            raise UsageError(
                f"the endpoint {self.url} serves {names}, not '{self.model}': start vLLM on this checkpoint with "
                f"--served-model-name {self.model}, or give another endpoint."
            )

    def load_adapter(self, name: str, folder: Path) -> None:
        """Serve the adapter in ``folder`` under ``name``; it must stay there until it is unloaded.

        Raises VeilBenchError with the engine's own sentence where it refuses.
        """
        # In place, so that trying again after a lost answer is no error.
        wanted = {"lora_name": name, "lora_path": str(folder.resolve()), "load_inplace": True}
        try:
            self._ask_one("POST", "/v1/load_lora_adapter", wanted)
        except _RefusedError as refused:
            if refused.status == 404 and refused.sentence == "Not Found":
                raise VeilBenchError(
                    f"the engine at {self.url} takes no adapters at run time: start it with --enable-lora and "
                    "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 in its environment."
                ) from refused
            raise

    def unload_adapter(self, name: str) -> None:
        """Serve the adapter no longer; one that is not there is no error."""
        try:
            self._ask_one("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        except _RefusedError as refused:
            if refused.status != 404:
                raise

    def complete(
        self, completions: Sequence[Completion], model: str | None = None, report: ReportProgress | None = None
    ) -> list[CompletionResult]:
        """Hand over all requests at once and return their results in the same order, one each.

        ``model`` is the served adapter's name, or None for the base. Raises VeilBenchError where the engine refuses a
        request (with its own sentence), or dies.
        """
        return asyncio.run(self._complete(completions, model or self.model, report or quiet()))

    async def _complete(
        self, completions: Sequence[Completion], model: str, report: ReportProgress
    ) -> list[CompletionResult]:
        results: dict[int, CompletionResult] = {}
        slots = asyncio.Semaphore(OPEN_CONNECTIONS)
        async with self._session() as session:

            async def ask(number: int, completion: Completion) -> None:
                payload = await self._ask(session, slots, "POST", completion.path, completion, model)
                results[number] = read_result(completion, payload)
                report(len(results), len(completions), "requests")

            await _all_or_none([ask(number, completion) for number, completion in enumerate(completions)])
        return [results[number] for number in range(len(completions))]

    def _ask_one(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        async def ask() -> Any:
            async with self._session() as session:
                return await self._ask(session, asyncio.Semaphore(1), method, path, body, None)

        return asyncio.run(ask())

    def _session(self) -> "httpx2.AsyncClient":
        import httpx2

        key = os.environ.get(API_KEY)
        return httpx2.AsyncClient(
            base_url=self.url,
            timeout=httpx2.Timeout(self.timeout_s, pool=None),
            limits=httpx2.Limits(max_connections=OPEN_CONNECTIONS, max_keepalive_connections=OPEN_CONNECTIONS),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=not self._on_this_machine,
        )

    async def _ask(
        self,
        session: "httpx2.AsyncClient",
        slots: asyncio.Semaphore,
        method: str,
        path: str,
        body: Completion | Mapping[str, Any] | None,
        model: str | None,
    ) -> Any:
        """The JSON of a request's answer, after as many tries as it takes."""
        failure = ""
        for attempt in range(self.attempts):
            if attempt:
                await asyncio.sleep(self.backoff * 2 ** (attempt - 1))
            async with slots:
                content = {**body.body(), "model": model} if isinstance(body, Completion) else body
                answer = await self._try_once(session, method, path, content)
            if not isinstance(answer, str):
                return answer[0]
            failure = answer
        where = f"; its log is {self.log}" if self.log is not None else ""
        raise VeilBenchError(
            f"the engine at {self.url} died or gives no answer: {self.attempts} tries failed, the last with "
            f"{failure}{where}."
        )

    async def _try_once(self, session: "httpx2.AsyncClient", method: str, path: str, content: Any) -> tuple[Any] | str:
        """The answer's JSON, or what went wrong where trying again may help."""
        import httpx2

        try:
            response = await session.request(method, path, json=content)
            if response.status_code in TRY_AGAIN:
                return f"status {response.status_code} ({_sentence(response)})"
            if response.status_code >= 400:
                raise _RefusedError(self.url, response.status_code, _sentence(response))
            return (response.json() if "json" in response.headers.get("content-type", "") else response.text,)
        except httpx2.TimeoutException:
            return f"no answer within {self.timeout_s:g} s"
        except (httpx2.TransportError, httpx2.DecodingError, ValueError) as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class _RefusedError(VeilBenchError):
    """The engine understood a request and says no."""

    def __init__(self, url: str, status: int, sentence: str) -> None:
        key = f" (a key is taken from the environment variable {API_KEY})" if status in (401, 403) else ""
        super().__init__(f"the engine at {url} refused a request with status {status}{key}: {sentence}")
        self.status = status
        self.sentence = sentence


async def _all_or_none(tasks: Sequence[Any]) -> None:
    """Run all; the first that fails ends the others, and its error is the one that is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _sentence(response: "httpx2.Response") -> str:
    """The engine's own words, whichever of its forms they come in."""
    try:
        payload = response.json()
    except ValueError:
        return response.text.strip()[:500] or response.reason_phrase
    if isinstance(payload, dict):
        error = payload.get("error", payload)
        if isinstance(error, dict):
            return str(error.get("message") or error.get("detail") or error)
        return str(error)
    return str(payload)
