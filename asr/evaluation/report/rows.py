"""The utterances of the page."""

from __future__ import annotations

from dataclasses import dataclass

from asr.evaluation.evaluation import Evaluation, ScoredUtterance
from asr.evaluation.report.columns import Column, columns
from asr.evaluation.report.report import Report


@dataclass(frozen=True)
class Row:
    """An utterance: how each system read it, or the code of what it failed with, and what the player needs.

    ``index`` is its place in the evaluation, ``audio`` its recording's data: URI, and ``words`` have text, start, end
    and confidence.
    """

    index: int
    readings: tuple[ScoredUtterance, ...]
    failures: tuple[str | None, ...]
    columns: list[Column]
    duration: float | None
    audio: str | None
    words: tuple[tuple[str, float, float, float], ...]

    @property
    def own(self) -> ScoredUtterance:
        """How the system that the page is about read it."""
        return self.readings[0]

    @property
    def differs(self) -> bool:
        """Whether the systems read it differently."""
        return len({reading.hypothesis for reading in self.readings}) > 1


def worst_first(evaluation: Evaluation) -> list[int]:
    """Places of all utterances: those with most word errors first, then those with the highest rate, then by id."""
    utterances = evaluation.normalised.utterances
    keys = [(-u.words.errors, -u.words.rank, u.id) for u in utterances]
    return sorted(range(len(utterances)), key=keys.__getitem__)


def rows(report: Report) -> list[Row]:
    """All utterances, ``worst_first``."""
    failures = [{failure.id: failure.code for failure in system.evaluation.failures} for system in report.systems]
    return [_row(report, failures, at) for at in worst_first(report.system.evaluation)]


def _row(report: Report, failures: list[dict[str, str]], at: int) -> Row:
    readings = tuple(system.evaluation.normalised.utterances[at] for system in report.systems)
    own = readings[0]
    return Row(
        index=at,
        readings=readings,
        failures=tuple(of_system.get(own.id) for of_system in failures),
        columns=columns(own.reference, [reading.hypothesis for reading in readings]),
        duration=report.durations.get(own.id),
        audio=report.recordings.get(own.id),
        words=tuple((w.text, w.start, w.end, w.confidence) for w in report.system.words.get(own.id, ())),
    )
