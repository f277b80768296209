"""The flags that say how to decode, of every verb that transcribes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.bundle import Bundle
    from asr.decoding import FusionWeights
    from asr.inference.decoders import Decoding

_NO_MODEL = "none"
HOTWORD_WEIGHT = 8.0
"""Natural logarithm added for a hotword that says no weight of its own."""


def add_decoding_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags named as whisper's and faster-whisper's where those have them."""
    group = parser.add_argument_group("decoding")
    group.add_argument("--beam_size", type=_count, metavar="N", help="prefixes kept; 1: the best path, no search")
    group.add_argument("--lm", metavar="FILE|none", help="a language model (.lm) in place of the bundle's own")
    group.add_argument("--alpha", type=float, metavar="X", help="weight of the language model (default: as tuned)")
    group.add_argument("--beta", type=float, metavar="X", help="added for each word (default: as tuned)")
    group.add_argument("--hotwords", metavar="WORDS", help="words or phrases to expect, commas between; as WORD:WEIGHT")
    group.add_argument("--hotwords_file", type=Path, metavar="FILE", help="the same, one a line")
    group.add_argument("--grammar", type=Path, metavar="FILE", help="only these phrases can be said, one a line")
    group.add_argument("--lexicon", type=Path, metavar="FILE", help="only these words can be said, one a line")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, got {text!r}")
    return int(text)


def decoding_of(arguments: argparse.Namespace, bundle: Bundle, n_best: int = 1) -> Decoding:
    """What the flags say.

    Raises:
        ConfigError: flags that do not go together, or a file that cannot be read.
    """
    from asr.inference.decoders import OWN, Decoding

    model = {None: OWN, _NO_MODEL: None}.get(arguments.lm, arguments.lm)
    return Decoding(
        beam_width=arguments.beam_size,
        language_model=model,
        weights=_weights(arguments, bundle),
        hotwords=_hotwords(arguments, _spelling(bundle)),
        grammar=_lines(arguments.grammar, _spelling(bundle)),
        lexicon=_lines(arguments.lexicon, _spelling(bundle)),
        n_best=n_best,
    )


def _weights(arguments: argparse.Namespace, bundle: Bundle) -> FusionWeights:
    from dataclasses import replace

    given = {name: value for name in ("alpha", "beta") if (value := getattr(arguments, name)) is not None}
    if given and not bundle.language_model and arguments.lm in (None, _NO_MODEL):
        raise ConfigError(
            f"--{' and --'.join(given)} weigh a language model, and {bundle.path} has none; name one: --lm"
        )
    return replace(bundle.decoder.weights, **given)


def _spelling(bundle: Bundle) -> Callable[[str], str]:
    """As the bundle writes: in capitals where it has no small letters."""
    letters = {c for c in bundle.vocabulary.characters if c.isalpha()}
    if all(c.isupper() for c in letters):
        return str.upper
    return str.lower if all(c.islower() for c in letters) else str


def _hotwords(arguments: argparse.Namespace, spell: Callable[[str], str]) -> dict[str, float]:
    entries = (arguments.hotwords or "").split(",") + list(_lines(arguments.hotwords_file, str))
    return dict(_hotword(entry, spell) for entry in entries if entry.strip())


def _hotword(entry: str, spell: Callable[[str], str]) -> tuple[str, float]:
    phrase, colon, weight = entry.rpartition(":")
    if not colon:
        return spell(entry.strip()), HOTWORD_WEIGHT
    try:
        return spell(phrase.strip()), float(weight)
    except ValueError as fault:
        raise ConfigError(f"hotword {entry!r}: after the colon a weight is needed, such as {phrase}:8") from fault


def _lines(path: Path | None, spell: Callable[[str], str]) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path} cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault
    if found := tuple(spell(line.strip()) for line in lines if line.strip()):
        return found
    raise ConfigError(f"{path} has no lines")
