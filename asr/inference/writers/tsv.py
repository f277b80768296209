r"""Tab-separated values, times in milliseconds.

::

    start\tend\ttext
    320\t1900\t…
"""

from __future__ import annotations

from asr.inference.transcript import Transcript
from asr.inference.writers.times import milliseconds


def render(transcript: Transcript) -> str:
    """The header, then a line a segment."""
    rows = (
        f"{milliseconds(s.start)}\t{milliseconds(s.end)}\t{' '.join(s.text.split())}\n" for s in transcript.segments
    )
    return "start\tend\ttext\n" + "".join(rows)
