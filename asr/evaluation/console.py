"""An evaluation printed for people: rates in per cent, tables, and the worst utterances aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asr.evaluation.alignment import alignment_lines
from asr.evaluation.error_rate import ErrorRate
from asr.evaluation.evaluation import Evaluation, Failure, Score
from asr.rates import Interval
from asr.text.scripts import mostly_unspaced

_SPEAKERS_SHOWN = 20
_FAILURES_SHOWN = 20

NO_WORDS = "no words"
"""Shown in place of an error rate over references without a word."""


def print_evaluation(evaluation: Evaluation, console: Console, worst: int = 5) -> None:
    """Print corpus rates, failures, speakers and the ``worst`` utterances; plain text unless on a terminal."""
    _line(console, f"{len(evaluation.normalised.utterances)} utterances")
    console.print(_rates(evaluation))
    _line(console, interval_note(evaluation.normalised.words.interval))
    for section in (
        lost_lines(evaluation),
        _unspaced(evaluation),
        failure_lines(evaluation.failures, _FAILURES_SHOWN),
        _worst(evaluation, worst, console.width),
    ):
        for line in section:
            _line(console, line)
    if len(evaluation.by_speaker()) > 1:
        _print_speakers(evaluation, console)


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _rates(evaluation: Evaluation) -> Table:
    table = Table("", "normaliser", box=None, pad_edge=False)
    for title in ("%", "95 % interval", "S", "D", "I", "N"):
        table.add_column(title, justify="right", no_wrap=True)
    rows = [evaluation.normalised]
    if evaluation.normalised.normaliser != "verbatim":
        rows.append(evaluation.verbatim)
    for scores in rows:
        table.add_row("WER", scores.normaliser, *_score_cells(scores.words))
        table.add_row("CER", scores.normaliser, *_score_cells(scores.characters))
    return table


def _score_cells(score: Score) -> list[str]:
    interval = score.interval
    shown = f"{100 * interval.low:.2f} to {100 * interval.high:.2f}" if interval else "none"
    rate, *counts = _cells(score.errors)
    return [rate, shown, *counts]


def _cells(errors: ErrorRate) -> list[str]:
    counts = (errors.substitutions, errors.deletions, errors.insertions, errors.reference_length)
    return [shown_rate(errors), *map(str, counts)]


def shown_rate(errors: ErrorRate) -> str:
    """Return an error rate in per cent, or ``no words`` where the references have none.

    >>> shown_rate(ErrorRate(1, 0, 0, 8)), shown_rate(ErrorRate(insertions=2))
    ('12.50', 'no words')
    """
    return f"{100 * errors.rate:.2f}" if errors.reference_length else NO_WORDS


def lost_lines(evaluation: Evaluation) -> Iterator[str]:
    """Yield what the normaliser leaves out of references and hypotheses, a line each; nothing where it is nothing."""
    normaliser = evaluation.normalised.normaliser
    for side, losses in (("references", evaluation.lost.references), ("hypotheses", evaluation.lost.hypotheses)):
        if losses:
            yield f"Not scored: {normaliser} leaves out of the {side} {'; '.join(map(str, losses))}."


def interval_note(interval: Interval | None) -> str:
    """Say in a sentence how an interval was computed, and from what."""
    if interval is None:
        return "No interval: it needs two utterances and a reference that is not empty."
    drawn = f"{interval.groups} {interval.over}"
    if interval.resamples:
        note = f"Intervals: studentised bootstrap, {interval.resamples} resamples of {drawn}, seed {interval.seed}."
    else:
        note = f"Intervals: Student's t over {drawn}, too few to resample."
    if interval.over == "utterances":
        return note + " Speakers are not known, or there is one only: differences between speakers are not included."
    return note


def failure_lines(failures: Sequence[Failure], most: int, whose: str = "") -> Iterator[str]:
    """List failed utterances by id with their errors, at most ``most``; yield nothing if none failed."""
    if failures:
        yield f"\n{whose}{len(failures)} failed; each of their words counts as deleted:"
    for failure in failures[:most]:
        yield f"  {failure.id}: error[{failure.code}]: {failure.message}"
    if len(failures) > most:
        yield f"  … and {len(failures) - most} more"


def _unspaced(evaluation: Evaluation) -> Iterator[str]:
    """Yield a line where the references are of a script that puts no spaces between words."""
    if mostly_unspaced(utterance.reference for utterance in evaluation.normalised.utterances):
        yield "The references are of a script that puts no spaces between words: read the CER, not the WER."


def _worst(evaluation: Evaluation, count: int, width: int) -> Iterator[str]:
    utterances = evaluation.worst(count)
    if utterances:
        yield f"\nMost word errors, {len(utterances)} utterances:"
    for utterance in utterances:
        yield f"\n{utterance.id}  errors: {utterance.words.errors}, words: {utterance.words.reference_length}"
        yield from alignment_lines(utterance.reference, utterance.hypothesis, width)


def _print_speakers(evaluation: Evaluation, console: Console) -> None:
    speakers = evaluation.by_speaker()
    table = Table("speaker", box=None, pad_edge=False)
    for title in ("utterances", "WER %", "S", "D", "I", "N", "CER %"):
        table.add_column(title, justify="right", no_wrap=True)
    for score in speakers[:_SPEAKERS_SHOWN]:
        cells = (str(score.utterances), *_cells(score.words), shown_rate(score.characters))
        table.add_row(Text(score.speaker), *cells)
    shown = min(len(speakers), _SPEAKERS_SHOWN)
    _line(console, f"\n{len(speakers)} speakers" + (f", the {shown} worst" if shown < len(speakers) else ""))
    console.print(table)
