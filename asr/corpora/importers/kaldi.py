"""Kaldi data folders (https://kaldi-asr.org/doc/data_prep.html).

``DIR`` is a data folder, or holds some; each becomes a manifest of its name. Every file is sorted lines, the key up to
the first space::

    wav.scp   000010011 WAVE/SPEAKER0001/000010011.wav
              sw02001-A sph2pipe -f wav -p /corpora/swb/sw02001.sph |
    text      000010011 WE CALL IT BEAR
    utt2spk   000010011 0001
    segments  sw02001-A_000098-001156 sw02001-A 0.98 11.56      (only where recordings hold several utterances)

Commands in ``wav.scp`` are never run. Where one merely decodes a file (``sph2pipe``, ``flac``), that file is read
instead; every other command drops its utterances. Relative paths are tried from the data folder, the two above it,
and the current one, for Kaldi runs where the recipe stands. Without ``utt2spk`` each utterance is its own speaker.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asr.corpora.disk import find_recording, not_the_corpus, read_lines
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.importer import Importer

_DECODERS = {"sph2pipe": {"-f", "wav", "-p"}, "flac": {"-c", "-d", "-s", "-dc", "-cd", "-cds", "-dcs", "--silent"}}


@dataclass(frozen=True)
class _Segment:
    """A span of a recording in seconds; ``duration`` is ``None`` for up to its end."""

    recording: str
    start: float = 0.0
    duration: float | None = None


@dataclass(frozen=True)
class _Tables:
    """The files of one data folder, each as key → rest of line."""

    folder: Path
    recordings: dict[str, str]
    texts: dict[str, str]
    speakers: dict[str, str]


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the utterances of the data folder, or of those directly in ``folder``."""
    scripts = [folder / "wav.scp"] if (folder / "wav.scp").is_file() else sorted(folder.glob("*/wav.scp"))
    if not scripts:
        raise not_the_corpus(folder, "kaldi", "wav.scp", "wav.scp")
    for script in scripts:
        if not (script.parent / "text").is_file():
            raise not_the_corpus(script.parent, "kaldi", "text beside wav.scp", "text")
        yield from _read_data_folder(script.parent)


def _read_data_folder(data: Path) -> Iterator[Entry | Dropped]:
    texts = _table(data / "text")
    speakers = _table(data / "utt2spk") if (data / "utt2spk").is_file() else {key: key for key in texts}
    tables = _Tables(data, _table(data / "wav.scp"), texts, speakers)
    segments = _segments(tables)
    yield from (_entry(tables, identity, segment) for identity, segment in segments.items())
    yield from (Dropped(data.name, key, Reason.MISSING_AUDIO) for key in texts if key not in segments)


def _entry(tables: _Tables, identity: str, segment: _Segment | None) -> Entry | Dropped:
    drop = partial(Dropped, tables.folder.name, identity)
    text, speaker = tables.texts.get(identity), tables.speakers.get(identity)
    if text is None:
        return drop(Reason.NO_TRANSCRIPT)
    if not speaker:
        return drop(Reason.NO_SPEAKER)
    if segment is None:
        return drop(Reason.BAD_SEGMENT)
    source = tables.recordings.get(segment.recording)
    if not source:
        return drop(Reason.MISSING_AUDIO)
    path = _path_in(source)
    if path is None:
        return drop(Reason.PIPE)
    recording = _locate(tables.folder, path)
    return Entry(tables.folder.name, identity, recording, text, speaker, segment.start, segment.duration)


def _table(path: Path) -> dict[str, str]:
    """Read key and rest of line; a later line of the same key wins, as a Kaldi table's does."""
    fields = (line.strip().split(maxsplit=1) for line in read_lines(path))
    return {key: rest[0] if rest else "" for key, *rest in fields}


def _segments(tables: _Tables) -> dict[str, _Segment | None]:
    """Return each utterance's segment, ``None`` where the line is not ``recording start end``."""
    path = tables.folder / "segments"
    if not path.is_file():
        return {key: _Segment(key) for key in tables.recordings}
    return {key: _parse_segment(fields) for key, fields in _table(path).items()}


def _parse_segment(fields: str) -> _Segment | None:
    try:
        recording, start, end = fields.split()[:3]
        # Kaldi writes -1 for "to the end".
        return _Segment(recording, float(start), None if float(end) < 0 else float(end) - float(start))
    except ValueError:
        return None


def _path_in(source: str) -> str | None:
    """Return the file that an extended filename of Kaldi's reads, ``None`` for a command not known to just decode.

    >>> _path_in("wav/a b.wav"), _path_in("sph2pipe -f wav -p swb/a.sph |"), _path_in("sox a.wav -t wav - |")
    ('wav/a b.wav', 'swb/a.sph', None)
    """
    if not source.endswith("|"):
        return source
    try:
        program, *arguments = shlex.split(source[:-1])
    except ValueError:
        return None
    options = _DECODERS.get(Path(program).name)
    files = [argument for argument in arguments if options is not None and argument not in options]
    return files[0] if len(files) == 1 and not files[0].startswith("-") else None


def _locate(data: Path, path: str) -> Path:
    places = [data, *data.parents[:2], Path.cwd()]
    return next((place / path for place in places if find_recording(place / path)), data / path)


IMPORTER = Importer(
    "Kaldi data folders: wav.scp, text, utt2spk, perhaps segments",
    read,
)
