"""Transcripts: normalise them, and turn characters into labels and back."""

from asr.text.normalise import NORMALISERS, normalise
from asr.text.vocabulary import BLANK, Vocabulary

__all__ = ["BLANK", "NORMALISERS", "Vocabulary", "normalise"]
