"""A folder of recordings, each with its transcript beside it.

Anywhere below ``DIR``, whatever the names::

    data/arctic_a0007_1592748422.wav
    data/arctic_a0007_1592748422.txt      And you always want to see it in the superlative degree.

One manifest, ``all.jsonl``; a transcript of several lines becomes one line. The id is the path below ``DIR`` without
suffix. The speaker is the path of the folder that holds the recording (``DIR``'s own name for recordings directly in
it). If this is wrong for your recordings, write a table and use the ``csv`` importer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpora.disk import files_below, is_recording
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.importer import Importer
from asr.errors import CorpusError


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield every recording below ``folder`` that has a transcript."""
    recordings = [path for path in files_below(folder) if is_recording(path)]
    if not any(path.with_suffix(".txt").is_file() for path in recordings):
        raise CorpusError(
            f"{folder}: {len(recordings)} recordings, none with a transcript beside it; looked for NAME.txt beside "
            "each NAME.wav (or .flac .ogg .opus .mp3 .sph); are the transcripts in a table? use the csv importer"
        )
    yield from (_read_recording(folder, path) for path in recordings)


def _read_recording(folder: Path, path: Path) -> Entry | Dropped:
    identity = path.relative_to(folder).with_suffix("").as_posix()
    place = path.parent.relative_to(folder).as_posix()
    try:
        text = path.with_suffix(".txt").read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Dropped("all", identity, Reason.UNREADABLE_TRANSCRIPT)
    except OSError:
        return Dropped("all", identity, Reason.NO_TRANSCRIPT)
    return Entry("all", identity, path, " ".join(text.split()), folder.name if place == "." else place)


IMPORTER = Importer(
    "recordings, each with its transcript beside it in a .txt of the same name",
    read,
)
