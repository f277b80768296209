"""Serve models over HTTP: OpenAI's transcription route, live text over WebSockets, and a page for people.

asr serve                                          the model that ships, on http://127.0.0.1:8000
asr serve --model an4 runs/mine/bundle --alias whisper-1=an4
asr serve --host 0.0.0.0 --api_key_file keys.txt   for others: behind a proxy that has TLS
asr serve --check                                  load everything, say what would be served, and end

The log is one JSON object a line on stderr. SIGTERM and Ctrl-C let requests finish. docs/http_api.md has the routes.
Exit code: 0 after SIGTERM or Ctrl-C, 1 if it cannot serve, 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import whole_number
from asr.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from asr.server.options import ServerOptions
    from asr.server.service import Service


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr serve``."""
    parser.add_argument(
        "--model", nargs="+", default=(), metavar="NAME|FOLDER", help="bundles (default: that of this package)"
    )
    parser.add_argument(
        "--alias", action="append", default=[], metavar="ID=NAME", help="another id of a model, such as whisper-1=an4"
    )
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 if the bundle has it")
    parser.add_argument("--threads", type=whole_number(0), default=0, metavar="N", help="workers (default: one a core)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=whole_number(0), default=8000, help="0 is any that is free (default: 8000)")
    parser.add_argument("--api_key_file", type=Path, metavar="FILE", help="keys, one a line; clients must show one")
    parser.add_argument(
        "--allow_host", action="append", default=[], metavar="NAME", help="a host name that a proxy passes on"
    )
    parser.add_argument("--log_transcripts", action="store_true", help="write what was said to the log")
    parser.add_argument("--check", action="store_true", help="load everything, say what would be served, and end")
    _add_limits(parser)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    group.add_argument("--max_upload_mb", type=whole_number(1), metavar="N", help="of one recording (default: 512)")
    group.add_argument(
        "--max_audio_s", type=whole_number(1), metavar="N", help="seconds of one recording (default: 14400)"
    )
    group.add_argument(
        "--max_requests",
        type=whole_number(1),
        metavar="N",
        help="transcriptions at once, waiting ones too (default: 256)",
    )
    group.add_argument("--max_live", type=whole_number(1), metavar="N", help="live streams at once (default: 100)")
    group.add_argument("--max_connections", type=whole_number(1), metavar="N", help="open at once (default: 1000)")
    group.add_argument(
        "--drain_s", type=whole_number(1), metavar="N", help="seconds that requests have after SIGTERM (default: 60)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop, or say what would be served.

    Raises:
        MissingExtraError: the extra ``serve`` is not installed.
        ConfigError, BundleError: an argument names what is not there.
    """
    # numpy's products are small here: its threads would take cores from the model. numpy reads this when imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from asr.server import logs
        from asr.server.serve import listen, serve, url_of
        from asr.server.service import create_service
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package == "asr":
            raise
        raise MissingExtraError(f"asr serve needs {package}", "serve") from missing

    options = _options(arguments)
    with listen(options) as bound:
        service = create_service(options)
        if arguments.check:
            print("\n".join(_summary(service, url_of(bound))))
            return 0
        logs.configure()
        serve(service, bound)
    return 0


def _options(arguments: argparse.Namespace) -> ServerOptions:
    from asr.server.options import Limits, ServerOptions, read_api_keys

    given = {
        "upload_bytes": arguments.max_upload_mb and arguments.max_upload_mb << 20,
        "audio_s": arguments.max_audio_s,
        "requests": arguments.max_requests,
        "live": arguments.max_live,
        "connections": arguments.max_connections,
        "drain_s": arguments.drain_s,
    }
    return ServerOptions(
        models=arguments.model,
        aliases=dict(map(_alias, arguments.alias)),
        precision=arguments.precision,
        threads=arguments.threads,
        host=arguments.host,
        port=arguments.port,
        api_keys=read_api_keys(arguments.api_key_file) if arguments.api_key_file else (),
        allowed_hosts=arguments.allow_host,
        log_transcripts=arguments.log_transcripts,
        limits=replace(Limits(), **{name: value for name, value in given.items() if value is not None}),
    )


def _alias(text: str) -> tuple[str, str]:
    alias, equals, name = text.partition("=")
    if not (alias and equals and name):
        raise ConfigError(f"--alias {text}: ID=NAME is needed, such as whisper-1=an4")
    return alias, name


def _summary(service: Service, url: str) -> list[str]:
    """Return the lines that ``--check`` prints."""
    options, limits = service.options, service.options.limits
    lines = [f"{url}, {service.pool.threads} workers, {'with' if options.api_keys else 'without'} keys"]
    for name, model in service.models.items():
        entry = model.describe(name)
        also = f" (alias of {model.id})" if name != model.id else ""
        lines.append(f"model {name}{also}: {entry.get('title', '')}, {entry['language']}, {entry['sample_rate']} Hz")
    lines.append(
        f"at most {limits.requests} transcriptions and {limits.live} live streams at once, "
        f"{limits.upload_bytes >> 20} MB and {limits.audio_s:g} s a recording"
    )
    return lines
