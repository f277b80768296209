"""Forced alignment, which finds when each word of a known text is said in its recording."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from asr.arrays import LogProbs
from asr.audio import load_audio
from asr.audio.info import audio_info
from asr.bundle import Bundle
from asr.data import Utterance
from asr.decoding.alignment import forced_alignment
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.word_evidence import word_evidence
from asr.decoding.words import word_spans
from asr.errors import AlignmentError
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Segment, Transcript, Word
from asr.text import Vocabulary, normalise

_SHOWN = 20


@dataclass(frozen=True)
class SpelledWord:
    """A word as the text writes it, and the one or more words that spell it with the vocabulary's characters."""

    written: str
    spelled: tuple[str, ...]


def align_text(model: Transcriber, source: str | Path, lines: Sequence[str], *, salvage: bool = False) -> Transcript:
    """Align a text with the recording in which it is spoken; nothing is recognised.

    Args:
        model: the transcriber whose acoustic model scores the alignment, and whose bundle's normaliser writes the text.
        source: the recording.
        lines: the lines of the text. Each becomes a segment, with its words written as in the text; signs between words
            stay with the word before them.
        salvage: keep what is good of a recording that is cut or damaged; an `AudioWarning` says how much is missing.

    Returns:
        The transcript with times in seconds. A word's ``confidence`` is the estimated probability that it is said
        there, for a text of which most words are right; a segment's is the mean over its words. Bundles of before give
        the network's probability that the word's span spells it, which is mostly below a half.

    Raises:
        AudioError: the recording cannot be used.
        AlignmentError: the text has no words, a word has letters or digits that the vocabulary lacks, or the recording
            is too short for the text.
    """
    with _named(source):
        duration = audio_info(source, salvage=salvage).duration
        log_probs = partial(model.log_probs, source, salvage=salvage)
        return _align(model, log_probs, lines, _Clock.of(model, 0.0, duration))


def align_utterance(model: Transcriber, utterance: Utterance, *, salvage: bool = False) -> Transcript:
    """Align an utterance's text with its span of a recording; times are in seconds from the recording's start.

    Where ``salvage``, what is good of a recording that is cut or damaged is kept, as by `align_text`.

    Raises:
        AudioError, AlignmentError: as `align_text` raises them, with the utterance's id.
    """
    with _named(utterance.id):
        samples = load_audio(
            utterance.audio_filepath,
            model.sample_rate,
            offset_s=utterance.offset,
            duration_s=utterance.duration,
            salvage=salvage,
        )
        duration = len(samples) / model.sample_rate
        return _align(
            model, partial(model.log_probs, samples), [utterance.text], _Clock.of(model, utterance.offset, duration)
        )


@contextmanager
def _named(name: object) -> Iterator[None]:
    """Add the name of what could not be aligned to alignment errors."""
    try:
        yield
    except AlignmentError as fault:
        raise AlignmentError(f"{name}: {fault}") from fault


@dataclass(frozen=True)
class _Clock:
    """Conversion of output frames to seconds of the recording, limited to the span that was read."""

    frame_s: float
    first_s: float
    span_s: tuple[float, float]

    @classmethod
    def of(cls, model: Transcriber, offset: float, duration: float) -> _Clock:
        front_end = model.bundle.front_end
        margin_s = front_end.margin * front_end.hop_length / front_end.sample_rate
        return cls(model.bundle.frame_s, offset - margin_s, (offset, offset + duration))

    def __call__(self, frame: int) -> float:
        return min(max(self.first_s + frame * self.frame_s, self.span_s[0]), self.span_s[1])


def _align(model: Transcriber, log_probs: Callable[[], LogProbs], lines: Sequence[str], clock: _Clock) -> Transcript:
    words = _spell_all(lines, model.bundle.normaliser, model.bundle.vocabulary)
    text = " ".join(part for of_line in words for word in of_line for part in word.spelled)
    timed = iter(_timed(log_probs(), text, model.bundle, clock))
    segments = tuple(
        _segment(tuple(_joined(word.written, [next(timed) for _ in word.spelled]) for word in of_line))
        for of_line in words
    )
    return Transcript.of(segments, clock.span_s[1])


