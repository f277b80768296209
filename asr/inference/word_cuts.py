"""Single words out of sentences, as isolated words to train on: Speech Commands and the like from what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from asr.data import Utterance
from asr.errors import AsrError
from asr.inference.align import align_utterance, normaliser_of
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Word
from asr.text import normalise

MARGIN_S = 0.08
"""How much is kept around a word, in seconds: CTC's labels begin after a word does. At most half of what is between."""

LEAST_CONFIDENCE = 0.3
"""Words that are spelled by the recording with less probability may not be said there."""


def cut_words(
    model: Transcriber, utterances: Sequence[Utterance], words: Collection[str]
) -> Iterator[Utterance | AsrError]:
    """Yield each of ``words`` wherever it is said, an utterance of its own, the fourth word of u1 as ``u1-w3``.

    Args:
        model: aligns; words and texts are normalised as its card says its own were.
        utterances: with texts, of which those without any of the words are passed over.
        words: to look for.

    Yields:
        Spans of the utterances' recordings, and the error of an utterance that could not be aligned.
    """
    normaliser = normaliser_of(model.bundle)
    wanted = {normalise(word, normaliser) for word in words}
    for utterance in utterances:
        if set(normalise(utterance.text, normaliser).split()).isdisjoint(wanted):
            continue
        try:
            aligned = align_utterance(model, utterance)
        except AsrError as error:
            yield error
            continue
        said = [word for segment in aligned.segments for word in segment.words]
        for number, word in enumerate(said):
            text = normalise(word.text, normaliser)
            if text in wanted and word.confidence >= LEAST_CONFIDENCE:
                yield _alone(utterance, said, number, text)


def _alone(utterance: Utterance, said: Sequence[Word], number: int, text: str) -> Utterance:
    word = said[number]
    before = said[number - 1].end if number else utterance.offset
    after = said[number + 1].start if number + 1 < len(said) else utterance.offset + utterance.duration
    start = max(word.start - MARGIN_S, (word.start + before) / 2)
    end = min(word.end + MARGIN_S, (word.end + after) / 2)
    return Utterance(
        id=f"{utterance.id}-w{number}",
        audio_filepath=utterance.audio_filepath,
        duration=round(end - start, 3),
        text=text,
        speaker=utterance.speaker,
        offset=round(start, 3),
    )
