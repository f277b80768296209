"""Options of `asr serve`: what it serves, to whom, and how much at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """How much the server takes, so that no client costs it more.

    Attributes:
        upload_bytes: of one request's body.
        spool_bytes: of the bodies of all requests at once; what is more than 1 MB of a recording lies on the disk.
        audio_s: seconds of decoded audio of one recording.
        channels: of one recording.
        fields: of one form, the recording not counted.
        field_bytes: of one field.
        keywords: hotwords of one request or live stream.
        requests: transcriptions at once, those that are sent and those that wait too.
        live: live streams at once.
        connections: open connections.
        header_s: seconds within which a request's headers come.
        upload_s: seconds within which its body comes, and one more for each ``upload_rate`` bytes.
        upload_rate: bytes a second that a body must at least have.
        send_s: seconds within which the client takes some of the answer.
        message_bytes: of one message of a WebSocket, and of those that wait; the client is read no faster.
        idle_s: seconds after which a live stream on which nothing comes is closed.
        drain_s: seconds that requests have to finish once the server is told to stop.
    """

    upload_bytes: int = 512 << 20
    spool_bytes: int = 2 << 30
    audio_s: float = 4 * 3600.0
    channels: int = 32
    fields: int = 1000
    field_bytes: int = 64 << 10
    keywords: int = 500
    requests: int = 256
    live: int = 100
    connections: int = 1000
    header_s: float = 10.0
    upload_s: float = 30.0
    upload_rate: int = 50_000
    send_s: float = 60.0
    message_bytes: int = 1 << 20
    idle_s: float = 60.0
    drain_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse limits under which nothing could be served."""
        if wrong := next((name for name, value in vars(self).items() if not value > 0), None):
            raise ConfigError(f"{wrong} must be above 0, got {getattr(self, wrong)}")


@dataclass(frozen=True)
class ServerOptions:
    """The models to serve, and to whom.

    Attributes:
        models: bundles, by name or folder; the one that ships by default where none is named.
        aliases: other ids of models → their ids, such as ``whisper-1``.
        precision: ``int8`` or ``float32``; the smaller that a bundle has when None.
        threads: workers; 0 is one a core.
        host: the address to listen on.
        port: the port to listen on; 0 is any that is free.
        api_keys: keys, one of which a client must show; none are asked for where there are none.
        allowed_hosts: host names beside this machine's own, for a server on a loopback address behind a proxy.
        log_transcripts: whether the log has what was said.
        limits: how much the server takes.
    """

    models: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    precision: str | None = None
    threads: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    api_keys: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()
    log_transcripts: bool = False
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse a port that there is not."""
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"a port is from 0 to 65535, got {self.port}")


def read_api_keys(path: Path) -> tuple[str, ...]:
    """Return the keys in a file, one a line.

    Raises:
        ConfigError: the file cannot be read, has no key, or one that a header could not carry.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path} cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault
    keys = tuple(line.strip() for line in lines if line.strip())
    if not keys:
        raise ConfigError(f"{path} has no keys; write one a line")
    for number, key in enumerate(keys, start=1):
        if not all(character.isascii() and (character.isalnum() or character in "-._~") for character in key):
            raise ConfigError(f"{path}: key {number} has a character beside letters, digits, and - . _ ~")
    return keys
