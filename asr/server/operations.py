"""Answers for operators and for programs that look for models: health, readiness, metrics, models, the API itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from asr import __version__
from asr.server.metrics import MEDIA_TYPE
from asr.server.openapi import describe
from asr.server.served_models import find_model
from asr.server.service import Service
from asr.server.worker_pool import stopping


async def health(request: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"status": "ok", "version": __version__})


async def ready(service: Service, request: Request) -> Response:
    """Say that requests are welcome.

    Raises:
        Refusal: the server is stopping.
    """
    if service.stopping.is_set():
        raise stopping()
    return JSONResponse({"status": "ready", "models": list(service.models)})


async def metrics(service: Service, request: Request) -> Response:
    """Return the server's numbers."""
    return Response(service.metrics.text(), media_type=MEDIA_TYPE)


async def list_models(service: Service, request: Request) -> Response:
    """List the models, their aliases too."""
    listed = [model.describe(name) for name, model in service.models.items()]
    return JSONResponse({"object": "list", "data": listed})


async def show_model(service: Service, request: Request) -> Response:
    """Return the entry of one model.

    Raises:
        BundleNotFoundError: there is no such model.
    """
    name = request.path_params["name"]
    return JSONResponse(find_model(service.models, name).describe(name))


async def openapi(request: Request) -> Response:
    """Return the description of the HTTP routes."""
    return JSONResponse(describe())
