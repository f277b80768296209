"""The check of who may ask: hosts, origins and keys."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from asr.server.errors import Refusal
from asr.server.options import ServerOptions

_OPEN = ("/health", "/ready", "/", "/page/")
"""Routes that need no key: the page asks for it, and has nothing of the models itself."""

KEY_PROTOCOL = "openai-insecure-api-key."
"""What precedes the key where a browser offers it as a WebSocket's subprotocol, as OpenAI's clients do."""


def guarded(app: ASGIApp, options: ServerOptions) -> ASGIApp:
    """Return ``app`` for known hosts, for pages of its own alone, and for those who have a key.

    A page of another site may resolve its own name to this machine, so that its requests seem to be of the same origin;
    a server that only this machine reaches therefore answers to this machine's names alone.
    """
    hosts = _known_hosts(options)
    digests = [_digest(key) for key in options.api_keys]

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        _check_host(headers.get("host", ""), hosts)
        _check_origin(headers.get("origin"), headers.get("host", ""))
        if digests and not _is_open(scope):
            _check_key(_shown_key(scope, headers), digests)
        await app(scope, receive, send)

    return call


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _known_hosts(options: ServerOptions) -> frozenset[str] | None:
    """Return the names by which the server may be called; None where any will do."""
    if not is_loopback(options.host) and not options.allowed_hosts:
        return None
    return frozenset(name.lower() for name in (*options.allowed_hosts, "localhost", "127.0.0.1", "::1", options.host))


def _check_host(host: str, known: frozenset[str] | None) -> None:
    if known is None:
        return
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name not in known:
        raise Refusal(403, "host", f"this server is not known as {host[:100]!r}; asr serve --allow_host names it so")


def _check_origin(origin: str | None, host: str) -> None:
    if origin is None:
        return
    _, _, of_page = origin.lower().partition("://")
    if not of_page or of_page != host.lower():
        raise Refusal(403, "origin", f"pages of {origin[:100]!r} may not use this server, only its own")


def _is_open(scope: Scope) -> bool:
    if scope["type"] == "websocket":
        return False
    path: str = scope["path"]
    return any(path == route or (route == "/page/" and path.startswith(route)) for route in _OPEN)


def _shown_key(scope: Scope, headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    offered = scope.get("subprotocols") or ()
    return next((name.removeprefix(KEY_PROTOCOL) for name in offered if name.startswith(KEY_PROTOCOL)), "")


def _check_key(shown: str, digests: Sequence[bytes]) -> None:
    """Compare with every key, so that the time taken tells nothing."""
    digest = _digest(shown)
    if not sum(hmac.compare_digest(digest, known) for known in digests):
        raise Refusal(401, "api-key", f"{'this is no key' if shown else 'a key is needed'}: Authorization: Bearer KEY")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def accepted_subprotocol(offered: Sequence[str]) -> str | None:
    """Return the subprotocol to accept: the first that is not a key; None where there is none."""
    return next((name for name in offered if not name.startswith(KEY_PROTOCOL)), None)
