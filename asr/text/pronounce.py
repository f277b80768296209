"""How words are said, by gruut: its dictionary of a language, and its guess by the spelling for words not in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import resources

from asr.errors import MissingExtraError, VocabularyError
from asr.text.lexicon import Pronunciation

_STRESS = str.maketrans("", "", "ˈˌ")
"""What a network of short memory cannot be asked: a vowel is the same phone stressed or not."""


def pronounce(words: Iterable[str], language: str = "en") -> Iterator[tuple[str, list[Pronunciation]]]:
    """Yield each word with how it may be said, phones in IPA without stress, the usual way first.

    Words are looked up in lower case. One that the dictionary lacks is said as its spelling suggests; one that suggests
    nothing, such as a number, is left out.

    Args:
        words: to look up.
        language: as gruut's packages are named: ``en``, ``de``, ``es``, ``fr``, …

    Raises:
        MissingExtraError: gruut is not installed.
        VocabularyError: gruut's package of the language is not.
    """
    try:
        from gruut.g2p import GraphemesToPhonemes
    except ImportError as missing:
        raise MissingExtraError("a lexicon is made by gruut; pip install 'asr[lexicon]'") from missing
    try:
        data = resources.files(f"gruut_lang_{language}")
    except ModuleNotFoundError as missing:
        raise VocabularyError(f"no words of {language!r} are here; pip install gruut_lang_{language}") from missing
    with resources.as_file(data / "g2p" / "model.crf") as model:
        guess = GraphemesToPhonemes(model)
    with resources.as_file(data / "lexicon.db") as path:
        dictionary = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with closing(dictionary):
        for word in words:
            spelt = word.lower()
            bare = spelt.strip("'")  # 'TIS, LOVERS'; a guess by the spelling takes the sign for a sound
            said = _known(dictionary, spelt) or _known(dictionary, bare)
            said = said or [tuple(phone.translate(_STRESS) for phone in guess(bare))]
            if all(said):
                yield word, list(dict.fromkeys(said))


def _known(dictionary: sqlite3.Connection, word: str) -> list[Pronunciation]:
    rows = dictionary.execute("SELECT phonemes FROM word_phonemes WHERE word = ? ORDER BY pron_order", (word,))
    return [tuple(phones.translate(_STRESS).split()) for (phones,) in rows]
