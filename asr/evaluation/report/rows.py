"""The rows of the page, one for each utterance."""

from __future__ import annotations

from dataclasses import dataclass

from asr.evaluation.evaluation import Evaluation, ScoredUtterance
from asr.evaluation.report.columns import Column, columns
from asr.evaluation.report.report import Report


@dataclass(frozen=True)
class Row:
    """An utterance: the score or the error code of each system, and the data for the player.

    ``index`` is its index in the evaluation, ``audio`` its recording's data: URI, and ``words`` are (text, start, end,
    confidence).
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
        """The scored utterance of the system that the page is about."""
        return self.readings[0]

    @property
    def differs(self) -> bool:
        """Whether the hypotheses of the systems differ."""
        return len({reading.hypothesis for reading in self.readings}) > 1


def worst_first(evaluation: Evaluation) -> list[int]:
    """Sort the indices of all utterances: most word errors first, then the highest rate first, then by id."""
    utterances = evaluation.normalised.utterances
    keys = [(-u.words.errors, -u.words.rank, u.id) for u in utterances]
    return sorted(range(len(utterances)), key=keys.__getitem__)


def rows(report: Report) -> list[Row]:
    """Make a row of each utterance, in the order of ``worst_first``."""
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
