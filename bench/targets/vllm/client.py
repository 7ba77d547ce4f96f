"""Asking a vLLM server: everything at once, each request answered exactly once, whatever the line does in between."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import UsageError, VeilBenchError
from bench.core.network.addresses import check_proxies, is_this_machine, server_address
from bench.core.network.secrets import quoted, usable_secret
from bench.core.progress import ReportProgress, quiet
from bench.targets.vllm.completions import Completion
from bench.targets.vllm.kept import KeptResults
from bench.targets.vllm.replies import API_KEY, RefusedError, Setback, read_body, read_reply
from bench.targets.vllm.results import CompletionResult, read_result

if TYPE_CHECKING:
    import httpx2

OPEN_CONNECTIONS = 256
EXAMPLE = "http://127.0.0.1:8000"


class EngineClient:
    """One engine at ``url`` (without ``/v1``) that serves ``model`` under that name.

    A lost connection, a timeout (``timeout_s`` seconds a try, waiting in the engine's queue included) and an error on
    the engine's side are tried again, ``attempts`` times in all, after ``backoff``, 2 x ``backoff``, 4 x ``backoff``
    … seconds. Where the engine says how long to wait, that is what is waited, and it costs no try; but for
    ``patience_s`` seconds at most without an answer to any request. ``log`` is the engine's log, named where it dies.
    The key of an endpoint that wants one is taken from the environment variable VEILBENCH_API_KEY. Raises UsageError
    for an address, a key or a proxy that cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str,
        timeout_s: float = 600.0,
        attempts: int = 5,
        backoff: float = 0.5,
        log: Path | None = None,
        patience_s: float = 600.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.url = server_address(url, "the engine's address", EXAMPLE).removesuffix("/v1")
        # An engine on this machine is not behind the proxy that the environment may name.
        self._asks_proxies = not is_this_machine(self.url)
        if self._asks_proxies:
            check_proxies()
        self._key = usable_secret(os.environ.get(API_KEY, ""), API_KEY)
        self.model = model
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.backoff = backoff
        self.log = log
        self.patience_s = patience_s
        self._sleep = sleep
        self._answered = 0

    def check(self) -> None:
        """Raise UsageError where the engine serves another model, VeilBenchError where there is no engine."""
        listed = self._ask_one("GET", "/v1/models")
        try:
            served = [str(entry["id"]) for entry in listed["data"]]
        except (KeyError, TypeError) as error:
            raise UsageError(f"{self.url} is no vLLM endpoint: its /v1/models lists no models.") from error
        if self.model not in served:
            names = ", ".join(f"'{quoted(name)}'" for name in served) or "no model"
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
        except RefusedError as refused:
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
        except RefusedError as refused:
            if refused.status != 404:
                raise

    def complete(
        self,
        completions: Sequence[Completion],
        model: str | None = None,
        report: ReportProgress | None = None,
        kept: KeptResults | None = None,
    ) -> list[CompletionResult]:
        """Hand over all requests at once and return their results in the same order, one each.

        ``model`` is the served adapter's name, or None for the base. What ``kept`` has is not asked for, and what is
        answered is put there at once. Raises VeilBenchError where the engine refuses a request (with its own sentence),
        or dies.
        """
        return _finished(self._complete(completions, model or self.model, report or quiet(), kept or KeptResults(None)))

    async def _complete(
        self, completions: Sequence[Completion], model: str, report: ReportProgress, kept: KeptResults
    ) -> list[CompletionResult]:
        results = kept.read(len(completions))
        slots = asyncio.Semaphore(OPEN_CONNECTIONS)
        async with self._session() as session:

            async def ask(number: int, completion: Completion) -> None:
                payload = await self._ask(session, slots, "POST", completion.path, completion, model)
                results[number] = read_result(completion.scored, payload)
                kept.add(number, results[number])
                report(len(results), len(completions), "requests")

            left = [number for number in range(len(completions)) if number not in results]
            await _all_or_none([ask(number, completions[number]) for number in left])
        return [results[number] for number in range(len(completions))]

    def _ask_one(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        async def ask() -> Any:
            async with self._session() as session:
                return await self._ask(session, asyncio.Semaphore(1), method, path, body, None)

        return _finished(ask())

    def _session(self) -> "httpx2.AsyncClient":
        import httpx2

        return httpx2.AsyncClient(
            base_url=self.url,
            # A try is timed as a whole: a server that sends a byte now and then would never be too slow otherwise.
            timeout=None,
            limits=httpx2.Limits(max_connections=OPEN_CONNECTIONS, max_keepalive_connections=OPEN_CONNECTIONS),
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            trust_env=self._asks_proxies,
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
        tries, waited, answered = 0, 0.0, self._answered
        while True:
            async with slots:
                content = {**body.body(), "model": model} if isinstance(body, Completion) else body
                reply = await self._try_once(session, method, path, content)
                if not isinstance(reply, Setback):
                    self._answered += 1
                    return reply
                if reply.wait:
                    waited = reply.wait + (waited if answered == self._answered else 0.0)
                    answered = self._answered
                    self._check_patience(waited, reply)
                    # With its slot in hand: whoever has not asked yet shall not ask in the meantime either.
                    await self._sleep(reply.wait)
                    continue
            tries += 1
            if tries == self.attempts:
                raise VeilBenchError(
                    f"the engine at {self.url} died or gives no usable answer: {tries} tries failed, the last with "
                    f"{reply.reason}{self._where_its_log_is()}."
                )
            await self._sleep(self.backoff * 2 ** (tries - 1))

    def _check_patience(self, waited: float, reply: Setback) -> None:
        if waited > self.patience_s:
            raise VeilBenchError(
                f"the engine at {self.url} asks to wait {reply.wait:g} s ({reply.reason}), but it is not waited longer "
                f"than {self.patience_s:g} s without an answer{self._where_its_log_is()}: run again later."
            )

    def _where_its_log_is(self) -> str:
        return f"; its log is {self.log}" if self.log is not None else ""

    async def _try_once(self, session: "httpx2.AsyncClient", method: str, path: str, content: Any) -> Any | Setback:
        import httpx2

        try:
            async with asyncio.timeout(self.timeout_s), session.stream(method, path, json=content) as response:
                body = await read_body(response)
        except TimeoutError:
            return Setback(f"no answer within {self.timeout_s:g} s")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return Setback(quoted(f"{type(error).__name__}: {error}").rstrip(": ."))
        return read_reply(self.url, response, body)


def _finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What the work gives, also where the caller is a notebook, which has a loop of its own under way."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _all_or_none(tasks: Sequence[Any]) -> None:
    """Run all; the first that fails ends the others, and its error is the one that is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
