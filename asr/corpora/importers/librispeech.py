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
from asr.corpora.importer import Archive, Importer

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


def _openslr(resource: int, part: str, megabytes: int, md5: str) -> Archive:
    url = f"https://www.openslr.org/resources/{resource}/{part}.tar.gz"
    return Archive(part, url, megabytes, f"LibriSpeech/{part}", f"md5:{md5}")


IMPORTER = Importer(
    "LibriSpeech or mini LibriSpeech: a folder with *.trans.txt somewhere below",
    read,
    archives=(
        _openslr(31, "dev-clean-2", 126, "6d7ab67ac6a1d2c993d050e16d61080d"),
        _openslr(31, "train-clean-5", 332, "5df7d4e78065366204ca6845bb08f490"),
        _openslr(12, "dev-clean", 338, "42e2234ba48799c1f50f24a7926300a1"),
        _openslr(12, "dev-other", 314, "c8d0bcc9cca99d4f8b62fcc847357931"),
        _openslr(12, "test-clean", 347, "32fa31d27d2e1cad72775fff3f4849a9"),
        _openslr(12, "test-other", 329, "fb5a50374b501bb3bac4815ee91d3135"),
        _openslr(12, "train-clean-100", 6387, "2a93770f6d5c6c964bc36631d331a522"),
        _openslr(12, "train-clean-360", 23049, "c0e676e450a7ff2f54aeade5171606fa"),
        _openslr(12, "train-other-500", 30594, "d1a0fd59409feb2c614ce4d30c387708"),
    ),
)
