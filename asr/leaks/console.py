"""Leaks printed for people: a table, the worst examples and a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asr.leaks.leaks import Leaks
from asr.leaks.sentences import SHORT_WORDS


def print_leaks(leaks: Leaks, console: Console, worst: int = 5) -> None:
    """Print what training and test share, with ``worst`` examples of each kind; plain text unless on a terminal."""
    _line(console, f"{leaks.train} utterances in training, {leaks.test} in the test")
    console.print(_table(leaks))
    for title, examples in _examples(leaks):
        if examples and worst:
            _line(console, f"\n{title}")
        for example in examples[:worst]:
            _line(console, f"  {_cut(example, console.width - 2)}")
        if len(examples) > worst > 0:
            _line(console, f"  … and {len(examples) - worst} more")
    _line(console, "\n" + _verdict(leaks))


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _table(leaks: Leaks) -> Table:
    table = Table("", box=None, pad_edge=False)
    table.add_column("shared", justify="right", no_wrap=True)
    table.add_column("of all in the test", justify="right", no_wrap=True)
    table.add_column("")
    speakers, recordings, sentences = leaks.speakers, leaks.recordings, leaks.sentences
    note = f"{len(speakers.speakers)} speakers" + (f"; unknown in {speakers.unknown}" if speakers.unknown else "")
    table.add_row("utterances of shared speakers", *_share(sum(speakers.speakers.values()), leaks.test), note)
    note = f"compared by samples; {recordings.decoded} of equal duration were decoded"
    table.add_row("recordings", *_share(len({test for _, test in recordings.pairs}), leaks.test), note)
    note = f"{sentences.shared_long} of them have more than {SHORT_WORDS} words"
    table.add_row("sentences", *_share(sentences.shared, sentences.utterances), note)
    if text := leaks.text:
        note = f"in {len(text.worst)} of {text.utterances} references; the text has {text.words:,} words"
        table.add_row("8-grams in the text", *_share(text.found, text.runs), note)
    return table


def _share(count: int, total: int) -> tuple[str, str]:
    return f"{count}", f"{total} ({100 * count / total if total else 0:.2f} %)"


def _examples(leaks: Leaks) -> Iterator[tuple[str, list[str]]]:
    shared = leaks.speakers.speakers.items()
    yield "Shared speakers, with their utterances in the test:", [f"{name}: {count}" for name, count in shared]
    yield "Shared recordings:", [f"{test} is {train} in training" for train, test in leaks.recordings.pairs]
    yield (
        "Not compared, because they cannot be read:",
        [f"{name}: error[{error.code}]: {error}" for name, error in leaks.recordings.failures],
    )
    yield (
        f"Sentences of more than {SHORT_WORDS} words with equal durations; they may be recordings compressed again:",
        [f"{s.in_train}, {s.in_test}: {s.text}" for s in leaks.sentences.suspicious],
    )
    yield (
        "Shared sentences, the longest first (utterances in training, in the test):",
        [f"{s.in_train}, {s.in_test}: {s.text}" for s in leaks.sentences.sentences],
    )
    if leaks.text:
        yield (
            "References with the most 8-grams in the text:",
            [f"{row.id}: {row.found} of {row.runs} 8-grams, such as {row.example}" for row in leaks.text.worst],
        )


def _verdict(leaks: Leaks) -> str:
    if leaks.serious:
        return "Leak: training and test share speakers or recordings."
    if leaks.recordings.failures:
        return "No shared speaker or recording was found, but not everything could be read."
    return "No speaker and no recording is in both training and test."
