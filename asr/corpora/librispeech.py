"""LibriSpeech and mini LibriSpeech (https://www.openslr.org/12, https://www.openslr.org/31).

Recordings lie in ``{subset}/{speaker}/{chapter}/{speaker}-{chapter}-{number}.flac``; each chapter has one
``{speaker}-{chapter}.trans.txt``, a line an utterance, the id up to the first space::

    1272-128104-0000 MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES …
    1272-128104-0001 NOR IS MISTER QUILTER'S MANNER LESS INTERESTING THAN HIS MATTER

One manifest a subset: ``dev-clean.jsonl``. The speaker is the reader's number, ``1272``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpora.disk import files_below, not_the_corpus, read_lines, without_transcript
from asr.corpora.entry import Dropped, Entry

_SUFFIX = ".trans.txt"


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield every utterance of every chapter below ``folder``."""
    chapters = [path for path in files_below(folder) if path.name.endswith(_SUFFIX)]
    if not chapters:
        raise not_the_corpus(folder, "librispeech", f"SUBSET/SPEAKER/CHAPTER/*{_SUFFIX}", f"*{_SUFFIX}")
    for transcripts in chapters:
        yield from _read_chapter(transcripts)


def _read_chapter(transcripts: Path) -> Iterator[Entry | Dropped]:
    chapter = transcripts.parent
    subset, speaker = chapter.parents[1].name, chapter.parent.name
    texts = [_split(line) for line in read_lines(transcripts)]
    for identity, text in texts:
        yield Entry(subset, identity, chapter / f"{identity}.flac", text, speaker)
    yield from without_transcript(subset, chapter, dict(texts))


def _split(line: str) -> tuple[str, str]:
    identity, _, text = line.strip().partition(" ")
    return identity, text
