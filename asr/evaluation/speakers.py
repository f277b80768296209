"""What a bootstrap draws: speakers, or utterances where there are no speakers to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from asr.evaluation.interval import Over


class Spoken(Protocol):
    """Anything said by somebody."""

    @property
    def speaker(self) -> str:
        """Who said it; where that is not known, the id."""


T = TypeVar("T", bound=Spoken)


def by_speaker(utterances: Sequence[T]) -> dict[str, list[T]]:
    """The utterances of each speaker, in order; none where each utterance has its own."""
    grouped: dict[str, list[T]] = {}
    for utterance in utterances:
        grouped.setdefault(utterance.speaker, []).append(utterance)
    return grouped if len(grouped) < len(utterances) else {}


def drawn_groups(utterances: Sequence[T]) -> tuple[Over, list[list[T]]]:
    """Speakers; where there is one only, or each utterance has its own, utterances."""
    speakers = by_speaker(utterances)
    if len(speakers) > 1:
        return "speakers", list(speakers.values())
    return "utterances", [[utterance] for utterance in utterances]
