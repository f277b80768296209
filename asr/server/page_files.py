"""The page at ``/``: files of the folder ``page``, which a browser may use for nothing but this server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from asr.server.errors import Refusal

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
"""Scripts, styles and connections of this server alone; no frame of another site shows the page."""


def read_page(folder: Path = FOLDER) -> Mapping[str, bytes]:
    """Return the page's files by name; only of kinds that a browser loads."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _MEDIA_TYPES}


async def page(files: Mapping[str, bytes], request: Request) -> Response:
    """Return the file that a request names, the index for ``/``.

    Raises:
        Refusal: the page has no such file.
    """
    name = request.path_params.get("name", INDEX)
    if name not in files:
        raise Refusal(404, "not-found", f"the page has no file {name[:100]!r}")
    tag = f'"{hashlib.sha256(files[name]).hexdigest()[:16]}"'
    headers = {**_HEADERS, "etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(files[name], headers=headers, media_type=_MEDIA_TYPES[Path(name).suffix])
