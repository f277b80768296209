"""Best path decoding, which takes the most probable label of each frame (Graves et al. 2006, section 3.2)."""

from __future__ import annotations

import numpy as np

from asr.arrays import LabelLogProbs
from asr.decoding.hypothesis import Hypothesis
from asr.errors import VocabularyError
from asr.text import BLANK, Vocabulary


def greedy_decode(log_probs: LabelLogProbs, vocabulary: Vocabulary) -> Hypothesis:
    """Take each frame's best label, collapse repeats and drop blanks: B(argmax path), in Graves's notation.

    The result is the hypothesis of the most probable path. It is not always the most probable hypothesis, because the
    probability of a hypothesis is a sum over paths.

    >>> probabilities = [[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]
    >>> greedy_decode(np.log(probabilities), Vocabulary(("A",))).text
    'AA'

    Args:
        log_probs: (T', V) of the characters.
        vocabulary: the V labels, the blank included.

    Returns:
        The hypothesis. Its score is the sum of the path's log-probabilities, and its frames are the first frame of each
        run of a label.

    Raises:
        VocabularyError: ``log_probs`` is not (T', V).
    """
    if log_probs.ndim != 2 or log_probs.shape[1] != len(vocabulary):
        raise VocabularyError(f"log_probs must be (T, {len(vocabulary)}), got {log_probs.shape}")
    path = log_probs.argmax(axis=1)
    starts = np.diff(path, prepend=-1) != 0
    frames = np.flatnonzero(starts & (path != BLANK))
    labels = path[frames]
    return Hypothesis(
        text=vocabulary.decode(labels),
        labels=tuple(labels.tolist()),
        frames=tuple(frames.tolist()),
        score=float(log_probs.max(axis=1, initial=-np.inf).sum(dtype=np.float64)),
    )
