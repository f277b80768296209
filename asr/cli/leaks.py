"""What training has in common with the test, so that a result can be trusted.

asr leaks train.jsonl --test test.jsonl                        speakers, recordings, sentences
asr leaks all.jsonl --without_speakers anna,bert --test dev.jsonl     all but those two train
asr leaks a.jsonl b.jsonl --test test.jsonl --text books.tar.xz        and the language model's text

Recordings are the same when their decoded samples are, whatever the files' names, tags and containers; a copy
compressed anew with loss shows as a sentence that lasts as long. Sentences are compared as they are scored, normalised;
of the text, runs of eight words that a reference has too. Text is anything that asr lm train reads.

Exit code: 0 no speaker and no recording on both sides, 1 some are or some could not be read, 2 wrong command line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asr.cli.numbers import whole_number
from asr.cli.progress import table_console, watched
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.data import Utterance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr leaks``."""
    parser.add_argument("train", metavar="TRAIN.jsonl", nargs="+", help="manifests that are trained on")
    parser.add_argument("--test", metavar="TEST.jsonl", nargs="+", required=True, help="manifests that are tested on")
    parser.add_argument("--text", metavar="FILE", nargs="+", help="what the language model is made of: .txt, .tar.xz …")
    parser.add_argument(
        "--without_speakers", metavar="NAME,NAME", default="", help="speakers of TRAIN that are not trained on"
    )
    parser.add_argument("--worst", metavar="N", type=whole_number(0), default=5, help="examples of each (default 5)")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Look for what both sides share, and print it.

    Returns:
        0, or 1 where a speaker or a recording is on both sides, or a recording could not be read.

    Raises:
        ConfigError: a speaker that is to be left out is not there.
        ManifestError, LanguageModelError: a manifest or a text cannot be read.
    """
    from asr.leaks.leaks import find_leaks

    left_out = {name for name in arguments.without_speakers.split(",") if name}
    train = _read(arguments.train)
    if unknown := left_out - {utterance.speaker for utterance in train}:
        raise ConfigError(f"--without_speakers: no utterance to train on is by {', '.join(sorted(unknown))}")
    kept = [utterance for utterance in train if utterance.speaker not in left_out]
    leaks = find_leaks(kept, _read(arguments.test), _text(arguments.text, left_out), _decoding)
    if arguments.json:
        names = {"train": arguments.train, "test": arguments.test, "text": arguments.text}
        options = {"files": names, "without_speakers": sorted(left_out)}
        print(json.dumps(options | leaks.to_json(arguments.worst), ensure_ascii=False, indent=1))
    else:
        from asr.leaks.console import print_leaks

        print_leaks(leaks, table_console(), arguments.worst)
    return 1 if leaks.serious or leaks.recordings.failures else 0


def _decoding(utterances: list[Utterance]) -> Iterable[Utterance]:
    return watched(utterances, len(utterances), "decoding")


def _read(paths: list[str]) -> list[Utterance]:
    from asr.data import read_manifest

    return [utterance for path in paths for utterance in read_manifest(path)]


def _text(paths: list[str] | None, left_out: set[str]) -> Iterator[str] | None:
    from asr.leaks.overlap import NORMALISER
    from asr.lm import read_sentences

    if paths is None:
        return None
    return (block for path in paths for block in read_sentences(path, normaliser=NORMALISER, without_speakers=left_out))
