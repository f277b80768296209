"""Tags before and after the frames of MP3 and FLAC, which hold titles and pictures but no sound."""

from __future__ import annotations

from asr.audio.containers.window import Window

_ID3V1_BYTES, _APE_BYTES = 128, 32


def after_id3(window: Window, at: int) -> int:
    """Return the offset after the ID3v2 tags at ``at``: their size has 7 bits a byte; a footer repeats the header."""
    while (head := window.get(at, at + 10))[:3] == b"ID3" and len(head) == 10:
        footer = 10 if head[5] & 0x10 else 0
        at += 10 + sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10])) + footer
    return at


def after_tag(window: Window, at: int) -> int:
    """Return the offset after a tag of any kind at ``at``, as joined files have between them."""
    head = window.get(at, at + 16)
    if head[:3] == b"TAG":
        return at + _ID3V1_BYTES
    if head[:8] == b"APETAGEX" and len(head) == 16:
        return at + _APE_BYTES + int.from_bytes(head[12:16], "little")
    return after_id3(window, at)


def before_tags(window: Window) -> int:
    """Return the offset at which tags at the end of a file begin: ID3v1, Lyrics3 and APE, in any order."""
    end = window.size
    while (start := _tag_before(window, end)) < end:
        end = start
    return end


def _tag_before(window: Window, end: int) -> int:
    if window.get(end - _ID3V1_BYTES, end)[:3] == b"TAG" and end >= _ID3V1_BYTES:
        return end - _ID3V1_BYTES
    footer = window.get(max(end - _APE_BYTES, 0), end)
    if footer[:8] == b"APETAGEX":
        size = int.from_bytes(footer[12:16], "little")
        has_header = footer[23] >= 128
        return max(end - size - _APE_BYTES * has_header, 0) if size >= _APE_BYTES else end
    if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
        return max(end - int(footer[-15:-9]) - 15, 0)
    return end
