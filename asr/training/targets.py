"""Training targets of a text: the labels of its characters, and of its phones where the network outputs phones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.text import Lexicon, Phones, Vocabulary, frames_needed


@dataclass(frozen=True, eq=False)
class Targets:
    """The conversion of texts to labels of characters and phones.

    Attributes:
        vocabulary: vocabulary of the characters.
        phones: phones that the network outputs beside characters, None for none.
        lexicon: pronunciations of words, given together with ``phones``.

    >>> lexicon = Lexicon({"NO": (("N", "OW"),)})
    >>> targets = Targets(Vocabulary.from_texts(["NO", "ON"]), lexicon.phones, lexicon)
    >>> targets.characters("NO").tolist(), targets.phone_labels("NO NO").tolist(), targets.frames_needed("NO")
    ([1, 2], [2, 3, 1, 2, 3, 1], 3)
    >>> targets.fault("ON"), targets.fault("NOT")
    ("the lexicon lacks 'ON'; asr lexicon makes one of all words", "the vocabulary lacks 'T'")
    """

    vocabulary: Vocabulary
    phones: Phones | None = None
    lexicon: Lexicon | None = None

    def characters(self, text: str) -> np.ndarray:
        """Return the labels (U,) int32 of the characters."""
        return self.vocabulary.encode(text)

    def phone_labels(self, text: str) -> np.ndarray:
        """Return the phone labels (W,) int32 of each word's usual pronunciation; W = 0 for a network without phones."""
        if self.phones is None or self.lexicon is None:
            return np.zeros(0, np.int32)
        return self.phones.encode(self.lexicon.usual_pronunciations(text))

    def longest(self, text: str) -> np.ndarray:
        """Return the labels of characters or of phones, whichever need more frames."""
        return max(self.characters(text), self.phone_labels(text), key=frames_needed)

    def frames_needed(self, text: str) -> int:
        """Return the fewest frames of logits that can spell a text in characters and in phones."""
        return frames_needed(self.longest(text))

    def fault(self, text: str) -> str | None:
        """Return why a text cannot be trained on, or None where it can."""
        if not text:
            return "the transcript is empty"
        if unknown := self.vocabulary.unknown(text):
            return f"the vocabulary lacks {' '.join(map(repr, sorted(unknown)))}"
        if self.lexicon and (missing := self.lexicon.missing(text)):
            return f"the lexicon lacks {' '.join(map(repr, missing))}; asr lexicon makes one of all words"
        return None
