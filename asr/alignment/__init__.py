"""A known text over its recording: when each word is said, and single words cut out."""

from asr.alignment.align import SpelledWord, align_text, align_utterance
from asr.alignment.isolated_words import WordCutter

__all__ = ["SpelledWord", "WordCutter", "align_text", "align_utterance"]
