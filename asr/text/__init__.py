"""Transcripts: normalise them, turn characters into labels and back, and words into phones."""

from asr.text.lexicon import Lexicon, Phones, read_lexicon, write_lexicon
from asr.text.normalise import NORMALISERS, normalise
from asr.text.vocabulary import BLANK, Vocabulary, frames_needed

__all__ = [
    "BLANK",
    "NORMALISERS",
    "Lexicon",
    "Phones",
    "Vocabulary",
    "frames_needed",
    "normalise",
    "read_lexicon",
    "write_lexicon",
]
