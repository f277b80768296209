"""Leaks as people read them: a table, the worst examples, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asr.leaks.leaks import Leaks
from asr.leaks.sentences import SHORT_WORDS


def print_leaks(leaks: Leaks, console: Console, worst: int = 5) -> None:
    """Print what is shared, ``worst`` examples of each; plain where no terminal is."""
    _line(console, f"{leaks.train} utterances to train on, {leaks.test} to test on")
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
    table.add_column("of the test's", justify="right", no_wrap=True)
    table.add_column("")
    speakers, recordings, sentences = leaks.speakers, leaks.recordings, leaks.sentences
    note = f"{len(speakers.speakers)} speakers" + (f"; {speakers.unknown} name none" if speakers.unknown else "")
    table.add_row("utterances of shared speakers", *_share(sum(speakers.speakers.values()), leaks.test), note)
    note = f"by their samples; {recordings.decoded} of like length were decoded"
    table.add_row("recordings", *_share(len({test for _, test in recordings.pairs}), leaks.test), note)
    note = f"of these {sentences.shared_long} have more than {SHORT_WORDS} words"
    table.add_row("sentences", *_share(sentences.shared, sentences.utterances), note)
    if text := leaks.text:
        note = f"in {len(text.worst)} of {text.utterances} references, of {text.words:,} words of text"
        table.add_row("runs of 8 words in the text", *_share(text.found, text.runs), note)
    return table


def _share(count: int, total: int) -> tuple[str, str]:
    return f"{count}", f"{total} ({100 * count / total if total else 0:.2f} %)"


def _examples(leaks: Leaks) -> Iterator[tuple[str, list[str]]]:
    yield "Shared speakers:", [f"{name}: {times} of the test's" for name, times in leaks.speakers.speakers.items()]
    yield "The same recordings:", [f"{test} is {train} of the training" for train, test in leaks.recordings.pairs]
    yield (
        "Not compared, as they cannot be read:",
        [f"{name}: error[{error.code}]: {error}" for name, error in leaks.recordings.failures],
    )
    yield (
        f"Sentences of more than {SHORT_WORDS} words as long on both sides; they may be copies compressed anew:",
        [f"{s.in_train}, {s.in_test}: {s.text}" for s in leaks.sentences.suspicious],
    )
    yield (
        "Shared sentences, the longest first (times in training, in the test):",
        [f"{s.in_train}, {s.in_test}: {s.text}" for s in leaks.sentences.sentences],
    )
    if leaks.text:
        yield (
            "References the text has most of:",
            [f"{row.id}: {row.found} of {row.runs} runs, such as {row.example}" for row in leaks.text.worst],
        )


def _verdict(leaks: Leaks) -> str:
    if leaks.serious:
        return "Leak: the test has speakers or recordings of the training."
    if leaks.recordings.failures:
        return "No speaker and no recording found on both sides, but not everything could be read."
    return "No speaker and no recording is on both sides."