# Text


def _spell_all(lines: Sequence[str], normaliser: str, vocabulary: Vocabulary) -> list[list[SpelledWord]]:
    """Return the words of each line that has any."""
    words: list[list[SpelledWord]] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            words.append(spell(line, normaliser, vocabulary))
        except AlignmentError as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        listed = "\n  ".join([*faults[:_SHOWN], *more])
        raise AlignmentError(
            f"some words cannot be spelled with {''.join(vocabulary.characters)!r}; "
            f"write them as they are spoken\n  {listed}"
        )
    if not any(words):
        raise AlignmentError(f"the text has no words ({len(lines)} lines)")
    return [of_line for of_line in words if of_line]


def spell(line: str, normaliser: str, vocabulary: Vocabulary) -> list[SpelledWord]:
    """Split a line into words; a sign that is not spoken (a dash) joins the word before it, or else the first word.

    >>> vocabulary = Vocabulary(tuple(" ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    >>> [(word.written, word.spelled) for word in spell("Well-known — isn't it?", "upper_letters", vocabulary)]
    [('Well-known —', ('WELL', 'KNOWN')), ("isn't", ('ISNT',)), ('it?', ('IT',))]

    Raises:
        AlignmentError: words have letters or digits that the vocabulary lacks; the message names the words.
    """
    written = line.split()
    spelled = [_without_signs(text, vocabulary) for text in _each_normalised(written, normaliser)]
    if faults := [
        word
        for word, parts in zip(written, spelled, strict=True)
        if vocabulary.unknown("".join(parts)) or any(_is_lost(c, normaliser) for c in word)
    ]:
        raise AlignmentError(", ".join(faults))
    words: list[SpelledWord] = []
    before: list[str] = []
    for one, parts in zip(written, spelled, strict=True):
        if parts:
            words.append(SpelledWord(" ".join([*before, one]), parts))
            before = []
        elif words:
            words[-1] = SpelledWord(f"{words[-1].written} {one}", words[-1].spelled)
        else:
            before.append(one)
    return words


def _each_normalised(written: Sequence[str], normaliser: str) -> list[str]:
    """Return each word normalised, within its line if the counts agree: closing quotation marks need opening ones."""
    alone = [normalise(word, normaliser).split() for word in written]
    together = normalise(" ".join(written), normaliser).split()
    if len(together) != sum(map(len, alone)):
        return [" ".join(words) for words in alone]
    rest = iter(together)
    return [" ".join(next(rest) for _ in words) for words in alone]


def _without_signs(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words of a normalised text, without the signs that the vocabulary lacks."""
    return tuple("".join(c for c in text if c.isalnum() or not vocabulary.unknown(c)).split())


def _is_lost(character: str, normaliser: str) -> bool:
    """Tell whether a character is a letter or a digit, not a modifier of one, and the normaliser drops it."""
    return character.isalnum() and unicodedata.category(character) != "Lm" and not normalise(character, normaliser)


# Times


def _timed(log_probs: LogProbs, text: str, bundle: Bundle, clock: _Clock) -> list[Word]:
    """Return each word of ``text`` with its times and confidence."""
    labels = bundle.vocabulary.encode(text)
    found = forced_alignment(log_probs.characters, labels)
    hypothesis = Hypothesis(text, tuple(labels.tolist()), tuple(found.first.tolist()), found.score)
    spans = word_spans(hypothesis, bundle.vocabulary)
    (evidence,) = word_evidence([log_probs], [hypothesis], bundle.vocabulary)
    confidences = bundle.decoder.alignment_confidence(evidence)
    return [
        Word(span.text, clock(span.start_frame), clock(span.end_frame), float(confidence))
        for span, confidence in zip(spans, confidences, strict=True)
    ]


def _joined(written: str, parts: Sequence[Word]) -> Word:
    """Join the words that spell one word of the text; its confidence is the lowest of theirs."""
    return Word(written, parts[0].start, parts[-1].end, min(part.confidence for part in parts))


def _segment(words: tuple[Word, ...]) -> Segment:
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=words,
        confidence=float(np.mean([word.confidence for word in words])),
    )
