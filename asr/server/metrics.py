"""The numbers of `/metrics`, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
_RTF = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)


@dataclass(frozen=True)
class Metrics:
    """The server's numbers; labels have only values of its own, so that no client can make new series.

    Attributes:
        registry: all of them.
        requests: answered requests, by route and status.
        request_s: seconds from the headers of a request to the end of its answer, by route.
        audio_s: seconds of audio transcribed, by model and way (file, live).
        rtf: seconds from the end of an upload to the transcript, over seconds of audio.
        live_step_s: seconds from a packet of a live stream to its answer.
    """

    registry: CollectorRegistry
    requests: Counter
    request_s: Histogram
    audio_s: Counter
    rtf: Histogram
    live_step_s: Histogram

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        return generate_latest(self.registry)


def create_metrics(gauges: dict[str, tuple[str, Callable[[], float]]]) -> Metrics:
    """Return metrics that begin at 0; ``gauges`` maps names to a line of help and what to ask for the value."""
    registry = CollectorRegistry()
    for name, (about, ask) in gauges.items():
        Gauge(name, about, registry=registry).set_function(ask)
    return Metrics(
        registry,
        Counter("asr_requests", "Requests answered.", ("route", "status"), registry=registry),
        Histogram("asr_request_seconds", "Seconds a request took.", ("route",), registry=registry, buckets=_SECONDS),
        Counter("asr_audio_seconds", "Seconds of audio transcribed.", ("model", "way"), registry=registry),
        Histogram(
            "asr_real_time_factor", "Seconds to transcribe, over those of audio.", registry=registry, buckets=_RTF
        ),
        Histogram("asr_live_step_seconds", "Seconds from a packet to its answer.", registry=registry, buckets=_SECONDS),
    )
