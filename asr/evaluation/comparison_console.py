"""A comparison printed for people: both rates, their difference, the tests and a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asr.evaluation.comparison import SIGNIFICANT, Comparison, Pair, tally
from asr.evaluation.console import NO_WORDS, failure_lines, interval_note, lost_lines, shown_rate
from asr.rates import Interval

_SPEAKERS_SHOWN = 20
_FAILURES_SHOWN = 5


def print_comparison(comparison: Comparison, names: tuple[str, str], console: Console) -> None:
    """Print rates, tests and verdict; ``names`` are the files of A and B. Plain text unless on a terminal."""
    utterances = len(comparison.utterances)
    _line(console, f"{utterances} utterances, normaliser {comparison.a.normalised.normaliser}")
    for letter, name in zip("AB", names, strict=True):
        _line(console, f"{letter}  {name}")
    console.print(_rates(comparison))
    for section in (
        _notes(comparison),
        _lost(comparison),
        _failures(comparison),
        _tests(comparison),
        _tallies(comparison),
    ):
        for line in section:
            _line(console, line)
    if comparison.speakers:
        console.print(_speakers(comparison.speakers))
    _line(console, "\n" + verdict(comparison))


def verdict(comparison: Comparison) -> str:
    """State which system is better, or why no difference can be claimed."""
    if comparison.better:
        other = "B" if comparison.better == "A" else "A"
        return f"{comparison.better} is better than {other}: it makes fewer word errors."
    reasons = []
    if comparison.matched_pairs.p >= SIGNIFICANT:
        reasons.append(f"the matched-pair test has p {_p(comparison.matched_pairs.p)}")
    if comparison.difference is None:
        reasons.append("there is nothing to resample")
    elif not comparison.difference.excludes_zero:
        reasons.append("the interval of the difference contains 0")
    return f"No difference can be claimed: {', and '.join(reasons)}."


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _rates(comparison: Comparison) -> Table:
    table = Table("", box=None, pad_edge=False)
    for title in ("WER %", "95 % interval", "S", "D", "I", "N"):
        table.add_column(title, justify="right", no_wrap=True)
    for letter, evaluation in (("A", comparison.a), ("B", comparison.b)):
        score = evaluation.normalised.words
        e = score.errors
        counts = (e.substitutions, e.deletions, e.insertions, e.reference_length)
        table.add_row(letter, shown_rate(e), _range(score.interval), *map(str, counts))
    if comparison.difference:
        table.add_row("A - B", f"{100 * comparison.difference.rate:+.2f}", _range(comparison.difference.interval, "+"))
    return table


def _range(interval: Interval | None, sign: str = "") -> str:
    return f"{100 * interval.low:{sign}.2f} to {100 * interval.high:{sign}.2f}" if interval else "none"


def _notes(comparison: Comparison) -> Iterator[str]:
    yield interval_note(comparison.difference.interval if comparison.difference else None)


def _lost(comparison: Comparison) -> Iterator[str]:
    yield from dict.fromkeys([*lost_lines(comparison.a), *lost_lines(comparison.b)])


def _failures(comparison: Comparison) -> Iterator[str]:
    for letter, evaluation in (("A", comparison.a), ("B", comparison.b)):
        yield from failure_lines(evaluation.failures, _FAILURES_SHOWN, f"{letter}: ")


def _tests(comparison: Comparison) -> Iterator[str]:
    found = comparison.matched_pairs
    yield ""
    yield (
        f"Matched pairs (MAPSSWE): p {_p(found.p)}; {found.segments} segments with errors, "
        f"A has fewer in {found.a_fewer}, B in {found.b_fewer}"
    )
    if comparison.difference:
        yield f"Paired bootstrap over {comparison.difference.interval.over}: p {_p(comparison.difference.p)}"


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.0001 else "< 0.0001"


def _tallies(comparison: Comparison) -> Iterator[str]:
    yield ""
    for unit, pairs in (("utterances", comparison.utterances), ("speakers", comparison.speakers)):
        if pairs:
            count = tally(pairs)
            yield (
                f"Of {len(pairs)} {unit}, A makes fewer errors in {count.wins}, B in {count.losses}, "
                f"both as many in {count.ties}"
            )


def _speakers(speakers: list[Pair]) -> Table:
    """Return a table of speakers, those with the greatest difference of errors first."""
    table = Table("\nspeaker", box=None, pad_edge=False)
    for title in ("A, WER %", "B, WER %", "A - B", "N"):
        table.add_column(f"\n{title}", justify="right", no_wrap=True)
    ordered = sorted(speakers, key=lambda pair: (-abs(pair.a.errors - pair.b.errors), pair.name))
    for pair in ordered[:_SPEAKERS_SHOWN]:
        difference = f"{100 * (pair.a.rate - pair.b.rate):+.2f}" if pair.a.reference_length else NO_WORDS
        rates = (shown_rate(pair.a), shown_rate(pair.b), difference)
        table.add_row(Text(pair.name), *rates, str(pair.a.reference_length))
    if len(ordered) > _SPEAKERS_SHOWN:
        table.add_row(f"… and {len(ordered) - _SPEAKERS_SHOWN} more")
    return table
