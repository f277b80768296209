"""The evidence for and against each word of a hypothesis, from which its confidence is computed.

The features of a word, each a number a word:

``spelled``
    Probability that the frames of the word's span spell the word (`asr.decoding.confidence`).
``letters_evidence``
    Its log-odds.
``weak_letters``
    The same where it is low, zero elsewhere, because low values tell less apart than high ones.
``phones_evidence``, ``weak_phones``
    Log-odds that the network's phones have the word's pronunciation, between two ends of words, around the span. The
    phones of a word come some frames earlier or later than its letters.
``language_model``, ``next_word``
    Natural log-probability of the word, and of the word after it, each after the words before. These were worth as much
    as the phones.
``letters``, ``phones``
    How many the word has. A long text is less probable than a short one, however right it is.
``region_evidence``
    Mean of ``letters_evidence`` over the words that were decoded together. It is low in noise, in rooms and for accents
    that the network has not learned, where words of equal evidence are wrong more often.

On eight readers of LibriSpeech that a model of 20 hours had not learned from, the logistic model of all features has an
area under the ROC curve of 0.84, that of the letters' alone 0.77; in noise, by telephone and in rooms its expected
calibration error is 0.03 to 0.05, that of the letters' alone 0.16 to 0.24.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from asr.arrays import LabelLogProbs, LogProbs
from asr.decoding.confidence import word_confidences
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.words import WordSpan, word_spans
from asr.text import BLANK, Vocabulary
from asr.text.lexicon import BOUNDARY

ACOUSTIC = ("letters_evidence", "weak_letters", "letters", "region_evidence")
"""The features that every hypothesis has, whichever decoder found it."""

BY_PHONES = ("phones_evidence", "weak_phones", "phones")
"""The features of hypotheses whose words were found by their phones."""

BY_LANGUAGE_MODEL = ("language_model", "next_word")
"""The features of hypotheses that a language model scored."""

_LEAST = 1e-12
_WEAK = -2.0
"""Log-odds below which evidence is weak."""

_MARGIN = 5
"""How many frames before and after the letters of a word its phones are looked for."""

Features = Mapping[str, np.ndarray]
"""Name → values (W,) float64, one for each word."""


def word_evidence(
    log_probs: Sequence[LogProbs], hypotheses: Sequence[Hypothesis], vocabulary: Vocabulary
) -> list[Features]:
    """Return the features of the words of several recordings, each the same as if it were alone.

    Args:
        log_probs: the network's output for each recording.
        hypotheses: what a decoder found for each.
        vocabulary: the V labels of characters.
    """
    spans = [word_spans(hypothesis, vocabulary) for hypothesis in hypotheses]
    letters = word_confidences([one.characters for one in log_probs], hypotheses, vocabulary)
    phones = _phones_found([one.phones for one in log_probs], hypotheses, spans)
    return [_features(*one) for one in zip(letters, phones, hypotheses, spans, strict=True)]


def _features(
    letters: np.ndarray, phones: np.ndarray | None, hypothesis: Hypothesis, spans: Sequence[WordSpan]
) -> Features:
    evidence = log_odds(letters)
    found = {
        "spelled": letters,
        "letters_evidence": evidence,
        "weak_letters": np.minimum(evidence - _WEAK, 0.0),
        "letters": np.array([len(span.text) for span in spans], np.float64),
        "region_evidence": np.full(len(spans), evidence.mean() if len(spans) else 0.0),
    }
    if phones is not None:
        evidence = log_odds(phones)
        counts = np.array([len(word) - 1 for word in _words(hypothesis.phones)], np.float64)
        found |= {"phones_evidence": evidence, "weak_phones": np.minimum(evidence - _WEAK, 0.0), "phones": counts}
    if len(hypothesis.word_log_probs) == len(spans) > 0:
        scores = np.array(hypothesis.word_log_probs)
        found |= {"language_model": scores, "next_word": np.append(scores[1:], 0.0)}
    return found


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Return the log-odds (W,) of probabilities, which are kept a little away from 0 and 1.

    >>> log_odds(np.array([0.0, 0.5, 1.0])).round(1).tolist()
    [-27.6, 0.0, 27.6]
    """
    kept = np.clip(np.asarray(probabilities, np.float64), _LEAST, 1 - _LEAST)
    odds: np.ndarray = np.log(kept) - np.log1p(-kept)
    return odds


# Phones


