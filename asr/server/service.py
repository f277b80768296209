"""The parts of a server that all requests share."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from asr.server.admission import Places, Spool, queue_full, too_many_streams
from asr.server.metrics import Metrics, create_metrics
from asr.server.options import ServerOptions
from asr.server.served_models import Models, load_models
from asr.server.worker_pool import WorkerPool


@dataclass(frozen=True)
class Service:
    """A server's parts, but for its sockets.

    Attributes:
        options: what it was told.
        pool: the workers.
        models: what they transcribe by.
        requests: places for transcriptions.
        live: places for live streams.
        spool: room for the bodies of requests.
        metrics: its numbers.
        stopping: set once the server is told to stop; live streams then end.
    """

    options: ServerOptions
    pool: WorkerPool
    models: Models
    requests: Places
    live: Places
    spool: Spool
    metrics: Metrics
    stopping: asyncio.Event


def create_service(options: ServerOptions) -> Service:
    """Load the models and start the workers.

    Raises:
        ConfigError, BundleError: as `load_models`.
    """
    pool = WorkerPool(options.threads or os.cpu_count() or 1)
    models = load_models(options, pool)
    limits = options.limits
    requests, live = Places(limits.requests, queue_full), Places(limits.live, too_many_streams)
    spool = Spool(limits.spool_bytes)
    metrics = create_metrics(
        {
            "asr_transcriptions": ("Transcriptions that are sent, wait or are computed.", lambda: requests.taken),
            "asr_live_streams": ("Live streams that are open.", lambda: live.taken),
            "asr_queue_length": ("Pieces of work that wait for a worker.", lambda: len(pool)),
            "asr_spool_bytes": ("Bytes of the bodies that are on their way.", lambda: spool.held),
        }
    )
    return Service(options, pool, models, requests, live, spool, metrics, asyncio.Event())
