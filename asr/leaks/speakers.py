"""Speakers shared by training and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from asr.data import Utterance


@dataclass(frozen=True)
class SharedSpeakers:
    """Speakers in both training and test, by name, each with its number of test utterances.

    ``unknown`` is the number of test utterances whose speaker is not known. Names are compared as the manifests have
    them, so two corpora may use one name for different speakers.
    """

    speakers: dict[str, int]
    unknown: int


def shared_speakers(train: Sequence[Utterance], test: Sequence[Utterance]) -> SharedSpeakers:
    """Find the speakers of ``test`` who are also in ``train``; a speaker named like the utterance is unknown."""
    heard = {utterance.speaker for utterance in train if utterance.speaker != utterance.id}
    known = [utterance.speaker for utterance in test if utterance.speaker != utterance.id]
    return SharedSpeakers(dict(Counter(name for name in known if name in heard)), len(test) - len(known))
