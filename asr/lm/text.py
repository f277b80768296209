"""Text files → normalised sentences for a language model.

=====================  ==============================================================================
a file                 its sentences
=====================  ==============================================================================
``….jsonl``            the ``text`` of each line: a manifest, or any JSON Lines with that key
``….tar``, ``.tar.xz``  those of each file in it, by these rules
any other              its lines; with ``prose`` they run over lines and end at . ! ? and blank lines
=====================  ==============================================================================

``.gz``, ``.xz`` and ``.bz2`` are decompressed. The sentences come in blocks of several hundred thousand characters,
with one sentence a line.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from asr.errors import LanguageModelError
from asr.text import find_normaliser, normalise_lines
from asr.text.losses import count_lost
from asr.text.normalisers import FOR_TRAINING

_BLOCK = 1 << 19
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
UNREADABLE = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    lzma.LZMAError,
    zlib.error,
    tarfile.TarError,
    RecursionError,
    OverflowError,
)
"""Errors of the standard library from reading compressed text."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_TITLES = "Mr Mrs Ms Dr St Messrs Mme Mlle Jr Sr Prof Rev Hon Capt Col Gen Maj Lieut Lt Sergt Sgt Esq No Vol"
_SENTENCE_END = re.compile(
    r"([.!?؟।]"
    + "".join(rf"(?<!\b{word}\.)" for word in [*_TITLES.split(), "[A-HJ-Z]"])
    + r"[.!?؟।]*[\"'“”’»)\]_]*)\s+(?=[\"'“‘„«(\[_—-]*([^\W_]))|([。！？]+[」』”’]*)\s*"
)
"""An end mark, and the character that may begin a sentence after it; not the full stop of an initial or a title."""


def open_packed(path: str | Path, suffix: str, mode: str) -> IO[bytes]:
    """Open a binary file, compressed as ``suffix`` says (``.gz``, ``.xz``, ``.bz2``, any other: not at all)."""
    opened: IO[bytes] = _OPENERS.get(suffix.lower(), open)(path, mode)
    return opened


def read_sentences(
    path: str | Path,
    *,
    normaliser: str = FOR_TRAINING,
    prose: bool = False,
    without_speakers: Collection[str] = (),
    lost: Counter[str] | None = None,
) -> Iterator[str]:
    """Read a file as blocks of normalised sentences, one sentence a line.

    Args:
        path: a text, compressed or not, or a manifest.
        normaliser: name of the normaliser.
        prose: sentences end at their marks and at blank lines, not at the end of each line.
        without_speakers: speakers whose utterances in a manifest are left out.
        lost: counts the characters, such as digits, that the normaliser loses.

    Raises:
        LanguageModelError: the file cannot be read, is not UTF-8, or a line of a manifest has no text.
        ConfigError: no normaliser has this name.
    """
    find_normaliser(normaliser)
    try:
        for file, name in _members(Path(path)):
            texts = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            lines: Iterable[str] = _manifest_texts(texts, path, without_speakers) if name.endswith(".jsonl") else texts
            for block in _blocks(lines, whole_paragraphs=prose):
                if lost is not None:
                    lost.update(count_lost(block, normaliser))
                yield normalise_lines(split_prose(block) if prose else block, normaliser)
    except UNREADABLE as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault}; UTF-8 text is needed") from fault


def _members(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """Yield the files of an archive, or the file itself, each with its name without the suffix of its compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    name = path.with_suffix("").name if suffixes[-1:] and suffixes[-1] in _OPENERS else path.name
    if not name.endswith(".tar"):
        with open_packed(path, path.suffix, "rb") as file:
            yield file, name
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if (inside := archive.extractfile(member)) is not None:
                yield inside, member.name


def _manifest_texts(lines: Iterable[str], path: str | Path, without_speakers: Collection[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            utterance = json.loads(line)
            text, speaker = utterance["text"], utterance.get("speaker")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            raise LanguageModelError(f"{path}: line {number}: an object with 'text' is needed") from fault
        if not isinstance(text, str):
            raise LanguageModelError(f"{path}: line {number}: 'text' must be a string, got {text!r}")
        if speaker not in without_speakers:
            yield " ".join(text.split()) + "\n"


def _blocks(lines: Iterable[str], *, whole_paragraphs: bool) -> Iterator[str]:
    """Join lines into blocks; with ``whole_paragraphs`` a block ends with a blank line."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= _BLOCK and (not whole_paragraphs or line.isspace()):
            yield "".join(kept)
            kept, size = [], 0
    yield "".join(kept)


def split_prose(text: str) -> str:
    r"""Split running prose, whose lines may be wrapped anywhere, into one sentence a line.

    >>> split_prose("'Is it you,\nMr. J. Poe?' he said. Yes.\n\nCHAPTER II\n\nIt was")
    "'Is it you, Mr. J. Poe?' he said.\nYes.\nCHAPTER II\nIt was"
    """
    paragraphs = (" ".join(paragraph.split("\n")) for paragraph in _PARAGRAPH.split(text))
    return "\n".join(_SENTENCE_END.sub(_ended, paragraph).rstrip("\n") for paragraph in paragraphs)


def _ended(match: re.Match[str]) -> str:
    """Return a sentence's end and a line end after it; none where what follows is in lower case."""
    end, first, full_stop = match.groups()
    if full_stop:
        return f"{full_stop}\n"
    return match[0] if first.islower() else f"{end}\n"
