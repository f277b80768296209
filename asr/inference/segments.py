"""From the readings of a run of speech to a segment with times."""

from __future__ import annotations

from collections.abc import Sequence

from asr.decoding.decoder import probabilities
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.words import WordSpan, word_spans
from asr.inference.runs import Run
from asr.inference.transcript import Alternative, Segment, Word
from asr.text import Vocabulary


def as_segment(run: Run, readings: Sequence[Hypothesis], vocabulary: Vocabulary, frame_s: float) -> Segment | None:
    """The segment of ``run`` whose likeliest readings these are, best first; None where nothing was said."""
    spans = word_spans(readings[0], vocabulary) if readings else ()
    if not spans:
        return None
    words = tuple(_word(span, run, frame_s) for span in spans)
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=words,
        n_best=_alternatives(readings),
    )


def _word(span: WordSpan, run: Run, frame_s: float) -> Word:
    start, end = (_within(run, run.start_s + f * frame_s) for f in (span.start_frame, span.end_frame))
    return Word(span.text, start, end, confidence=1.0)


def _within(run: Run, seconds: float) -> float:
    return min(max(seconds, run.span_s[0]), run.span_s[1])


def _alternatives(readings: Sequence[Hypothesis]) -> tuple[Alternative, ...]:
    if len(readings) < 2:
        return ()
    shares = probabilities(readings)
    return tuple(Alternative(" ".join(r.text.split()), share) for r, share in zip(readings, shares, strict=True))
