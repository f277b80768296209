"""The groups that a bootstrap draws: speakers, or utterances if speakers are not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from asr.rates import Over


class Spoken(Protocol):
    """Anything with a speaker, such as an utterance."""

    @property
    def speaker(self) -> str:
        """The speaker's name; the id of the utterance if the speaker is not known."""


T = TypeVar("T", bound=Spoken)


def by_speaker(utterances: Sequence[T]) -> dict[str, list[T]]:
    """Group the utterances by speaker, in order; return no groups if each utterance has its own speaker."""
    grouped: dict[str, list[T]] = {}
    for utterance in utterances:
        grouped.setdefault(utterance.speaker, []).append(utterance)
    return grouped if len(grouped) < len(utterances) else {}


def drawn_groups(utterances: Sequence[T]) -> tuple[Over, list[list[T]]]:
    """Return the groups to draw: speakers, or utterances if there is one speaker or each utterance has its own."""
    speakers = by_speaker(utterances)
    if len(speakers) > 1:
        return "speakers", list(speakers.values())
    return "utterances", [[utterance] for utterance in utterances]
