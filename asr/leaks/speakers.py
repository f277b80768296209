"""Who is heard in training and in the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from asr.data import Utterance


@dataclass(frozen=True)
class SharedSpeakers:
    """Names of both sides, with the test's utterances of each; ``unknown`` utterances of the test name nobody.

    Names are compared as the manifests have them: two corpora may each have another speaker of one name.
    """

    speakers: dict[str, int]
    unknown: int


def shared_speakers(train: Sequence[Utterance], test: Sequence[Utterance]) -> SharedSpeakers:
    """Speakers of ``test`` who are in ``train`` too; one who is called as the utterance is, is not known."""
    heard = {utterance.speaker for utterance in train if utterance.speaker != utterance.id}
    known = [utterance.speaker for utterance in test if utterance.speaker != utterance.id]
    return SharedSpeakers(dict(Counter(name for name in known if name in heard)), len(test) - len(known))
