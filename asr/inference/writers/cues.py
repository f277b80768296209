"""Transcript → cues: which words a subtitle shows at once, on which lines, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from asr.inference.transcript import Transcript, Word
from asr.inference.writers.options import SubtitleOptions
from asr.inference.writers.times import milliseconds, span
from asr.inference.writers.words import one_line, words_of


@dataclass(frozen=True)
class Cue:
    """The words that a subtitle shows from ``start`` to ``end``.

    Attributes:
        start: milliseconds from the recording's start.
        end: milliseconds from the recording's start, after ``start`` and not after the next cue's start.
        lines: the words of each line; the whole text is one where cues are not made of words.
        marked: which word is underlined, counted from 0 through all lines.
    """

    start: int
    end: int
    lines: tuple[tuple[Word, ...], ...]
    marked: int | None = None

    @property
    def words(self) -> Iterator[Word]:
        """The words of all lines."""
        return chain.from_iterable(self.lines)


def cues(transcript: Transcript, options: SubtitleOptions) -> list[Cue]:
    """Return the cues in order of time; none is empty, and no two are shown at once."""
    cut: Iterable[Cue] = chain.from_iterable(_blocks(run, options) for run in _runs(transcript, options))
    if options.max_line_count is not None:
        cut = _long_enough(list(cut), options, transcript.duration)
    if options.highlight_words:
        cut = chain.from_iterable(map(_each_marked, cut))
    return _apart(list(cut))


def _runs(transcript: Transcript, options: SubtitleOptions) -> Iterator[list[Word]]:
    """Yield words that may share a cue: those of a segment or, where a cue has a size, all up to a pause."""
    if not options.by_words:
        texts = (Word(one_line(s.text), s.start, s.end, s.confidence) for s in transcript.segments)
        return ([text] for text in texts if text.text)
    of_segments = map(words_of, transcript.segments)
    if options.max_line_count is None:
        return filter(None, of_segments)
    return _between_pauses(chain.from_iterable(of_segments), options.pause_s)


def _between_pauses(words: Iterable[Word], pause_s: float) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word in words:
        if run and word.start - run[-1].end > pause_s:
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _blocks(words: Sequence[Word], options: SubtitleOptions) -> Iterator[Cue]:
    """Break words into lines of as many as fit, at least one, and lines into cues."""
    block: list[list[Word]] = []
    for word in words:
        if block and word.end - block[0][0].start > options.longest_s:
            yield _cue(block)
            block = []
        if block and _fits(block[-1], word, options.max_line_width):
            block[-1].append(word)
            continue
        if len(block) == options.max_line_count:
            yield _cue(block)
            block = []
        block.append([word])
    if block:
        yield _cue(block)


def _fits(line: Sequence[Word], word: Word, width: int | None) -> bool:
    return width is None or sum(1 + len(w.text) for w in line) + len(word.text) <= width


def _cue(block: Sequence[Sequence[Word]]) -> Cue:
    return Cue(*span(block[0][0].start, block[-1][-1].end), lines=tuple(map(tuple, block)))


def _long_enough(cut: Sequence[Cue], options: SubtitleOptions, duration: float) -> Iterator[Cue]:
    """Show each cue as long as the options have it, but not into the next or beyond the recording."""
    for place, cue in enumerate(cut):
        most = cue.start + 1000 * options.longest_s
        room = cut[place + 1].start if place + 1 < len(cut) else milliseconds(duration)
        longer = min(cue.start + milliseconds(options.shortest_s), room)
        yield replace(cue, end=int(min(max(cue.end, longer), most)))


def _each_marked(cue: Cue) -> Iterator[Cue]:
    """Yield the cue once for each word, that word marked, and with none marked in the pauses, as whisper does."""
    until = cue.start
    for place, word in enumerate(cue.words):
        start, end = span(word.start, word.end)
        if start > until:
            yield replace(cue, start=until, end=start)
        yield replace(cue, start=start, end=end, marked=place)
        until = max(until, end)


def _apart(cut: Sequence[Cue]) -> list[Cue]:
    """Have each cue end before the next begins, and last at least the millisecond that WebVTT asks for."""
    placed: list[Cue] = []
    free = 0
    for place, cue in enumerate(cut):
        start = max(cue.start, free)
        following = cut[place + 1].start if place + 1 < len(cut) else cue.end
        free = max(start + 1, min(cue.end, following))
        placed.append(replace(cue, start=start, end=free))
    return placed


def shown(cue: Cue, texts: Iterable[str]) -> str:
    """Return the cue's lines with ``texts`` in place of its words, the marked one underlined."""
    marked = (f"<u>{text}</u>" if place == cue.marked else text for place, text in enumerate(texts))
    return "\n".join(" ".join(next(marked) for _ in line) for line in cue.lines)
