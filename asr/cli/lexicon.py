"""Make a pronouncing dictionary of the words in manifests, texts and language models.

asr lexicon train.jsonl books.lm -o english.lexicon      words of both, from gruut's English dictionary
asr lexicon train.jsonl --language de -o german.lexicon  pip install gruut_lang_de first

A line is a word and its phones, the most usual pronunciation first; mistakes can be corrected by hand. Words that the
dictionary lacks are pronounced as their spelling suggests. asr train data.lexicon=FILE trains a network with phone
outputs, and asr lm tune --lexicon FILE decodes the words of a language model by phones.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asr.cli.normaliser import add_normaliser_or_bundle, chosen_normaliser
from asr.cli.outputs import refuse_overwriting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr lexicon``."""
    parser.add_argument(
        "sources", metavar="FILE", nargs="+", type=Path, help="manifests .jsonl, texts as asr lm train reads them, .lm"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the dictionary to write")
    parser.add_argument(
        "--language", metavar="NAME", default="en", help="language, as gruut names it: en (default), de, fr, …"
    )
    add_normaliser_or_bundle(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look up the words, write the dictionary, and print its size.

    Raises:
        MissingExtraError: gruut is not installed.
        VocabularyError: gruut has no such language installed, or no word can be pronounced.
        LanguageModelError: a file cannot be read.
    """
    from asr.errors import VocabularyError
    from asr.text import Lexicon, write_lexicon
    from asr.text.pronounce import pronounce

    refuse_overwriting("-o", arguments.output, arguments.sources)
    normaliser = chosen_normaliser(arguments)
    words = {word for source in arguments.sources for word in _words(source, normaliser)}
    found = Lexicon(dict(pronounce(sorted(words), arguments.language)))
    if not found.pronunciations:
        raise VocabularyError(f"{', '.join(map(str, arguments.sources))}: no word there can be pronounced")
    write_lexicon(arguments.output, found)
    silent = sorted(words - found.pronunciations.keys())
    left = f"; not pronounced: {len(silent)}, such as {silent[0]}" if silent else ""
    print(
        f"{arguments.output}: {len(found.pronunciations):,} words, {len(found.phones.symbols)} phones{left}",
        file=sys.stderr,
    )
    return 0


def _words(source: Path, normaliser: str) -> set[str]:
    from asr.lm import NgramModel, read_sentences

    if source.suffix.lower() == ".lm":
        return set(NgramModel.open(source).words)
    return {word for block in read_sentences(source, normaliser=normaliser) for word in block.split()}
