"""Segments with times, made from the hypotheses of regions of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from asr.bundle import Bundle
from asr.decoding.decoder import probabilities
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.word_evidence import Features, word_evidence
from asr.decoding.words import WordSpan, word_spans
from asr.inference.spoken import were_spoken
from asr.inference.stitcher import SpeechRegion
from asr.inference.transcript import Alternative, Segment, Word


@dataclass(frozen=True)
class Interval:
    """A part of a recording. A word is in it whose middle is after second ``since_s`` and not after ``until_s``."""

    since_s: float = -inf
    until_s: float = inf

    def has(self, start: float, end: float) -> bool:
        """Return whether a word with these ends, in seconds, is in it."""
        return self.since_s < (start + end) / 2 <= self.until_s


ALWAYS = Interval()


def as_segments(
    regions: Sequence[SpeechRegion],
    n_best: Sequence[Sequence[Hypothesis]],
    bundle: Bundle,
    interval: Interval = ALWAYS,
) -> list[Segment | None]:
    """Return the segment of each region, given its hypotheses, best first; None where nothing was said.

    A region whose words were not spoken is dropped: see `asr.inference.spoken`. A bundle that nobody has tuned is
    exempt, since what it was trained on may be no speech at all, such as the tones of a test.

    Words that are not in ``interval`` are left out last, so that the others are what they are beside them.
    """
    decoded = [(region, hypotheses) for region, hypotheses in zip(regions, n_best, strict=True) if hypotheses]
    evidence = iter(
        word_evidence([region.log_probs for region, _ in decoded], [some[0] for _, some in decoded], bundle.vocabulary)
    )
    return [
        _segment(region, hypotheses, next(evidence), bundle, interval) if hypotheses else None
        for region, hypotheses in zip(regions, n_best, strict=True)
    ]


def _segment(
    region: SpeechRegion, hypotheses: Sequence[Hypothesis], evidence: Features, bundle: Bundle, interval: Interval
) -> Segment | None:
    words = _words(region, hypotheses[0], evidence, bundle)
    tuned = bundle.decoder.usual_confidence is not None
    if not words or (tuned and not were_spoken(region, words)):
        return None
    words = tuple(word for word in words if interval.has(word.start, word.end))
    if not words:
        return None
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=words,
        confidence=_mean_confidence(words),
        n_best=_alternatives(region, hypotheses, bundle, interval),
    )


def _mean_confidence(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words)


def _words(region: SpeechRegion, hypothesis: Hypothesis, evidence: Features, bundle: Bundle) -> tuple[Word, ...]:
    spans, confidences = word_spans(hypothesis, bundle.vocabulary), bundle.decoder.word_confidence(evidence).tolist()
    pairs = zip(spans, confidences, strict=True)
    return tuple(_word(span, region, bundle.frame_s, confidence) for span, confidence in pairs)


def _word(span: WordSpan, region: SpeechRegion, frame_s: float, confidence: float) -> Word:
    return Word(span.text, *_times(span, region, frame_s), confidence)


def _times(span: WordSpan, region: SpeechRegion, frame_s: float) -> tuple[float, float]:
    """Return the seconds of the recording at which a word starts and ends."""
    first, last = region.span_s
    start, end = (region.start_s + frame * frame_s for frame in (span.start_frame, span.end_frame))
    return min(max(start, first), last), min(max(end, first), last)


def _alternatives(
    region: SpeechRegion, hypotheses: Sequence[Hypothesis], bundle: Bundle, interval: Interval
) -> tuple[Alternative, ...]:
    """Return the distinct texts that the hypotheses have in the interval, best first."""
    if len(hypotheses) < 2:
        return ()
    shares: dict[str, float] = {}
    for hypothesis, share in zip(hypotheses, probabilities(hypotheses), strict=True):
        spans = word_spans(hypothesis, bundle.vocabulary)
        text = " ".join(span.text for span in spans if interval.has(*_times(span, region, bundle.frame_s)))
        shares[text] = shares.get(text, 0.0) + share
    return tuple(Alternative(text, share) for text, share in shares.items())
