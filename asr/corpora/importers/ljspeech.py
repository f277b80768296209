"""LJ Speech 1.1 (https://keithito.com/LJ-Speech-Dataset).

``metadata.csv`` is separated by ``|`` and not quoted: id, transcript, and the transcript with numbers and
abbreviations written as they were read, which is the one taken::

    LJ001-0007|the earliest book printed with movable types, the Gutenberg, or "forty-two line Bible" of about 1455,|…

Recordings are ``wavs/{id}.wav``. One manifest, ``all.jsonl``; the only speaker is ``LJ``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpora.disk import not_the_corpus, read_lines, without_transcript
from asr.corpora.entry import Dropped, Entry
from asr.corpora.importer import Archive, Importer


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the utterances of ``metadata.csv``."""
    metadata = folder / "metadata.csv"
    if not metadata.is_file():
        raise not_the_corpus(folder, "ljspeech", "metadata.csv", "metadata.csv")
    listed = set()
    for line in read_lines(metadata):
        identity, *texts = line.strip("\r").split("|")
        listed.add(identity)
        text = texts[-1] if texts else ""
        yield Entry("all", identity, folder / "wavs" / f"{identity}.wav", text, "LJ")
    yield from without_transcript("all", folder / "wavs", listed)


IMPORTER = Importer(
    "LJ Speech: the folder with metadata.csv and wavs/",
    read,
    archives=(
        Archive(
            "LJSpeech-1.1",
            "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
            2749,
            "LJSpeech-1.1",
            "sha256:be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
        ),
    ),
)
