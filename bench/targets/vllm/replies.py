"""What a server's reply to one request is worth: its content, a reason to try again, or a refusal in its own words."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from bench.core.errors import VeilBenchError
from bench.core.network.secrets import quoted

if TYPE_CHECKING:
    import httpx2

API_KEY = "VEILBENCH_API_KEY"
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LARGEST_BODY = 64 * 1024 * 1024
"""Bytes. The log-probabilities of a prompt of 4,096 tokens take half a megabyte."""
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Setback:
    """Why a try failed where another one may help; ``wait`` are the seconds that the server asks for, 0 for none."""

    reason: str
    wait: float = 0.0


class RefusedError(VeilBenchError):
    """The engine understood a request and says no: ``status`` as of HTTP, ``sentence`` its own words."""

    def __init__(self, url: str, status: int, sentence: str) -> None:
        key = f" (a key is taken from the environment variable {API_KEY})" if status in (401, 403) else ""
        how = f"refused a request with status {status}{key}" if status >= 400 else "answered a request with an error"
        super().__init__(f"the engine at {url} {how}: {sentence}")
        self.status = status
        self.sentence = sentence


async def read_body(response: "httpx2.Response") -> bytes | None:
    """The body of a reply as it comes; None where it is larger than LARGEST_BODY."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def read_reply(url: str, response: "httpx2.Response", body: bytes | None) -> Any | Setback:
    """The content of a reply: what its JSON says, or its text where it is none and does not claim to be.

    Raises VeilBenchError where the server at ``url`` sends the request elsewhere, and RefusedError where it says no.
    """
    if response.status_code // 100 == 3:
        raise VeilBenchError(
            f"the engine at {url} sends its requests on{_target(response)} (status {response.status_code}): give the "
            "address at which it answers itself."
        )
    if body is None:
        raise VeilBenchError(f"the engine at {url} gives an answer of more than {LARGEST_BODY // 1024**2} MiB.")
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    status = _status(response, content)
    if status in TRY_AGAIN:
        return Setback(f"status {status} ({_sentence(response, content, text)})", _told_wait(response))
    if status >= 400 or _error(content):
        raise RefusedError(url, status, _sentence(response, content, text))
    if content is None and (not text or "json" in response.headers.get("content-type", "")):
        return Setback(f"status {status} and no JSON, but '{quoted(text)[:100]}'")
    return text if content is None else content


def _status(response: "httpx2.Response", content: Any) -> int:
    """The status, or the one that an error has which came as a success."""
    error = _error(content)
    code = error.get("code") if isinstance(error, dict) else None
    is_worse = response.status_code < 400 and isinstance(code, int) and 400 <= code < 600
    return code if is_worse else response.status_code  # type: ignore[return-value]


def _error(content: Any) -> Any:
    return content.get("error") if isinstance(content, dict) else None


def _sentence(response: "httpx2.Response", content: Any, text: str) -> str:
    """The engine's own words, whichever of its forms they come in."""
    words = _error(content) or content
    if isinstance(words, dict):
        words = words.get("message") or words.get("detail") or words
    return quoted(str(words or text)) or quoted(response.reason_phrase) or "no words"


def _target(response: "httpx2.Response") -> str:
    """Where a redirect leads, as far as it can be told: nothing of it that may be a secret."""
    import httpx2

    try:
        target = response.url.join(response.headers.get("location", ""))
        place = f"{target.scheme}://{target.netloc.decode('ascii')}{target.path}"
    except (httpx2.InvalidURL, ValueError):
        return ""
    return f" to {quoted(place)}" if target != response.url else ""


def _told_wait(response: "httpx2.Response") -> float:
    """Seconds that the head Retry-After asks for, in either of its forms; 0 where it says nothing that makes sense."""
    told = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(told):
        return float(told)
    then = _date(told)
    # The server's own clock, where it shows it: ours may go otherwise.
    now = _date(response.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds()) if then else 0.0


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # A date without a zone is one of Greenwich, as all dates of HTTP are.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
