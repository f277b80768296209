"""Text of transcripts: normalisers, the vocabulary of characters and labels, and pronouncing dictionaries."""

from asr.text.lexicon import Lexicon, Phones, read_lexicon, write_lexicon
from asr.text.normalisers import NORMALISERS, find_normaliser, normalise, normalise_lines
from asr.text.vocabulary import BLANK, Vocabulary, frames_needed

__all__ = [
    "BLANK",
    "NORMALISERS",
    "Lexicon",
    "Phones",
    "Vocabulary",
    "find_normaliser",
    "frames_needed",
    "normalise",
    "normalise_lines",
    "read_lexicon",
    "write_lexicon",
]
