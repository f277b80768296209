"""Free Spoken Digit Dataset (https://github.com/Jakobovski/free-spoken-digit-dataset).

There is no list: the name of each recording says the digit, the speaker and the take::

    recordings/7_jackson_32.wav

There is one manifest, ``all.jsonl``, since the corpus has no split by speaker. The text is the digit as a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from asr.corpora.disk import files_below, is_recording, not_the_corpus
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.importer import Archive, Importer

DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>.+)_(?P<index>[0-9]+)")


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the recordings, each of one digit."""
    recordings = folder / "recordings"
    if not recordings.is_dir():
        raise not_the_corpus(folder, "fsdd", "recordings/{digit}_{speaker}_{index}.wav", "recordings/0_*_0.*")
    for path in filter(is_recording, files_below(recordings)):
        name = _NAME.fullmatch(path.stem)
        if name:
            yield Entry("all", path.stem, path, DIGITS[int(name["digit"])], name["speaker"])
        else:
            yield Dropped("all", path.stem, Reason.BAD_NAME)


IMPORTER = Importer(
    "Free Spoken Digit Dataset: the folder with recordings/",
    read,
    archives=(
        Archive(
            "v1.0.10",
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.tar.gz",
            16,
            "free-spoken-digit-dataset-1.0.10",
        ),
    ),
)
