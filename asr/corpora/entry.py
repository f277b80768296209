"""Results of an importer: entries to measure, and dropped items with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Reason(StrEnum):
    """The reason why an item of a corpus does not become an utterance, in the words of the summary."""

    MISSING_AUDIO = "missing audio"
    UNREADABLE_AUDIO = "unreadable audio"
    EMPTY_RECORDING = "empty recording"
    NO_TRANSCRIPT = "no transcript"
    EMPTY_TRANSCRIPT = "empty transcript"
    UNREADABLE_TRANSCRIPT = "transcript is not UTF-8"
    NO_SPEAKER = "no speaker"
    DUPLICATE_ID = "duplicate id"
    BAD_LINE = "line cannot be read"
    BAD_NAME = "file name does not say what was spoken"
    BAD_SEGMENT = "segment is not inside its recording"
    PIPE = "wav.scp names a command, which is not run"


@dataclass(frozen=True)
class Entry:
    """One utterance as the corpus lists it, before its recording is opened.

    Attributes:
        manifest: the split it belongs to; the manifest is ``{manifest}.jsonl``.
        id: unique in the manifest, the same on every machine.
        recording: where the corpus says the audio is; a file with another audio suffix may stand in for it.
        text: the transcript as the corpus wrote it.
        speaker: as the corpus names it.
        offset: seconds into the recording where the utterance starts.
        duration: seconds, or ``None`` for up to the recording's end.
    """

    manifest: str
    id: str
    recording: Path
    text: str
    speaker: str
    offset: float = 0.0
    duration: float | None = None


@dataclass(frozen=True)
class Dropped:
    """An item of the corpus that does not become an utterance; ``detail`` is the code of an error, if any."""

    manifest: str
    id: str
    reason: Reason
    detail: str = ""

    @property
    def why(self) -> str:
        """Reason in the words of the summary, with the detail in brackets."""
        return f"{self.reason} ({self.detail})" if self.detail else str(self.reason)
