"""The routes."""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from asr.server import operations
from asr.server.access import observed
from asr.server.errors import Refusal
from asr.server.page_files import page, read_page
from asr.server.realtime import realtime
from asr.server.security import guarded
from asr.server.service import Service
from asr.server.transcriptions import Transcriptions
from asr.server.vosk import vosk


def create_app(service: Service) -> ASGIApp:
    """Return the ASGI application of a server."""
    return observed(guarded(Router(routes(service), default=_no_route), service.options), service)


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes: the page, OpenAI's, and those of operators."""
    files = read_page()
    return [
        Route("/", partial(page, files)),
        Route("/page/{name}", partial(page, files)),
        Route("/v1/audio/transcriptions", Transcriptions(service), methods=["POST"]),
        WebSocketRoute("/", partial(vosk, service)),
        WebSocketRoute("/live", partial(vosk, service)),
        WebSocketRoute("/v1/realtime", partial(realtime, service)),
        Route("/v1/models", partial(operations.list_models, service)),
        Route("/v1/models/{name}", partial(operations.show_model, service)),
        Route("/health", operations.health),
        Route("/ready", partial(operations.ready, service)),
        Route("/metrics", partial(operations.metrics, service)),
        Route("/openapi.json", operations.openapi),
    ]


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise Refusal(404, "not-found", f"no route {scope['path'][:200]}")
