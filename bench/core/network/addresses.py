"""Addresses of servers as people give them: what they may hold, whether they mean this machine, and the way there."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from bench.core.errors import UsageError
from bench.core.network.secrets import remember_secret

_UNPRINTABLE = re.compile(r"[\s\\\x00-\x1f\x7f]")
_SOCKS = ("socks5", "socks5h")


def server_address(text: str, given: str, example: str) -> str:
    """An address as requests are sent to it: without blanks around it, and without a slash at its end.

    ``given`` is what it was given by, such as "--endpoint". Raises UsageError saying what is wrong with it. What is
    refused is never repeated: it may hold a password, in whatever place.
    """
    address = text.strip().rstrip("/")
    wrong = _wrong_with(address)
    if wrong:
        raise UsageError(f"{given} {wrong}: it must be an address such as {example}.")
    return address


def _wrong_with(address: str) -> str:
    if any(character in address for character in "@?#"):
        return (
            "holds a user name, a password, or something behind a '?' or '#', which would be written into logs (it is "
            "not repeated here)"
        )
    if not address.lower().startswith(("http://", "https://")):
        return "does not begin with http:// or https://"
    if _UNPRINTABLE.search(address):
        return "holds a blank, a line end or a backslash"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "has brackets without an IPv6 address between them"
    if not parts.hostname or not _is_host(parts.hostname):
        return "names no host"
    return "" if _has_usable_port(parts) else "has a port that is no number from 1 to 65535"


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _is_host(name: str) -> bool:
    """Whether a request to it can be written at all."""
    import httpx2

    try:
        httpx2.URL(f"http://[{name}]/" if ":" in name else f"http://{name}/")
        # Whoever looks the name up writes it so; an empty or an endless label cannot be.
        return bool(name.encode("idna"))
    except (httpx2.InvalidURL, ValueError):
        return False


def is_this_machine(address: str) -> bool:
    """Whether an address means the machine that we run on, in whatever spelling: localhost, 127.0.0.2, 0, [::1] …"""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost") or host == socket.gethostname().lower():
        return True
    number = _number_of(host)
    if number is None:
        return False
    return number.is_loopback or number.is_unspecified or _is_own(number)


def _number_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        try:
            # "127.1" and "0x7f000001" are spellings that a connection understands.
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return mapped or number


def _is_own(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Only an address of this machine can be listened at."""
    family = socket.AF_INET if number.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as ear:
            ear.bind((str(number), 0))
    except OSError:
        return False
    return True


def check_proxies() -> None:
    """Raise UsageError naming the variable of a proxy that no request can be sent through.

    The proxies' passwords are hidden from now on (see ``quoted``).
    """
    for variable, proxy in _proxies():
        wrong = _wrong_with_proxy(proxy)
        if wrong:
            raise UsageError(f"the proxy that {variable} names {wrong}; set it again, or unset it.")


def _proxies() -> Iterator[tuple[str, str]]:
    found = getproxies()
    for scheme in ("http", "https", "all"):
        if found.get(scheme):
            yield f"{scheme.upper()}_PROXY", found[scheme]


def _wrong_with_proxy(proxy: str) -> str:
    import httpx2

    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        remember_secret(parts.password or "")
        remember_secret(unquote(parts.password or ""))
        usable = httpx2.Proxy(parts.geturl()).url
        if not usable.host or not _has_usable_port(parts):
            return "has no host, or a port that is no number from 1 to 65535"
    except (ValueError, httpx2.InvalidURL):
        return "is none: it must begin with http://, https:// or socks5:// and name a host"
    if usable.scheme in _SOCKS and find_spec("socksio") is None:
        return "is a SOCKS proxy, which needs one more package: pip install 'httpx2[socks]'"
    return ""
