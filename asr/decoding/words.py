"""The start and the end of each word of a hypothesis.

CTC emits a letter as a late spike of one or two frames, and does not tell how long the letter lasts. The rules below
are those that came nearest to 393 edges between speech and silence in AN4's test and development utterances. The edges
were found by energy, and the labels were placed by forced alignment. The start of a word is on average 92 ms away from
its first spike, and 42 ms away from where the rules put it. The end of a word is on average 158 ms away from the end of
its last spike's frame, and 60 ms away from where the rules put it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from asr.decoding.hypothesis import Hypothesis
from asr.text import Vocabulary

_SPACING = 3.0
"""The frames from one letter to the next, for a hypothesis in which no word has two letters."""

_TAIL = 1.5
_LONGEST_TAIL = 4.0
"""How long a word's last letter sounds after its spike, in units of a letter's time.

``_TAIL`` holds for the last word of a hypothesis; ``_LONGEST_TAIL`` is the most for a word before a space.
"""


@dataclass(frozen=True)
class WordSpan:
    """A word of a hypothesis.

    Attributes:
        text: the word.
        start_frame: the output frame in which the word begins.
        end_frame: the output frame by which the word has ended; ``start_frame < end_frame``. The end of the last word
            may lie beyond the recording.
        labels: which of the hypothesis's labels spell the word.
    """

    text: str
    start_frame: int
    end_frame: int
    labels: slice


def word_spans(hypothesis: Hypothesis, vocabulary: Vocabulary) -> tuple[WordSpan, ...]:
    """Return the words between spaces, in order and without overlap.

    If the vocabulary has no space, the whole hypothesis is one word.

    A word begins at the spike of the space before it, which comes when the word is heard to begin. The first word
    begins a letter's time before its first spike. A word ends halfway between its last spike and the spike of the space
    after it, but no more than four letters' time after its last spike, so that a pause is not part of the word. The
    last word ends one and a half letters' time after its last spike. A letter's time is the mean time between spikes
    within the words of this hypothesis.

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
    """Return the mean number of frames from a letter's spike to the next letter's spike, within words."""
    letters = sum(word.stop - word.start - 1 for word in words)
    return sum(frames[word.stop - 1] - frames[word.start] for word in words) / letters if letters else _SPACING


def _start(frames: tuple[int, ...], word: slice, letter: float) -> int:
    if word.start > 0:
        before: int = frames[word.start - 1]
        return before
    return max(0, frames[0] - round(letter))


def _end(frames: tuple[int, ...], word: slice, letter: float) -> int:
    after: int = frames[word.stop - 1] + 1
    if word.stop == len(frames):
        return after + round(_TAIL * letter)
    halfway: int = (after + frames[word.stop] + 1) // 2
    return min(halfway, after + round(_LONGEST_TAIL * letter))
