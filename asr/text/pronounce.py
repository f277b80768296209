"""Pronunciations from gruut: its dictionary of a language, and its guess from the spelling of a word it lacks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

from asr.errors import MissingExtraError, VocabularyError
from asr.text.lexicon import Pronunciation

_STRESS = str.maketrans("", "", "ˈˌ")
"""A table that removes stress marks: a network with a short memory cannot tell stressed vowels from unstressed ones."""


def pronounce(words: Iterable[str], language: str = "en") -> Iterator[tuple[str, list[Pronunciation]]]:
    """Yield each word with its pronunciations, the most usual one first; phones are in IPA, without stress.

    Words are looked up in lower case. The pronunciation of a word that the dictionary lacks is guessed from its
    spelling; a word without such a guess, for example a number, is left out.

    Args:
        words: the words to look up.
        language: the language, as gruut's packages are named: ``en``, ``de``, ``es``, ``fr``, …

    Raises:
        MissingExtraError: gruut is not installed.
        VocabularyError: gruut's package for the language is not installed.
    """
    try:
        from gruut.g2p import GraphemesToPhonemes
    except ImportError as missing:
        raise MissingExtraError("a lexicon is made by gruut", "lexicon") from missing
    try:
        data = resources.files(f"gruut_lang_{language}")
    except ModuleNotFoundError as missing:
        raise VocabularyError(f"no words of {language!r} are here; pip install gruut_lang_{language}") from missing
    with resources.as_file(data / "g2p" / "model.crf") as model:
        guess = GraphemesToPhonemes(model)
    with resources.as_file(data / "lexicon.db") as path:
        dictionary = _read(path)
    for word in words:
        spelt = word.lower()
        bare = spelt.strip("'")  # 'TIS, LOVERS': the guess would take the apostrophe for a sound
        ways = dictionary.get(spelt) or dictionary.get(bare) or [tuple(map(_unstressed, guess(bare)))]
        if all(ways):
            yield word, list(dict.fromkeys(ways))


def _read(path: Path) -> dict[str, list[Pronunciation]]:
    """Read all of gruut's dictionary; its table has no index, so a query for each word would take milliseconds."""
    found: dict[str, list[Pronunciation]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as dictionary:
        for word, phones in dictionary.execute("SELECT word, phonemes FROM word_phonemes ORDER BY word, pron_order"):
            found.setdefault(word, []).append(tuple(_unstressed(phones).split()))
    return found


def _unstressed(phones: str) -> str:
    return phones.translate(_STRESS)
