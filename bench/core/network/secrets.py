"""Keys that go into a request's head, and texts of others in which they must not show."""

import re

from bench.core.errors import UsageError

SHORTEST = 4
"""Characters. What is shorter guards nothing, and would be found in any text."""
HIDDEN = "***"
LONGEST_QUOTE = 500
LONGEST_LOOK = 100_000

_KEY = re.compile(r"[!-~]+")
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^\s/]*@")
_QUERY_IN_ADDRESS = re.compile(r"(?<=://)([^\s?#]*)[?#]\S*")
_known: set[str] = set()


def usable_secret(secret: str, given: str) -> str:
    """A key as it goes into a request's head, without the blanks and line ends around it; '' where there is none.

    ``given`` says what it was taken from. From now on ``quoted`` hides it. Raises UsageError, without repeating the
    key, where no server could be sent it.
    """
    key = secret.strip()
    remember_secret(key)
    if key and not _KEY.fullmatch(key):
        raise UsageError(
            f"{given} holds a blank, a line end or a letter beyond ASCII, as no key does: set it again (it is not "
            "repeated here)."
        )
    return key


def remember_secret(secret: str) -> None:
    """Let ``quoted`` hide this text from now on."""
    if len(secret) >= SHORTEST:
        _known.add(secret)


def quoted(text: str) -> str:
    """What somebody else says, as one line of at most LONGEST_QUOTE characters that tells no secret.

    Hidden are the keys that this process uses, and what an address holds before its '@' and behind its '?'.
    """
    line = "".join(character if character.isprintable() else " " for character in text[:LONGEST_LOOK])
    for secret in sorted(_known, key=len, reverse=True):
        line = line.replace(secret, HIDDEN)
    line = _QUERY_IN_ADDRESS.sub(rf"\1?{HIDDEN}", _USER_IN_ADDRESS.sub(f"{HIDDEN}@", line))
    return " ".join(line.split())[:LONGEST_QUOTE]
