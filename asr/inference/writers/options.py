"""Options of subtitles, named as whisper's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from asr.errors import ConfigError


@dataclass(frozen=True)
class SubtitleOptions:
    """How srt and vtt are cut and marked. Without options a segment is a cue of one line.

    Attributes:
        max_line_width: characters of a line; a longer word stands alone.
        max_line_count: lines of a cue. Cues then pass the borders of segments, and a long pause begins a new one.
        word_timestamps: vtt says when each word of a cue begins.
        highlight_words: the cue is shown anew at each word, which is underlined.
        shortest_s: seconds that a cue of lines is shown at least, where the next leaves room.
        longest_s: seconds that a cue of lines is shown at most; its words go on in the next.
        pause_s: a longer silence, in seconds, ends a cue that could hold more words; 3 as whisper has it.

    Raises:
        ConfigError: a width or count below 1, or an option without the one it needs.
    """

    max_line_width: int | None = None
    max_line_count: int | None = None
    word_timestamps: bool = False
    highlight_words: bool = False
    shortest_s: float = 0.0
    longest_s: float = math.inf
    pause_s: float = 3.0

    def __post_init__(self) -> None:
        for name in ("max_line_width", "max_line_count"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.max_line_count is not None and self.max_line_width is None:
            raise ConfigError("max_line_count needs max_line_width: without a width no line is broken")
        if self.highlight_words and not self.word_timestamps:
            raise ConfigError("highlight_words needs word_timestamps")

    @property
    def by_words(self) -> bool:
        """Whether cues are made of words, not of whole segments."""
        return self.word_timestamps or self.max_line_width is not None


PLAIN = SubtitleOptions()
"""A cue a segment."""

BROADCAST = SubtitleOptions(max_line_width=42, max_line_count=2, shortest_s=1.0, longest_s=7.0, pause_s=1.5)
"""As broadcasters cut subtitles, so that they can be read: two lines of 42 characters, from one to seven seconds."""
