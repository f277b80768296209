"""The contents of a recording, as its container states them."""

from __future__ import annotations

from dataclasses import dataclass

Piece = bytes | tuple[int, int]
"""Bytes for the decoder: a range (start, stop) of the file, or bytes that stand in place of some."""


@dataclass(frozen=True)
class Part:
    """A stretch of a recording that libsndfile decodes in one go.

    Attributes:
        pieces: what libsndfile is given; empty for the file as it is.
        span_s: seconds from the end of the part before to the end of this one, by the container's clock: longer than
            the part where something between the two was lost. None where nothing was.
    """

    pieces: tuple[Piece, ...] = ()
    span_s: float | None = None


@dataclass(frozen=True)
class Contents:
    """The contents of a recording, as its container states them, and as far as they are there.

    Attributes:
        parts: in order of time; one is decoded after the other.
        length_s: seconds of the whole recording; None where the container does not say.
        lost_s: seconds of it that are not there, as far as is known.
        faults: what is damaged or missing, in words; with any of them the recording is not whole.
        notes: what is odd and loses next to nothing, in words.
        refusal: why it cannot be decoded though it is what it claims to be; None where it can.
        states_length: the decoder's count of samples comes from the container and is not an estimate.
    """

    parts: tuple[Part, ...] = (Part(),)
    length_s: float | None = None
    lost_s: float = 0.0
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str | None = None
    states_length: bool = True


def count(number: int, what: str) -> str:
    """Return a number and its noun.

    >>> count(1, "page"), count(2000, "page")
    ('1 page', '2,000 pages')
    """
    return f"{number:,} {what}" + "s" * (number != 1)


def with_range(pieces: list[tuple[int, int]], start: int, stop: int) -> None:
    """Append a range of bytes to ``pieces``, or lengthen the last one that it continues.

    >>> pieces = [(0, 4)]
    >>> with_range(pieces, 4, 9); with_range(pieces, 12, 13); pieces
    [(0, 9), (12, 13)]
    """
    if pieces and pieces[-1][1] == start:
        pieces[-1] = (pieces[-1][0], stop)
    else:
        pieces.append((start, stop))
