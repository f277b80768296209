"""Errors by speaker and by length of the utterance, of the evaluated system and of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.evaluation import speakers
from asr.evaluation.error_rate import ErrorRate
from asr.evaluation.report.report import Report, System

_SECONDS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0)
_WORDS = (0.0, 3.0, 6.0, 11.0, 21.0, 31.0, 51.0)
"""The lower bounds of the groups by length, in seconds and in words."""


@dataclass(frozen=True)
class Group:
    """A group of utterances: its errors, and the other systems' word errors; ``order`` is the key to sort by."""

    name: str
    order: float | str
    utterances: int
    words: ErrorRate
    characters: ErrorRate
    others: tuple[ErrorRate, ...]


def by_speaker(report: Report) -> list[Group]:
    """Group utterances by speaker, the highest WER first; return no groups if each utterance has its own speaker."""
    utterances = report.system.evaluation.normalised.utterances
    places = {utterance.id: at for at, utterance in enumerate(utterances)}
    groups = [
        _group(report, speaker, speaker, [places[utterance.id] for utterance in of_speaker])
        for speaker, of_speaker in speakers.by_speaker(utterances).items()
    ]
    return sorted(groups, key=lambda group: (-group.words.rank, group.name))


def by_length(report: Report) -> list[Group]:
    """Group utterances by length, the shortest first: in seconds if all durations are known, else in words."""
    utterances = report.system.evaluation.normalised.utterances
    timed = all(u.id in report.durations for u in utterances)
    starts = _SECONDS if timed else _WORDS
    places: list[list[int]] = [[] for _ in starts]
    for at, utterance in enumerate(utterances):
        length = report.durations[utterance.id] if timed else utterance.words.reference_length
        places[sum(start <= length for start in starts) - 1].append(at)
    names = [
        length_name(*bounds, "s" if timed else "words") for bounds in zip(starts, (*starts[1:], None), strict=True)
    ]
    named = zip(names, starts, places, strict=True)
    return [_group(report, name, start, of_length) for name, start, of_length in named if of_length]


def _group(report: Report, name: str, order: float | str, places: Sequence[int]) -> Group:
    utterances = report.system.evaluation.normalised.utterances
    characters = sum((utterances[at].characters for at in places), ErrorRate())
    own, *others = (_word_errors(system, places) for system in report.systems)
    return Group(name, order, len(places), own, characters, tuple(others))


def _word_errors(system: System, places: Sequence[int]) -> ErrorRate:
    return sum((system.evaluation.normalised.utterances[at].words for at in places), ErrorRate())


def length_name(low: float, high: float | None, unit: str) -> str:
    """Name the group of lengths from ``low`` to less than ``high``.

    >>> length_name(2.0, 4.0, "s"), length_name(30.0, None, "s"), length_name(3.0, 6.0, "words")
    ('2 to 4 s', '30 s or more', '3 to 5 words')
    """
    if high is None:
        return f"{low:g} {unit} or more"
    return f"{low:g} to {high - (unit == 'words'):g} {unit}"
