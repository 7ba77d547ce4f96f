"""What a hub or the way to it refuses, as one sentence that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from bench.core.errors import DataError, VeilBenchError
from bench.core.network.secrets import quoted

LOG_IN = "run `hf auth login` or set HF_TOKEN"


@contextmanager
def hub_errors(doing: str, repo: str, endpoint: str) -> Iterator[None]:
    """Turn what the hub's client raises into a ``VeilBenchError``; ``doing`` is such as "push to".

    What does not come from the hub, such as a full disk, goes through unchanged.
    """
    try:
        yield
    except VeilBenchError:
        raise
    # The client wraps what happened in errors of many kinds, RuntimeError and FileNotFoundError among them.
    except Exception as error:
        told = _tell(error, doing, repo, endpoint)
        if told is None:
            raise
        raise told from error


def _tell(error: Exception, doing: str, repo: str, endpoint: str) -> VeilBenchError | None:
    from huggingface_hub import errors

    chain = list(_chain(error))
    if any(isinstance(one, errors.OfflineModeIsEnabled) for one in chain):
        return VeilBenchError(f"HF_HUB_OFFLINE is set: unset it to {doing} {repo}; nothing was sent or fetched.")
    if isinstance(error, ValueError) and "metadata in README.md" in str(error):
        return DataError(f"The hub does not accept the card of {repo}: {quoted(str(error))}")
    answered = next((one for one in chain if isinstance(one, errors.HfHubHTTPError)), None)
    if answered is not None:
        return _refused(answered, doing, repo, endpoint)
    transport = errors.HfHubHTTPError.__mro__[1]  # httpx in one major version of the client, httpx2 in the next
    unreached = next((one for one in chain if isinstance(one, transport)), None)
    if unreached is not None:
        reason = quoted(str(unreached)) or type(unreached).__name__
        return VeilBenchError(
            f"The hub at {endpoint} cannot be reached ({reason}): check the connection and HF_ENDPOINT,"
            f" then try again to {doing} {repo}."
        )
    # A full disk and the like are OSErrors of their own, and are told elsewhere.
    if isinstance(error, ValueError | RuntimeError) or _is_the_clients(error):
        return VeilBenchError(
            f"What answers at {endpoint} was not understood ({quoted(str(error))}): check HF_ENDPOINT,"
            f" then try again to {doing} {repo}."
        )
    return None


def _is_the_clients(error: Exception) -> bool:
    """Whether it is about what a hub has answered: the client's own kind, or a TypeError out of the client."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    raised_in = "" if isinstance(error, OSError) else str(frame.f_globals.get("__name__"))
    return any(name.startswith("huggingface_hub") for name in (type(error).__module__, raised_in))


def _refused(error: Exception, doing: str, repo: str, endpoint: str) -> VeilBenchError:
    from huggingface_hub import errors

    response = error.response  # type: ignore[attr-defined]
    status = response.status_code
    told = quoted(getattr(error, "server_message", None) or "")
    because = f" ({status}: {told})" if told else f" ({status})"
    if isinstance(error, errors.GatedRepoError):
        page = f"{endpoint}/datasets/{repo}"
        return VeilBenchError(f"{repo} is given to those who agree to its terms: agree on {page}, then {LOG_IN}.")
    if isinstance(error, errors.RevisionNotFoundError):
        return DataError(f"{repo} has no such revision{because}: name a branch, a tag or a commit of it.")
    if isinstance(error, errors.RepositoryNotFoundError) or (status == 404 and doing.startswith("read")):
        return DataError(
            f"The hub at {endpoint} has no dataset {repo} that you may see: check the name; where it is private,"
            f" {LOG_IN}."
        )
    if status == 401:
        return VeilBenchError(f"The hub at {endpoint} does not know who asks to {doing} {repo}: {LOG_IN}.")
    if status == 403:
        return VeilBenchError(
            f"The hub does not let you {doing} {repo}{because}: {LOG_IN} with a token that has this right."
        )
    if status in (409, 412):
        return VeilBenchError(f"{repo} changed meanwhile{because} and nothing was committed: try again.")
    if status == 429:
        seconds = response.headers.get("Retry-After", "")
        wait = f"wait {seconds} seconds" if seconds.isdigit() else "wait some minutes"
        return VeilBenchError(
            f"The hub has had too many requests from you{because}: {wait}, then {doing} {repo} again."
        )
    if status >= 500:
        return VeilBenchError(f"The hub has a fault of its own{because}: try again later to {doing} {repo}.")
    return VeilBenchError(f"The hub refuses to {doing} {repo}{because}.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
