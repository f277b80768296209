"""Characters that a normaliser loses: spoken letters, digits and symbols for which it writes nothing.

A normaliser that turns é into E loses nothing. One that drops я, 7 or % does: the audio would contain a word that its
labels lack, and a score would not count it. Punctuation, quotation marks and marks on letters are not spoken.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from asr.text.normalisers import normalise
from asr.text.normalisers._apostrophes import APOSTROPHES

DIGITS, SYMBOLS = "digits", "symbols"

_SPOKEN_PUNCTUATION = "%‰&@#§"
_NO_LETTERS = APOSTROPHES + "\u0640"
"""Characters that Unicode counts as letters but nobody pronounces: apostrophes, and Arabic's tatweel."""

_SHOWN = 3


@dataclass(frozen=True)
class Loss:
    """Characters of one kind that a normaliser loses.

    Attributes:
        kind: ``digits``, ``symbols`` or the letters of a script, such as ``Cyrillic letters``.
        count: the number of lost characters.
        characters: the different characters among them, the most frequent first.
        ids: the ids of the texts that contain some, in order.
    """

    kind: str
    count: int
    characters: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        """Return the loss as one line: ``digits: 3 (1 0) in 2 texts: u1, u2``."""
        more = " …" if len(self.characters) > _SHOWN else ""
        texts = f"{len(self.ids)} text{'s' if len(self.ids) > 1 else ''}"
        named = ", ".join(self.ids[:_SHOWN]) + (", …" if len(self.ids) > _SHOWN else "")
        return f"{self.kind}: {self.count} ({' '.join(self.characters[:_SHOWN])}{more}) in {texts}: {named}"


def lost_characters(text: str, normaliser: str) -> list[str]:
    """Return the characters of ``text`` that ``normaliser`` loses, in the order of the text.

    >>> lost_characters("Zimmer 101: 5 % мир, café!", "upper_letters")
    ['1', '0', '1', '5', '%', 'м', 'и', 'р']

    Raises:
        ConfigError: no normaliser has this name.
    """
    composed = unicodedata.normalize("NFC", text)
    lost = {character for character in set(composed) if _is_lost(character, normaliser)}
    return [character for character in composed if character in lost] if lost else []


def count_lost(text: str, normaliser: str) -> Counter[str]:
    """Count how often ``text`` contains each character that ``normaliser`` loses; this is fast for long texts.

    >>> sorted(count_lost("1984, 1989: да", "letters").items())
    [('1', 2), ('4', 1), ('8', 2), ('9', 3)]
    """
    return Counter(
        {character: text.count(character) for character in sorted(set(text)) if _is_lost(character, normaliser)}
    )


def shown_counts(lost: Counter[str]) -> str:
    """Return a line that lists lost characters by kind, the most frequent kind first.

    >>> shown_counts(Counter({"1": 1200, "9": 3, "%": 7}))
    'digits: 1,203 (1 9), symbols: 7 (%)'
    """
    kinds: dict[str, Counter[str]] = {}
    for character, count in lost.most_common():
        kinds.setdefault(kind_of(character), Counter())[character] += count
    ordered = sorted(kinds.items(), key=lambda item: -item[1].total())
    return ", ".join(
        f"{kind}: {found.total():,} ({' '.join([*found][:_SHOWN])}{' …' if len(found) > _SHOWN else ''})"
        for kind, found in ordered
    )


def find_losses(texts: Iterable[tuple[str, str]], normaliser: str) -> list[Loss]:
    """Return the losses of ``normaliser`` over all texts together, one for each kind, the largest first.

    Args:
        texts: the id and the text of each.
        normaliser: the name of the normaliser.

    >>> [str(loss) for loss in find_losses([("a", "room 101"), ("b", "да, 7")], "upper_letters")]
    ['digits: 4 (1 0 7) in 2 texts: a, b', 'Cyrillic letters: 2 (д а) in 1 text: b']

    Raises:
        ConfigError: no normaliser has this name.
    """
    characters: dict[str, Counter[str]] = {}
    ids: dict[str, dict[str, None]] = {}
    for name, text in texts:
        for character in lost_characters(text, normaliser):
            kind = kind_of(character)
            characters.setdefault(kind, Counter())[character] += 1
            ids.setdefault(kind, {})[name] = None
    losses = [
        Loss(kind, found.total(), "".join(c for c, _ in found.most_common()), tuple(ids[kind]))
        for kind, found in characters.items()
    ]
    return sorted(losses, key=lambda loss: -loss.count)


def kind_of(character: str) -> str:
    """Return the kind that a character counts as: ``digits``, ``symbols`` or the letters of its script.

    >>> [kind_of(character) for character in "½€ж漢"]
    ['digits', 'symbols', 'Cyrillic letters', 'CJK letters']
    """
    category = unicodedata.category(character)
    if category[0] == "N":
        return DIGITS
    if category[0] != "L":
        return SYMBOLS
    script = unicodedata.name(character, "other").split()[0]
    return f"{script if script == 'CJK' else script.capitalize()} letters"


@lru_cache(maxsize=1 << 16)
def _is_lost(character: str, normaliser: str) -> bool:
    """Tell whether a character is spoken while the normaliser writes nothing for it, by itself or after a digit."""
    category = unicodedata.category(character)
    is_spoken = category[0] in "LN" or category in ("Sc", "Sm", "So") or character in _SPOKEN_PUNCTUATION
    if not is_spoken or character in _NO_LETTERS or normalise(character, normaliser):
        return False
    return normalise(f"1{character}", normaliser) == normalise("1", normaliser)
