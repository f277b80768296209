"""CMU AN4, the "census" corpus (http://www.speech.cs.cmu.edu/databases/an4).

``etc/an4_train.fileids`` lists the recordings below ``wav/``, without suffix::

    an4_clstk/fash/an251-fash-b

``etc/an4_train.transcription`` has their transcripts, the id in brackets at the end::

    <s> YES </s> (an251-fash-b)

and ``etc/an4_test.*`` the same for ``wav/an4test_clstk``, there without ``<s>`` and ``</s>``. Some editions hold test
recordings that no list names (the 13 of ``fcaw``): they have no transcript and are dropped.

There are two manifests, ``train.jsonl`` and ``test.jsonl``; the speaker is the recording's folder, ``fash``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from asr.corpora.disk import not_the_corpus, read_lines, without_transcript
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.importer import Archive, Importer

_RECORDINGS = {"train": "an4_clstk", "test": "an4test_clstk"}
_TRANSCRIPT = re.compile(r"(?P<text>.*)\((?P<id>[^()\s]+)\)\s*$")
_SENTENCE_MARK = re.compile(r"</?s>")


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the training and the test utterances."""
    splits = [split for split in _RECORDINGS if (folder / f"etc/an4_{split}.fileids").is_file()]
    if not splits:
        raise not_the_corpus(folder, "an4", "etc/an4_train.fileids", "etc/an4_train.fileids")
    for split in splits:
        yield from _read_split(folder, split)


def _read_split(folder: Path, split: str) -> Iterator[Entry | Dropped]:
    texts = dict(_split_line(line) for line in read_lines(folder / f"etc/an4_{split}.transcription"))
    files = [PurePosixPath(line.strip()) for line in read_lines(folder / f"etc/an4_{split}.fileids")]
    for file in files:
        if file.name in texts:
            yield Entry(split, file.name, folder / "wav" / file, texts[file.name], file.parent.name)
        else:
            yield Dropped(split, file.name, Reason.NO_TRANSCRIPT)
    listed = {file.name for file in files}
    yield from (Dropped(split, identity, Reason.MISSING_AUDIO) for identity in texts if identity not in listed)
    yield from without_transcript(split, folder / "wav" / _RECORDINGS[split], listed | texts.keys())


def _split_line(line: str) -> tuple[str, str]:
    match = _TRANSCRIPT.match(line)
    if not match:
        return line.strip(), ""
    return match["id"], _SENTENCE_MARK.sub("", match["text"]).strip()


IMPORTER = Importer(
    "CMU AN4: the folder with etc/ and wav/",
    read,
    archives=(Archive("an4", "https://www.speech.cs.cmu.edu/databases/an4/an4_sphere.tar.gz", 64, "an4"),),
)
