"""Alignment of a known text with its recording: the time of each word, and single words cut out."""

from asr.alignment.align import SpelledWord, align_text, align_utterance
from asr.alignment.isolated_words import WordCutter

__all__ = ["SpelledWord", "WordCutter", "align_text", "align_utterance"]
