"""Segments with times, made from the hypotheses of regions of speech."""

from __future__ import annotations

from collections.abc import Sequence

from asr.bundle import Bundle
from asr.decoding.decoder import probabilities
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.word_evidence import Features, word_evidence
from asr.decoding.words import WordSpan, word_spans
from asr.inference.stitcher import SpeechRegion
from asr.inference.transcript import Alternative, Segment, Word

SHORT_S, SHORT_CONFIDENCE = 0.7, 0.95
"""Where the detector was confident of less speech, a word or a click, the words must be about as confident as usual."""

MEDIUM_S, MEDIUM_CONFIDENCE = 3.0, 0.6
"""Where it was confident of less than this, some words or a clock, they must reach this share of what is usual."""


def as_segments(
    regions: Sequence[SpeechRegion], n_best: Sequence[Sequence[Hypothesis]], bundle: Bundle
) -> list[Segment | None]:
    """Return the segment of each region, given its hypotheses, best first; None where nothing was said.

    Sounds that the detector takes for speech are told by their words, as Whisper tells silence: a region is dropped
    only where both the detector and the words have little confidence. A model's confidence says something only beside
    its usual confidence on dev: a model that has three words in four wrong would otherwise find no speech at all.
    """
    spoken = [(region, hypotheses) for region, hypotheses in zip(regions, n_best, strict=True) if hypotheses]
    evidence = iter(
        word_evidence([region.log_probs for region, _ in spoken], [some[0] for _, some in spoken], bundle.vocabulary)
    )
    return [
        _segment(region, hypotheses, next(evidence), bundle) if hypotheses else None
        for region, hypotheses in zip(regions, n_best, strict=True)
    ]


def _segment(
    region: SpeechRegion, hypotheses: Sequence[Hypothesis], evidence: Features, bundle: Bundle
) -> Segment | None:
    words = _words(region, hypotheses[0], evidence, bundle)
    if not words:
        return None
    confidence = sum(word.confidence for word in words) / len(words)
    if _is_sound(region, confidence, bundle.decoder.usual_confidence):
        return None
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=words,
        confidence=confidence,
        n_best=_alternatives(hypotheses),
    )


def _is_sound(region: SpeechRegion, confidence: float, usual: float | None) -> bool:
    if usual is None or region.confident_speech_s >= MEDIUM_S:
        return False
    return confidence < usual * (SHORT_CONFIDENCE if region.confident_speech_s < SHORT_S else MEDIUM_CONFIDENCE)


def _words(region: SpeechRegion, hypothesis: Hypothesis, evidence: Features, bundle: Bundle) -> tuple[Word, ...]:
    spans, confidences = word_spans(hypothesis, bundle.vocabulary), bundle.decoder.word_confidence(evidence).tolist()
    pairs = zip(spans, confidences, strict=True)
    return tuple(_word(span, region, bundle.frame_s, confidence) for span, confidence in pairs)


def _word(span: WordSpan, region: SpeechRegion, frame_s: float, confidence: float) -> Word:
    start, end = (_within(region, region.start_s + f * frame_s) for f in (span.start_frame, span.end_frame))
    return Word(span.text, start, end, confidence)


def _within(region: SpeechRegion, seconds: float) -> float:
    return min(max(seconds, region.span_s[0]), region.span_s[1])


def _alternatives(hypotheses: Sequence[Hypothesis]) -> tuple[Alternative, ...]:
    if len(hypotheses) < 2:
        return ()
    shares = probabilities(hypotheses)
    pairs = zip(hypotheses, shares, strict=True)
    return tuple(Alternative(" ".join(hypothesis.text.split()), share) for hypothesis, share in pairs)
