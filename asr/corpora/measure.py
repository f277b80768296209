"""Conversion of entries to utterances: find the recording, read its header, check the span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.pool import ThreadPool

from asr.corpora.disk import find_recording
from asr.corpora.entry import Dropped, Entry, Reason
from asr.data import Utterance
from asr.errors import AudioEmptyError, AudioError, AudioNotFoundError

#: Reading headers is limited by the disk, not the processor.
_THREADS = 8
#: Seconds a listed span may reach beyond its recording; lists are rounded, and some codecs trim their ends.
_SLACK_S = 0.1


def measure(found: Sequence[Entry | Dropped]) -> Iterator[tuple[str, Utterance | Dropped]]:
    """Yield ``(manifest, utterance or drop)`` in the order of ``found``, reading headers in several threads.

    The first utterance of an id is kept; later ones are dropped.
    """
    seen: set[tuple[str, str]] = set()
    with ThreadPool(_THREADS) as pool:
        for entry, result in zip(found, pool.imap(_measure_one, found, chunksize=32), strict=True):
            key = (entry.manifest, entry.id)
            if isinstance(result, Utterance) and key in seen:
                result = Dropped(*key, Reason.DUPLICATE_ID)
            elif isinstance(result, Utterance):
                seen.add(key)
            yield entry.manifest, result


def _measure_one(entry: Entry | Dropped) -> Utterance | Dropped:
    if isinstance(entry, Dropped):
        return entry
    recording = find_recording(entry.recording)
    if recording is None:
        return Dropped(entry.manifest, entry.id, Reason.MISSING_AUDIO)
    if not entry.text.strip():
        return Dropped(entry.manifest, entry.id, Reason.EMPTY_TRANSCRIPT)
    return _read_header(replace(entry, recording=recording))


def _read_header(entry: Entry) -> Utterance | Dropped:
    from asr.audio import audio_info

    try:
        length = audio_info(entry.recording).duration
    except AudioError as fault:
        return _unreadable(entry, fault)
    duration = _span(entry, length)
    if duration is None:
        reason = Reason.BAD_SEGMENT if length else Reason.EMPTY_RECORDING
        return Dropped(entry.manifest, entry.id, reason)
    text = entry.text.strip()
    return Utterance(entry.id, str(entry.recording), duration, text, entry.speaker, entry.offset)


def _unreadable(entry: Entry, fault: AudioError) -> Dropped:
    if isinstance(fault, AudioNotFoundError):
        return Dropped(entry.manifest, entry.id, Reason.MISSING_AUDIO)
    if isinstance(fault, AudioEmptyError):
        return Dropped(entry.manifest, entry.id, Reason.EMPTY_RECORDING)
    return Dropped(entry.manifest, entry.id, Reason.UNREADABLE_AUDIO, fault.code)


def _span(entry: Entry, length: float) -> float | None:
    """Return the seconds of the utterance in a recording of ``length`` seconds, or ``None`` if it is not inside."""
    rest = length - entry.offset
    wanted = rest if entry.duration is None else entry.duration
    inside = entry.offset >= 0 and 0 < wanted <= rest + _SLACK_S and rest > 0
    return min(wanted, rest) if inside else None