def _phones_found(
    log_probs: Sequence[LabelLogProbs | None],
    hypotheses: Sequence[Hypothesis],
    spans: Sequence[Sequence[WordSpan]],
) -> list[np.ndarray | None]:
    """Return for each recording the probability (W,) of each word's phones, None where it was not found by phones."""
    texts: list[tuple[int, ...]] = []
    starts: list[int] = []
    ends: list[int] = []
    opens: list[bool] = []
    counts: list[int | None] = []
    frames: list[np.ndarray] = []
    at = 0
    for one, hypothesis, words in zip(log_probs, hypotheses, spans, strict=True):
        said = _words(hypothesis.phones)
        if one is None or not said or len(said) != len(words):
            counts.append(None)
            continue
        for place, (phones, span) in enumerate(zip(said, words, strict=True)):
            texts.append((BOUNDARY, *phones))
            starts.append(at + max(span.start_frame - _MARGIN, 0))
            ends.append(at + min(span.end_frame + _MARGIN, len(one)) + 1)
            opens.append(place == 0)
        frames.append(_with_an_end(np.exp(one)))
        counts.append(len(words))
        at += len(one) + 1
    if not texts:
        return [None] * len(counts)
    found = iter(occurrence(np.concatenate(frames), np.array(starts), np.array(ends), texts, np.array(opens)).tolist())
    return [None if count is None else np.array([next(found) for _ in range(count)]) for count in counts]


def _words(phones: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the labels of each word, the end of the word last."""
    words, start = [], 0
    for place, label in enumerate(phones, start=1):
        if label == BOUNDARY:
            words.append(tuple(phones[start:place]))
            start = place
    return words


def _with_an_end(probabilities: np.ndarray) -> np.ndarray:
    """Return the probabilities (T' + 1, P) with a last frame in which a word surely ends."""
    end = np.zeros((1, probabilities.shape[1]), probabilities.dtype)
    end[0, BOUNDARY] = 1.0
    return np.concatenate([probabilities, end])


def occurrence(
    probabilities: np.ndarray, starts: np.ndarray, ends: np.ndarray, texts: Sequence[Sequence[int]], opens: np.ndarray
) -> np.ndarray:
    """Return how probably (W,) each text occurs, whole, in the frames ``[starts[i], ends[i])``.

    A text begins and ends with a delimiter. It occurs where a path has the delimiter, then the labels, then the
    delimiter again, with nothing but blanks and repetitions between. Each occurrence counts once, from the last frame
    of the first delimiter to the first frame of the second. The forward algorithm (Graves et al. 2006, section 4.1) so
    begins anew in each frame, and runs over all texts together.

    >>> frames = np.array([[0.1, 0.9, 0.0], [0.2, 0.0, 0.8], [0.3, 0.7, 0.0]])
    >>> occurrence(frames, np.array([0]), np.array([3]), [(1, 2, 1)], np.array([False])).round(3)
    array([0.504])

    Args:
        probabilities: (T, P), blank at 0.
        starts: (W,) the first frame of each text's window.
        ends: (W,) the frame after the last of each text's window.
        texts: the labels of each text, delimiters included.
        opens: (W,) bool, whether the text's first delimiter is taken to stand before its first frame, and only there.
    """
    states, may_skip = _states(texts)
    last = 2 * (np.array([len(text) for text in texts]) - 1)
    inside = np.arange(states.shape[1]) < last[:, None]
    front = np.zeros(states.shape)
    front[:, 0] = opens
    anew = np.where(opens, 0.0, 1.0)
    found = np.zeros(len(texts))
    for step in range(int((ends - starts).max())):
        on = np.flatnonzero(starts + step < ends)
        before = front[on]
        reached = before.copy()
        reached[:, 0] = anew[on]
        reached[:, 1:] += before[:, :-1]
        reached[:, 2:] += np.where(may_skip[on, 2:], before[:, :-2], 0.0)
        reached *= np.take_along_axis(probabilities[starts[on] + step], states[on], axis=1)
        rows, end = np.arange(len(on)), last[on]
        found[on] += reached[rows, end]
        front[on] = reached * inside[on]
    return found


def _states(texts: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (W, S) of the states (label, blank, label, …), and which may directly follow two before."""
    states = np.full((len(texts), 2 * max(map(len, texts)) - 1), BLANK, np.int64)
    for row, text in zip(states, texts, strict=True):
        row[: 2 * len(text) : 2] = text
    may_skip = np.zeros(states.shape, bool)
    may_skip[:, 2:] = (states[:, 2:] != states[:, :-2]) & (states[:, 2:] != BLANK)
    return states, may_skip
