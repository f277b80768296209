"""Flags of whisper's command line: accepted where they ask for what is done here, else answered in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from asr.cli.parser import add_switch
from asr.errors import ConfigError

_DETERMINED = "decoding has no randomness and no second try; leave it out"
_SEARCH = "the beam search has --beam_size, --alpha and --beta; leave it out"
_LETTERS = "the model writes letters, without punctuation; leave it out"
_DETECTOR = "a speech detector of its own says where nobody speaks; leave it out"

_ANSWERS: dict[str, tuple[str, str]] = {
    "--task": ("transcribe", "texts are written in the language that is spoken; leave it out"),
    "--device": ("cpu", "transcription runs on the CPU; leave it out"),
    "--initial_prompt": ("", "no text can be continued; --hotwords favours names and words"),
    "--temperature": ("0 0.0", _DETERMINED),
    "--temperature_increment_on_fallback": ("0 0.0 None", _DETERMINED),
    "--best_of": ("1", _DETERMINED),
    "--compression_ratio_threshold": ("None", _DETERMINED),
    "--logprob_threshold": ("None", _DETERMINED),
    "--patience": ("1 1.0 None", _SEARCH),
    "--length_penalty": ("None", _SEARCH),
    "--suppress_tokens": ("-1", _LETTERS),
    "--prepend_punctuations": ("", _LETTERS),
    "--append_punctuations": ("", _LETTERS),
    "--condition_on_previous_text": ("False", "each stretch of speech is decoded for itself; leave it out"),
    "--carry_initial_prompt": ("False", "no text can be continued; --hotwords favours names and words"),
    "--fp16": ("False", "the CPU computes in int8 or float32; see --precision"),
    "--no_speech_threshold": ("None", _DETECTOR),
    "--hallucination_silence_threshold": ("None", _DETECTOR),
    "--clip_timestamps": ("0", "a recording is transcribed whole; cut it first"),
    "--max_words_per_line": ("", "lines are cut by characters, with --max_line_width"),
}
"""Flag → the values, with spaces between, that ask for what is done anyway, and the answer to any other."""


def add_whisper_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that whisper has and `asr transcribe` needs no help for."""
    group = parser.add_argument_group("as in whisper")
    add_switch(group, "--verbose", help="print [00:12.000 --> 00:15.500] before the text of each segment")
    group.add_argument("--language", metavar="CODE", help="refused if the model hears another")
    group.add_argument("--model_dir", type=Path, metavar="FOLDER", help="look for --model in this folder first")
    for flag, (values, answer) in _ANSWERS.items():
        parser.add_argument(flag, type=_only(values.split(), answer), help=argparse.SUPPRESS)


def _only(values: list[str], answer: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in values:
            raise argparse.ArgumentTypeError(answer)
        return value

    return check


def model_named(arguments: argparse.Namespace) -> str | None:
    """Return the model's name or folder, below ``--model_dir`` if it is there.

    Raises:
        ConfigError: the model's card names another language than ``--language``.
        BundleNotFoundError, BundleCorruptError: there is no such model, or its card cannot be read.
    """
    named: str | None = arguments.model
    if named is not None and arguments.model_dir is not None and (arguments.model_dir / named).is_dir():
        named = str(arguments.model_dir / named)
    if arguments.language is not None:
        _check_language(named, arguments.language)
    return named


def _check_language(named: str | None, language: str) -> None:
    from asr.bundle import find_bundle
    from asr.card import NOT_STATED, read_card
    from asr.languages import code_of

    folder = find_bundle(named)
    hears = read_card(folder).language
    if hears != NOT_STATED and code_of(language) != code_of(hears):
        raise ConfigError(f"--language {language}: the model {folder.name} hears {hears!r}; name one that hears it")
