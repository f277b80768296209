"""The search for leaks of every kind, and its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr.data import Utterance
from asr.leaks.overlap import TextOverlap, text_overlap
from asr.leaks.recordings import SharedRecordings, Watch, shared_recordings
from asr.leaks.sentences import SharedSentences, shared_sentences
from asr.leaks.speakers import SharedSpeakers, shared_speakers


@dataclass(frozen=True)
class Leaks:
    """The overlap of ``train`` training and ``test`` test utterances; ``text`` is None if no text was searched."""

    train: int
    test: int
    speakers: SharedSpeakers
    recordings: SharedRecordings
    sentences: SharedSentences
    text: TextOverlap | None

    @property
    def serious(self) -> bool:
        """Whether training and test share a speaker or a recording, so that the test result cannot be trusted."""
        return bool(self.speakers.speakers or self.recordings.pairs)

    def to_json(self, worst: int = 5) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts, ``worst`` examples of each kind; shares are fractions."""
        recordings, sentences = self.recordings, self.sentences
        return {
            "train": self.train,
            "test": self.test,
            "serious": self.serious,
            "speakers": {"shared": self.speakers.speakers, "unknown": self.speakers.unknown},
            "recordings": {
                "shared": [{"train": train, "test": test} for train, test in recordings.pairs],
                "decoded": recordings.decoded,
                "failures": [
                    {"id": name, "code": error.code, "message": str(error)} for name, error in recordings.failures
                ],
            },
            "sentences": {
                "utterances": sentences.utterances,
                "shared": sentences.shared,
                "shared_of_five_words_or_more": sentences.shared_long,
                "as_long": len(sentences.suspicious),
                "examples": [asdict(sentence) for sentence in sentences.sentences[:worst]],
            },
            "text": self.text and _text_json(self.text, worst),
        }


def _text_json(text: TextOverlap, worst: int) -> dict[str, Any]:
    counts = {"words": text.words, "references": text.utterances, "runs": text.runs, "found": text.found}
    rows = [asdict(utterance) for utterance in text.worst[:worst]]
    return counts | {"share": text.share, "overlapping": len(text.worst), "examples": rows}


def find_leaks(
    train: Sequence[Utterance],
    test: Sequence[Utterance],
    text: Iterable[str] | None = None,
    watch: Watch = iter,
) -> Leaks:
    """Search for leaks of every kind.

    Args:
        train: utterances to train on.
        test: utterances to test on.
        text: the language model's text as blocks of normalised words; None if there is none.
        watch: wraps the list of utterances whose audio is decoded, to show progress.

    Raises:
        AsrError: ``text`` cannot be read; recordings that cannot be read are listed in the result instead.
    """
    return Leaks(
        train=len(train),
        test=len(test),
        speakers=shared_speakers(train, test),
        recordings=shared_recordings(train, test, watch),
        sentences=shared_sentences(train, test),
        text=None if text is None else text_overlap(test, text),
    )
