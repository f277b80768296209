"""Search for leaks from training into the test, so that a result can be trusted.

asr leaks train.jsonl --test test.jsonl                        speakers, recordings, sentences
asr leaks all.jsonl --without_speakers anna,bert --test dev.jsonl     training without these two
asr leaks a.jsonl b.jsonl --test test.jsonl --text books.tar.xz        and the language model's text

Recordings are the same if their decoded samples are, whatever the files' names, tags and containers; a copy compressed
again with loss shows up as a sentence of the same duration. Sentences are normalised, as for scoring, and compared. The
language model's text is searched for the references' 8-grams; it is anything that asr lm train reads.

Exit code: 0 if no speaker and no recording is shared, 1 if some are or cannot be read, 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asr.cli.numbers import whole_number
from asr.cli.progress import table_console, watched
from asr.errors import ConfigError
from asr.files import to_json

if TYPE_CHECKING:
    from asr.data import Utterance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr leaks``."""
    parser.add_argument("train", metavar="TRAIN.jsonl", nargs="+", help="manifests of the training data")
    parser.add_argument("--test", metavar="TEST.jsonl", nargs="+", required=True, help="manifests of the test data")
    parser.add_argument("--text", metavar="FILE", nargs="+", help="text of the language model: .txt, .tar.xz …")
    parser.add_argument(
        "--without_speakers", metavar="NAME,NAME", default="", help="speakers of TRAIN that are left out of training"
    )
    parser.add_argument(
        "--worst", metavar="N", type=whole_number(0), default=5, help="number of examples of each kind (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Search for leaks, and print them.

    Returns:
        0, or 1 if a speaker or a recording is shared, or a recording cannot be read.

    Raises:
        ConfigError: a speaker to leave out does not occur.
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
        print(to_json(options | leaks.to_json(arguments.worst), indent=1))
    else:
        from asr.leaks.console import print_leaks

        print_leaks(leaks, table_console(), arguments.worst)
    return 1 if leaks.serious or leaks.recordings.failures else 0


def _decoding(utterances: list[tuple[Utterance, bool]]) -> Iterable[tuple[Utterance, bool]]:
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
