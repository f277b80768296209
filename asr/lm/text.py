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
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from asr.errors import LanguageModelError
from asr.text import NORMALISERS, normalise

_BLOCK = 1 << 19
_OPENERS: dict[str, Callable] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
UNREADABLE = (OSError, EOFError, UnicodeDecodeError, lzma.LZMAError, zlib.error, tarfile.TarError)
"""Errors of the standard library from reading compressed text."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_TITLES = "Mr Mrs Ms Dr St Messrs Mme Mlle Jr Sr Prof Rev Hon Capt Col Gen Maj Lieut Lt Sergt Sgt Esq No Vol"
_SENTENCE_END = re.compile(
    r"([.!?]"
    + "".join(rf"(?<!\b{word}\.)" for word in [*_TITLES.split(), "[A-HJ-Z]"])
    + r"[.!?]*[\"'”’)\]_]*)\s+(?=[\"'“‘(\[_—-]*[A-Z0-9])"
)
"""A mark that ends a sentence, if a capital or digit follows; not the full stop of an initial or a title."""


def open_packed(path: str | Path, suffix: str, mode: str) -> IO[bytes]:
    """Open a binary file, compressed as ``suffix`` says (``.gz``, ``.xz``, ``.bz2``, any other: not at all)."""
    return _OPENERS.get(suffix.lower(), open)(path, mode)


def read_sentences(
    path: str | Path,
    *,
    normaliser: str = "upper_letters",
    prose: bool = False,
    without_speakers: Collection[str] = (),
) -> Iterator[str]:
    """Read a file as blocks of normalised sentences, one sentence a line.

    Args:
        path: a text, compressed or not, or a manifest.
        normaliser: name of the normaliser.
        prose: sentences end at . ! ? and blank lines, not at the end of each line.
        without_speakers: speakers whose utterances in a manifest are left out.

    Raises:
        LanguageModelError: the file cannot be read, is not UTF-8, or a line of a manifest has no text.
        ConfigError: no normaliser has this name.
    """
    clean = upper_letter_lines if normaliser == "upper_letters" else _line_by_line(normaliser)
    try:
        for file, name in _members(Path(path)):
            texts = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            lines: Iterable[str] = _manifest_texts(texts, path, without_speakers) if name.endswith(".jsonl") else texts
            for block in _blocks(lines, whole_paragraphs=prose):
                yield clean(split_prose(block) if prose else block)
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
    return "\n".join(_SENTENCE_END.sub(r"\1\n", paragraph) for paragraph in paragraphs)


def _line_by_line(normaliser: str) -> Callable[[str], str]:
    normalise("", normaliser)
    clean = NORMALISERS[normaliser]
    return lambda block: "\n".join(map(clean, block.split("\n")))


_PLAIN = bytes(
    ord(c) if c in "'\n" or c.isalpha() else ord(" ")
    for c in (chr(code).upper().replace("`", "'") for code in range(128))
) + bytes([ord(" ")] * 128)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_QUOTES = re.compile(rb"'{2,}|(?<![A-Z'])'(?![A-Z'])")


class _PlainCharacters(dict):
    """The result of ``upper_letters`` for single characters, computed when a character is first met."""

    def __missing__(self, character: str) -> str:
        # The letters around it show whether it is dropped (a combining mark) or becomes a space.
        from asr.text.normalise import upper_letters

        made = upper_letters(f"A{character}A")[1:-1]
        self[character] = made
        return made


_plain_characters = _PlainCharacters()


def upper_letter_lines(text: str) -> str:
    r"""Apply ``upper_letters`` to each line of ``text``, much faster than line by line; runs of spaces are kept.

    >>> upper_letter_lines("Well — it’s\nwell-known, café!").split("\n")
    ["WELL   IT'S", 'WELL KNOWN  CAFE ']
    """
    if not text.isascii():
        text = _FOREIGN.sub(lambda match: _plain_characters[match[0]], text)
    return _QUOTES.sub(b" ", text.encode("ascii").translate(_PLAIN)).decode("ascii")
