"""A transcribed span of a recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest.

    Attributes:
        id: unique in its manifest, stable between machines (never a path of this one).
        audio_filepath: the recording; relative paths are relative to the manifest's folder.
        duration: seconds, > 0.
        text: the transcript as the corpus wrote it.
        speaker: name of the speaker, unique in the corpus; the unit of splits and of the bootstrap.
        offset: seconds into the recording where the utterance starts.
    """

    id: str
    audio_filepath: str
    duration: float
    text: str
    speaker: str
    offset: float = 0.0
