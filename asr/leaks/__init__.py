"""Leaks from training into the test: shared speakers, recordings, sentences, and text of the language model."""

from asr.leaks.leaks import Leaks, find_leaks
from asr.leaks.overlap import TextOverlap, text_overlap
from asr.leaks.recordings import SharedRecordings, shared_recordings
from asr.leaks.sentences import SharedSentences, shared_sentences
from asr.leaks.speakers import SharedSpeakers, shared_speakers

__all__ = [
    "Leaks",
    "SharedRecordings",
    "SharedSentences",
    "SharedSpeakers",
    "TextOverlap",
    "find_leaks",
    "shared_recordings",
    "shared_sentences",
    "shared_speakers",
    "text_overlap",
]
