r"""Tab-separated values, times in milliseconds.

::

    start\tend\ttext
    320\t1900\t…
"""

from __future__ import annotations

from asr.inference.transcript import Transcript
from asr.inference.writers.times import span
from asr.inference.writers.words import one_line


def render(transcript: Transcript) -> str:
    """Write the header, then a line for each segment."""
    spans = ((*span(s.start, s.end), s.text) for s in transcript.segments)
    return "start\tend\ttext\n" + "".join(f"{start}\t{end}\t{one_line(text)}\n" for start, end, text in spans)
