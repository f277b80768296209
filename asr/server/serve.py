"""Run a server until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn

from asr.errors import ConfigError
from asr.server.app import create_app
from asr.server.logs import log
from asr.server.options import ServerOptions
from asr.server.protocol import protocol_within
from asr.server.service import Service

_BACKLOG = 2048
"""Connections that may wait to be accepted."""

_LIVE_S = 5.0
"""Seconds that live streams have for their last words."""


class Server(uvicorn.Server):
    """A uvicorn server that lets live streams finish first, then requests, and ends without an error.

    uvicorn would close WebSockets at once, and end the process by the signal that it was told to stop with.
    """

    def __init__(self, service: Service) -> None:
        """Serve ``service``."""
        limits = service.options.limits
        super().__init__(
            uvicorn.Config(
                create_app(service),
                http=protocol_within(limits),
                ws="websockets-sansio",
                ws_max_size=limits.message_bytes,
                ws_per_message_deflate=False,
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=round(limits.drain_s),
            )
        )
        self.service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening once live streams have had their last words, and end when all requests are answered."""
        log("stopping", requests=self.service.requests.taken, live=self.service.live.taken)
        self.service.stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIVE_S):
                while self.service.live.taken:
                    await asyncio.sleep(0.02)
        last = asyncio.get_running_loop().call_later(0.9 * self.service.options.limits.drain_s, self.service.pool.close)
        await super().shutdown(sockets)
        last.cancel()
        self.service.pool.close()
        log("stopped")

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM, and do not raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(options: ServerOptions) -> socket.socket:
    """Return a socket that is bound, so that what is wrong with an address is known before anything is loaded.

    Raises:
        ConfigError: the address is not this machine's, or the port is taken.
    """
    try:
        (family, kind, number, _, address), *_ = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, number)
    except OSError as fault:
        raise ConfigError(f"{options.host} is no address: {fault.strerror or fault}") from fault
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.setblocking(False)
    except OSError as fault:
        bound.close()
        raise ConfigError(f"cannot listen on {options.host}:{options.port}: {fault.strerror or fault}") from fault
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address of a socket as a client writes it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_files(count: int) -> None:
    """Raise the number of files that this process may have open to ``count``, or as far as is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(service: Service, bound: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    bound.listen(_BACKLOG)  # so that who reads the next line can connect
    allow_files(4 * service.options.limits.connections)
    log("listening", url=url_of(bound), models=list(service.models), threads=service.pool.threads)
    Server(service).run([bound])
