"""Decoding flags, shared by all verbs that transcribe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import whole_number
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.inference import Transcriber
    from asr.inference.decoding_options import Decoding

_NO_MODEL = "none"


def add_decoding_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the decoding flags, named as in whisper and faster-whisper where these have them."""
    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--beam_size", type=whole_number(1), metavar="N", help="prefixes kept; 1 decodes the best path without search"
    )
    group.add_argument("--lm", metavar="FILE|none", help="use this language model (.lm) instead of the bundle's")
    group.add_argument("--alpha", type=float, metavar="X", help="weight of the language model (default: as tuned)")
    group.add_argument("--beta", type=float, metavar="X", help="added for each word (default: as tuned)")
    group.add_argument(
        "--hotwords", metavar="WORDS", help="words or phrases to favour, separated by commas; WORD:WEIGHT sets a weight"
    )
    group.add_argument("--hotwords_file", type=Path, metavar="FILE", help="hotwords, one a line")
    group.add_argument("--grammar", type=Path, metavar="FILE", help="allow only these phrases, one a line")
    group.add_argument("--words", type=Path, metavar="FILE", help="allow only these words, one a line")


_FLAGS = ("beam_size", "lm", "alpha", "beta", "hotwords", "hotwords_file", "grammar", "words")


def decoding_flags(arguments: argparse.Namespace) -> list[str]:
    """List the decoding flags that the command line sets."""
    return [f"--{name}" for name in _FLAGS if getattr(arguments, name) is not None]


def load_model_for(arguments: argparse.Namespace, n_best: int = 1) -> Transcriber:
    """Load the model for ``--model``, ``--precision``, ``--threads`` and the decoding flags.

    Raises:
        ConfigError: flags contradict each other, or a file cannot be read.
        AsrError: as `asr.load_model` raises it.
    """
    from asr.inference import load_model

    decoding = _decoding(arguments, n_best)
    return load_model(arguments.model, precision=arguments.precision, threads=arguments.threads, decoding=decoding)


def _decoding(arguments: argparse.Namespace, n_best: int) -> Decoding:
    from asr.decoding.hotwords import weighed
    from asr.inference.decoding_options import OWN, Decoding

    entries = [*(arguments.hotwords or "").split(","), *_lines(arguments.hotwords_file)]
    return Decoding(
        beam_width=arguments.beam_size,
        language_model={None: OWN, _NO_MODEL: None}.get(arguments.lm, arguments.lm),
        alpha=arguments.alpha,
        beta=arguments.beta,
        hotwords=dict(weighed(entry) for entry in entries if entry.strip()),
        grammar=_lines(arguments.grammar),
        words=_lines(arguments.words),
        n_best=n_best,
    )


def _lines(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path} cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault
    if found := tuple(line.strip() for line in lines if line.strip()):
        return found
    raise ConfigError(f"{path} has no lines")
