"""Single words cut out of sentences, on which models of isolated words can be trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asr.alignment.align import align_utterance
from asr.data import Utterance
from asr.errors import AsrError, ConfigError
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Word
from asr.text import normalise

MARGIN_S = 0.08
"""Seconds kept around a word, because CTC's labels begin after the word does; at most half the gap to the next word."""

LEAST_CONFIDENCE = 0.3
"""The lowest confidence of a word that is kept; below it, the word may not be said there."""


class WordCutter:
    """A cutter that finds words in utterances by their texts and by forced alignment.

    Attributes:
        words: the words to find, as the normaliser of the model's bundle writes them.
    """

    def __init__(self, model: Transcriber, words: Iterable[str]) -> None:
        """Make a cutter that finds ``words``.

        Raises:
            ConfigError: one of them is not exactly one word after normalisation.
        """
        self._model, self._normaliser = model, model.bundle.normaliser
        self.words = tuple(self._normalised(word) for word in words)

    def _normalised(self, word: str) -> str:
        parts = normalise(word, self._normaliser).split()
        if len(parts) != 1:
            raise ConfigError(f"{word!r} is not one word of letters; write it as it is spoken, such as NINE for 9")
        return parts[0]

    def __call__(self, utterances: Iterable[Utterance]) -> Iterator[Utterance | AsrError]:
        """Yield each word that is found as an utterance of its own; the fourth word of u1 is ``u1-w3``.

        A part of a hyphenated word, such as ONE in TWENTY-ONE, is not found. Utterances without any of the words are
        skipped. For an utterance that cannot be aligned, its error is yielded.
        """
        for utterance in utterances:
            if set(normalise(utterance.text, self._normaliser).split()).isdisjoint(self.words):
                continue
            try:
                aligned = align_utterance(self._model, utterance)
            except AsrError as error:
                yield error
                continue
            said = [word for segment in aligned.segments for word in segment.words]
            for number, word in enumerate(said):
                text = normalise(word.text, self._normaliser)
                if text in self.words and word.confidence >= LEAST_CONFIDENCE:
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
