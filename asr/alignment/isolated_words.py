"""Single words cut out of sentences, for models of isolated words to learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asr.alignment.align import align_utterance
from asr.data import Utterance
from asr.errors import AsrError, ConfigError
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Word
from asr.text import normalise

MARGIN_S = 0.08
"""How much is kept around a word, in seconds: CTC's labels begin after a word does. At most half of what is between."""

LEAST_CONFIDENCE = 0.3
"""Words that the recording spells with less probability may not be said there."""


class WordCutter:
    """Finds words wherever they are said, by the texts and forced alignment.

    Attributes:
        words: what is looked for, written by the normaliser of the model's bundle.
    """

    def __init__(self, model: Transcriber, words: Iterable[str]) -> None:
        """Look for ``words``.

        Raises:
            ConfigError: one of them is no word or several, once it is normalised.
        """
        self._model, self._normaliser = model, model.bundle.normaliser
        self.words = tuple(self._normalised(word) for word in words)

    def _normalised(self, word: str) -> str:
        parts = normalise(word, self._normaliser).split()
        if len(parts) != 1:
            raise ConfigError(f"{word!r} is not one word of letters; write it as it is spoken, such as NINE for 9")
        return parts[0]

    def __call__(self, utterances: Iterable[Utterance]) -> Iterator[Utterance | AsrError]:
        """Yield each word that is said, an utterance of its own, the fourth word of u1 as ``u1-w3``.

        A word within one that is written with a hyphen, ONE in TWENTY-ONE, is not looked for. Utterances without any
        of the words are passed over; of one that cannot be aligned the error comes.
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
