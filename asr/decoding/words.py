"""Where each word of a hypothesis begins and ends.

CTC emits a letter as a spike of a frame or two, late, and says nothing of how long it lasts. The rules below are
those that came nearest to 393 edges between speech and silence in AN4's test and development utterances (edges by
energy, the labels laid over the recording by forced alignment). Mean distance of a word's start: 92 ms from its first
spike, 42 ms by the rules; of its end: 158 ms from the end of its last spike's frame, 60 ms by the rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from asr.decoding.hypothesis import Hypothesis
from asr.text import Vocabulary

_SPACING = 3.0
"""Frames from letter to letter where no word has two."""

_TAIL = 1.5
_LONGEST_TAIL = 4.0
"""Letters that a word's last letter sounds on after its spike: at the end of all, and at most before a space."""


@dataclass(frozen=True)
class WordSpan:
    """A word of a hypothesis.

    Attributes:
        text: the word.
        start_frame: the output frame it begins in.
        end_frame: the output frame it has ended by; ``start_frame < end_frame``. That of the last word may lie
            beyond the recording.
        labels: which of the hypothesis's labels spell it.
    """

    text: str
    start_frame: int
    end_frame: int
    labels: slice


def word_spans(hypothesis: Hypothesis, vocabulary: Vocabulary) -> tuple[WordSpan, ...]:
    """The words between spaces, in order, none over another; a vocabulary without a space makes one word.

    A word begins at the spike of the space before it, which comes when the word is heard to begin; the first word a
    letter's time before its first spike. It ends halfway to the spike of the space after it, yet no more than four
    letters' time after its last spike, so that a pause is no part of it; the last word one and a half. A letter's
    time is the mean between spikes within this hypothesis's words.

    >>> vocabulary = Vocabulary((" ", "A", "B"))
    >>> hypothesis = Hypothesis("AB B", labels=(2, 3, 1, 3), frames=(5, 7, 10, 12), score=-1.0)
    >>> [(span.text, span.start_frame, span.end_frame) for span in word_spans(hypothesis, vocabulary)]
    [('AB', 3, 9), ('B', 10, 16)]
    """
    text = vocabulary.decode(hypothesis.labels)
    words = [slice(*match.span()) for match in re.finditer("[^ ]+", text)]
    letter = _spacing(hypothesis.frames, words)
    return tuple(
        WordSpan(text[word], _start(hypothesis.frames, word, letter), _end(hypothesis.frames, word, letter), word)
        for word in words
    )


def _spacing(frames: tuple[int, ...], words: list[slice]) -> float:
    """Mean frames from a letter's spike to the next's, within words."""
    letters = sum(word.stop - word.start - 1 for word in words)
    return sum(frames[word.stop - 1] - frames[word.start] for word in words) / letters if letters else _SPACING


def _start(frames: tuple[int, ...], word: slice, letter: float) -> int:
    if word.start > 0:
        return frames[word.start - 1]
    return max(0, frames[0] - round(letter))


def _end(frames: tuple[int, ...], word: slice, letter: float) -> int:
    after = frames[word.stop - 1] + 1
    if word.stop == len(frames):
        return after + round(_TAIL * letter)
    halfway = (after + frames[word.stop] + 1) // 2
    return min(halfway, after + round(_LONGEST_TAIL * letter))
