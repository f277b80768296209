"""From the readings of a run of speech to a segment with times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.bundle import Bundle
from asr.decoding.confidence import word_confidences
from asr.decoding.decoder import probabilities
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.words import WordSpan, word_spans
from asr.inference.runs import Run
from asr.inference.transcript import Alternative, Segment, Word

LITTLE_S, LITTLE_CONFIDENCE = 0.7, 0.95
"""Where less is surely speech, a word or a click, it must be read about as surely as the model usually reads."""

SOME_S, SOME_CONFIDENCE = 3.0, 0.6
"""Where less is surely speech, some words or a clock, it must be read this near to that."""


def as_segments(runs: Sequence[Run], readings: Sequence[Sequence[Hypothesis]], bundle: Bundle) -> list[Segment | None]:
    """The segment of each run whose likeliest readings these are, best first; None where nothing was said.

    Sounds that the voice-activity detector takes for speech are told by their words, as Whisper tells silence: both
    must speak against them. How sure a model reads says something only beside how sure it usually is: what was three
    words in four wrong on dev would else find no speech at all.
    """
    read = [(run, some[0]) for run, some in zip(runs, readings, strict=True) if some]
    raw = word_confidences([run.log_probs for run, _ in read], [best for _, best in read], bundle.vocabulary)
    sure = iter(raw)
    return [_segment(run, some, next(sure), bundle) if some else None for run, some in zip(runs, readings, strict=True)]


def _segment(run: Run, readings: Sequence[Hypothesis], raw: np.ndarray, bundle: Bundle) -> Segment | None:
    words = _words(run, readings[0], raw, bundle)
    if not words:
        return None
    confidence = sum(word.confidence for word in words) / len(words)
    if _is_sound(run, confidence, bundle.decoder.usual_confidence):
        return None
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=words,
        confidence=confidence,
        n_best=_alternatives(readings),
    )


def _is_sound(run: Run, confidence: float, usual: float | None) -> bool:
    if usual is None or run.surely_s >= SOME_S:
        return False
    return confidence < usual * (LITTLE_CONFIDENCE if run.surely_s < LITTLE_S else SOME_CONFIDENCE)


def _words(run: Run, reading: Hypothesis, raw: np.ndarray, bundle: Bundle) -> tuple[Word, ...]:
    spans, sure = word_spans(reading, bundle.vocabulary), bundle.decoder.calibration(raw)
    return tuple(_word(span, run, bundle.frame_s, sure) for span, sure in zip(spans, sure.tolist(), strict=True))


def _word(span: WordSpan, run: Run, frame_s: float, confidence: float) -> Word:
    start, end = (_within(run, run.start_s + f * frame_s) for f in (span.start_frame, span.end_frame))
    return Word(span.text, start, end, confidence)


def _within(run: Run, seconds: float) -> float:
    return min(max(seconds, run.span_s[0]), run.span_s[1])


def _alternatives(readings: Sequence[Hypothesis]) -> tuple[Alternative, ...]:
    if len(readings) < 2:
        return ()
    shares = probabilities(readings)
    return tuple(Alternative(" ".join(r.text.split()), share) for r, share in zip(readings, shares, strict=True))
